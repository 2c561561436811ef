// @ts-check
import { Interrupted } from "./errors.mjs";

/** Without a terminal: one line so often. A CI log stays readable and still shows life. */
const LOG_EVERY_MS = 15_000;
/** On a terminal: the line is redrawn so often. */
const REDRAW_EVERY_MS = 250;

/**
 * Shows a long step: what it does, for how long already, what happens at the moment. On a terminal one line that
 * changes, elsewhere a line each 15 seconds. Goes to stderr, so that stdout stays the command's own.
 */
export class Progress {
  /**
   * @param {string} title what is done, e.g. "building the Pulumi engine from source (about 4 minutes, once)"
   * @param {{ stream?: NodeJS.WriteStream, now?: () => number }} [options]
   */
  constructor(title, options = {}) {
    this.title = title;
    this.stream = options.stream ?? process.stderr;
    this.now = options.now ?? Date.now;
    this.started = this.now();
    this.detail = "";
    this.live = Boolean(this.stream.isTTY) && !process.env.CI;
    if (!this.live) this.stream.write(`${title} …\n`);
    this.timer = setInterval(() => this.#draw(), this.live ? REDRAW_EVERY_MS : LOG_EVERY_MS);
    this.timer.unref();
  }

  /** @param {string} detail what happens at the moment */
  update(detail) {
    this.detail = detail;
  }

  /** @param {string} [result] said at the end. Default: "done" */
  done(result = "done") {
    this.#end(`${this.title}: ${result} (${this.elapsed()})`);
  }

  /** @param {unknown} error */
  failed(error) {
    const how = error instanceof Interrupted ? "stopped" : "failed";
    this.#end(`${this.title}: ${how} after ${this.elapsed()}`);
  }

  elapsed() {
    return formatElapsed(this.now() - this.started);
  }

  /** @param {string} line */
  #end(line) {
    clearInterval(this.timer);
    this.stream.write(`${this.live ? "\r\u001b[K" : ""}${line}\n`);
  }

  #draw() {
    const text = `${this.title} … ${this.elapsed()}${this.detail ? `  ${this.detail}` : ""}`;
    if (this.live) this.stream.write(`\r\u001b[K${text.slice(0, (this.stream.columns ?? 80) - 1)}`);
    else this.stream.write(`  ${text}\n`);
  }
}

/**
 * @param {number} ms
 * @returns {string} "8 s", "3 min 05 s"
 */
export function formatElapsed(ms) {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
}

/**
 * Runs a long step under a progress line.
 *
 * @template T
 * @param {string} title
 * @param {(progress: Progress) => Promise<T>} step
 * @returns {Promise<T>}
 */
export async function withProgress(title, step) {
  const progress = new Progress(title);
  try {
    const result = await step(progress);
    progress.done();
    return result;
  } catch (error) {
    progress.failed(error);
    throw error;
  }
}
