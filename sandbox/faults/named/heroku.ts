/** What Heroku does to captures, restores and those who ask for them. */
import type { FaultRule } from "../rule";
import { HEROKU_SWITCHES as SWITCH } from "../switches";
import { choice, named, number, type Plan, text } from "./define";

const at = "heroku";
const heroku = (...rules: FaultRule[]): Plan => ({ rules });

/** The dump's download, by its public URL. */
const DUMP = { service: "heroku", method: "GET", path: "^/_backups/" };
/** The question how far a transfer is. */
const POLL = { service: "heroku", method: "GET", path: "/transfers/[^/]+$" };
const API = { service: "heroku", path: "^/(?!_backups/|_sources/)" };

const PAGE =
  "<!DOCTYPE html>\n<html><head><title>Application error</title></head><body>Application error</body></html>\n";

const captures = [
  named({
    name: "empty-dump",
    at,
    rows: [1],
    about: "a capture succeeds with an empty dump, as by a pg_dump of the wrong version",
    parameters: { bytes: number(0, "how many bytes of the dump are kept") },
    plan: ({ bytes }) => heroku({ switch: SWITCH.dumpKeep, value: bytes }),
  }),
  named({
    name: "newer-archive",
    at,
    rows: [1, 3],
    about: "a capture's dump says that a newer pg_dump wrote it",
    parameters: { version: text("1.99", "version of the archive format, major.minor") },
    plan: ({ version }) => heroku({ switch: SWITCH.dumpVersion, value: version }),
  }),
  named({
    name: "heroku-ext-schema",
    at,
    rows: [4],
    about: "extensions lie in schema heroku_ext when the database is captured, and stay there",
    plan: () => heroku({ switch: SWITCH.herokuExt }),
  }),
  named({
    name: "capture-never-ends",
    at,
    rows: [6],
    about: "a capture runs until somebody cancels it",
    plan: () => heroku({ switch: SWITCH.captureHang }),
  }),
  named({
    name: "capture-times-out",
    at,
    rows: [6],
    about: "a capture fails after a time, as those of large databases do",
    parameters: { ms: number(2000, "milliseconds until it fails") },
    plan: ({ ms }) =>
      heroku(
        { switch: SWITCH.captureDelay, value: ms },
        { switch: SWITCH.captureFail, value: "the transfer was canceled: it took longer than is allowed" },
      ),
  }),
  named({
    name: "capture-fails",
    at,
    rows: [7, 24],
    about: "a capture fails; the request for it, and every one after it, is answered by success",
    parameters: { message: text("pg_dump exited with 1: server closed the connection unexpectedly", "why") },
    plan: ({ message }) => heroku({ switch: SWITCH.captureFail, value: message }),
  }),
  named({
    name: "capture-disk-full",
    at,
    rows: [18],
    about: "a capture fails because the disk is full",
    plan: () =>
      heroku({
        switch: SWITCH.captureFail,
        value: "pg_dump exited with 1: could not write to output file: No space left on device",
      }),
  }),
  named({
    name: "capture-warns",
    at,
    rows: [24],
    about: "a good capture with warnings",
    parameters: { message: text("pg_dump: warning: there are circular foreign-key constraints on this table", "what") },
    plan: ({ message }) => heroku({ switch: SWITCH.captureWarn, value: message }),
  }),
];

const downloads = [
  named({
    name: "dump-truncated",
    at,
    rows: [8],
    about: "the dump's download ends too early",
    parameters: {
      bytes: number(512, "how many bytes are missing"),
      length: choice(["adapted", "kept"], "adapted", "what Content-Length says: the shorter body, or the true one"),
    },
    plan: ({ bytes, length }) =>
      heroku({ ...DUMP, truncateBy: bytes, ...(length === "kept" ? { keepLength: true } : {}) }),
  }),
  named({
    name: "dump-bit-flipped",
    at,
    rows: [8],
    about: "one bit of the dump's download is another",
    parameters: { offset: number(4096, "byte whose lowest bit is turned over") },
    plan: ({ offset }) => heroku({ ...DUMP, flipBitAt: offset }),
  }),
  named({
    name: "dump-cut",
    at,
    rows: [8],
    about: "the connection of the dump's download breaks",
    parameters: { bytes: number(4096, "bytes that come before") },
    plan: ({ bytes }) => heroku({ ...DUMP, cutAfter: bytes }),
  }),
  named({
    name: "dump-tiny-chunks",
    at,
    rows: [11],
    about: "the dump's download comes in tiny pieces",
    parameters: { bytes: number(64, "of each piece"), ms: number(0, "pause after each, in milliseconds") },
    plan: ({ bytes, ms }) => heroku({ ...DUMP, drip: { bytes, pauseMs: ms } }),
  }),
  named({
    name: "dump-html-page",
    at,
    rows: [20],
    about: "an HTML page in the dump's place, with status 200",
    plan: () => heroku({ ...DUMP, status: 200, headers: { "content-type": "text/html" }, body: PAGE }),
  }),
];

const api = [
  named({
    name: "polls-fail",
    at,
    rows: [7],
    about: "questions how far a capture or restore is are answered by an error",
    parameters: { status: number(503, "HTTP status"), polls: number(25, "how many; --times overrides it") },
    plan: ({ status, polls }) => heroku({ ...POLL, status, times: polls }),
  }),
  named({
    name: "transfer-state-unknown",
    at,
    rows: [25],
    about: "a transfer is in a state that nobody has heard of",
    plan: () => heroku({ ...POLL, merge: { finished_at: "2026-01-01T00:00:00Z", succeeded: "limbo", state: "limbo" } }),
  }),
  named({
    name: "heroku-token-expired",
    at,
    rows: [19],
    about: "every request is refused: the API token has expired",
    plan: () => heroku({ ...API, status: 401, code: "unauthorized", message: "Invalid credentials provided." }),
  }),
  named({
    name: "heroku-rate-limited",
    at,
    about: "requests are refused: too many in this hour",
    parameters: { seconds: number(1, "of Retry-After") },
    plan: ({ seconds }) =>
      heroku({
        ...API,
        status: 429,
        code: "rate_limit",
        message: "Your account reached the API rate limit. Please wait a few minutes before making new requests.",
        headers: { "retry-after": String(seconds), "ratelimit-remaining": "0" },
      }),
  }),
  named({
    name: "heroku-down",
    at,
    about: "Heroku's API does not work",
    parameters: { how: choice(["error", "cut", "hang"], "error", "503, a cut connection, or no answer") },
    plan: ({ how }) => heroku({ ...API, ...WAYS[how] }),
  }),
  named({
    name: "heroku-slow",
    at,
    about: "Heroku's API answers late",
    parameters: { ms: number(3000, "milliseconds"), path: text("", "regular expression on the path") },
    plan: ({ ms, path }) => heroku({ service: "heroku", ...(path === "" ? {} : { path }), delayMs: ms }),
  }),
];

const WAYS = {
  error: { status: 503, code: "unavailable", message: "Service unavailable." },
  cut: { cut: true },
  hang: { hang: true },
} as const;

const restores = [
  named({
    name: "restore-extension-noise",
    at,
    rows: [5, 24],
    about: "pg_restore complains that an extension is not ours, and ends with 1; the data are there",
    parameters: { extension: text("pgcrypto", "which") },
    plan: ({ extension }) =>
      heroku({
        switch: SWITCH.restoreNoise,
        value: `pg_restore: error: could not execute query: ERROR:  must be owner of extension ${extension}`,
      }),
  }),
  named({
    name: "restore-foreign-error",
    at,
    rows: [5, 24],
    about: "pg_restore reports an error that is not on the list of harmless ones",
    parameters: { message: text('ERROR:  relation "patients_patient" already exists', "what") },
    plan: ({ message }) =>
      heroku({ switch: SWITCH.restoreNoise, value: `pg_restore: error: could not execute query: ${message}` }),
  }),
  named({
    name: "restore-disk-full",
    at,
    rows: [22],
    about: "the disk of the restore's target is full",
    plan: () =>
      heroku({
        switch: SWITCH.restoreNoise,
        value:
          'pg_restore: error: COPY failed for table "patients_patient": ERROR:  could not extend file: No space left on device',
      }),
  }),
  named({
    name: "restore-never-ends",
    at,
    about: "a restore runs until somebody cancels it",
    plan: () => heroku({ switch: SWITCH.restoreHang }),
  }),
];

export const HEROKU_FAULTS = [...captures, ...downloads, ...api, ...restores];
