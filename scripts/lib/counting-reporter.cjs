// @ts-check
const { writeFileSync } = require("node:fs");
const { reporters } = require("mocha");

/** Mocha's usual output, and the counts as JSON in the file that USC_PIS_TEST_RESULTS names, for .ci/run. */
class CountingReporter extends reporters.Spec {
  /**
   * @param {import("mocha").Runner} runner
   * @param {import("mocha").MochaOptions} options
   */
  constructor(runner, options) {
    super(runner, options);
    runner.once("end", () => {
      const { passes, failures, pending } = runner.stats ?? { passes: 0, failures: 0, pending: 0 };
      const file = process.env.USC_PIS_TEST_RESULTS;
      if (file) writeFileSync(file, `${JSON.stringify({ passed: passes, failed: failures, skipped: pending })}\n`);
    });
  }
}

module.exports = CountingReporter;
