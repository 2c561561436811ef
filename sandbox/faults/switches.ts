/** Names of the switches inside the emulators, and what their values mean. One place, so that no name is told twice. */

/** Inside a capture or restore, where no request passes. */
export const HEROKU_SWITCHES = {
  /** A capture waits so many milliseconds before it begins. */
  captureDelay: "capture-delay",
  /** A capture never ends, until it is cancelled. */
  captureHang: "capture-hang",
  /** A capture fails; the value is the last line of its log. */
  captureFail: "capture-fail",
  /** A capture succeeds, and pg_dump has written the value to its standard error. */
  captureWarn: "capture-warn",
  /** Of the dump only so many bytes are kept, and the capture succeeds. */
  dumpKeep: "dump-keep",
  /** The dump's header names this version of the archive format, such as `1.99`. */
  dumpVersion: "dump-version",
  /** Extensions move into Heroku's schema of its own before the database is dumped. */
  herokuExt: "heroku-ext",
  /** A restore never ends, until it is cancelled. */
  restoreHang: "restore-hang",
  /** pg_restore has also written the value to its standard error, and has ended with 1. */
  restoreNoise: "restore-noise",
} as const;

/** Inside the delivery of a webhook. */
export const CLOUDINARY_SWITCHES = {
  /** The signature is another secret's. */
  webhookForged: "webhook-forged",
  /** Sent again so many more times, after it was taken. */
  webhookReplay: "webhook-replay",
  /** Sent so many milliseconds late, with the time of its event. */
  webhookDelay: "webhook-delay",
  /** Never sent. */
  webhookLost: "webhook-lost",
} as const;
