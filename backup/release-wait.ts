import type { Heroku } from "../clients/heroku";
import type { Pace } from "../clients/retry";
import { UscPisError } from "./errors";

/** Longest that a release command may take, in ms: Heroku ends release phases after an hour. */
const RELEASE_MS = 3_600_000;
/** Pause between two looks, in ms. */
const POLL_MS = 2_000;

export interface ReleasedVersion {
  readonly app: string;
  /** Heroku's number of the release. */
  readonly release: number;
}

/**
 * Waits until the release that a build made is live.
 * @throws UscPisError `build_failed`, `release_failed`, or `release_timeout` when it has not ended after an hour
 */
export async function waitForRelease(
  heroku: Pick<Heroku, "build" | "release">,
  app: string,
  build: string,
  pace: Pace,
  signal?: AbortSignal,
): Promise<ReleasedVersion> {
  const start = pace.now().getTime();
  while (pace.now().getTime() - start <= RELEASE_MS) {
    signal?.throwIfAborted();
    const made = await heroku.build(app, build, signal);
    if (made.status === "failed") {
      throw new UscPisError("build_failed", `build ${build} of ${app} failed, so it has no release`, {
        hint: `heroku builds -a ${app}`,
      });
    }
    const release = made.release ? await heroku.release(app, made.release.id, signal) : undefined;
    if (release?.status === "succeeded") return { app, release: release.version };
    if (release?.status === "failed" || release?.status === "expired") {
      throw new UscPisError(
        "release_failed",
        `release v${release.version} of ${app} ${release.status}: its release command did not end well, and the code before it still runs`,
        { hint: `heroku releases:output v${release.version} -a ${app}` },
      );
    }
    await pace.sleep(POLL_MS, signal);
  }
  throw new UscPisError("release_timeout", `the release of build ${build} of ${app} has not ended after an hour`, {
    hint: `heroku releases -a ${app}`,
  });
}
