"use strict";
// Lays the sandbox's clock under Date, in every Node process that is started with it (NODE_OPTIONS=--require=…): the
// emulators, functions, dynos, our command line. They run unchanged and see another time. Timers go on in real time.
// The file says by how many milliseconds the sandbox is ahead: 16 characters, see clock.ts. Without it nothing changes.
const fs = require("node:fs");

const path = process.env.USC_PIS_SANDBOX_CLOCK;
const RealDate = Date;
const digits = Buffer.alloc(16);
let file;

function open() {
  try {
    return fs.openSync(path, "r");
  } catch {
    return undefined;
  }
}

/** Milliseconds that the sandbox is ahead of this machine. Read each time: one call of the system, a microsecond. */
function ahead() {
  file ??= open();
  if (file === undefined) return 0;
  try {
    const length = fs.readSync(file, digits, 0, digits.length, 0);
    return length === digits.length ? Number(digits.toString("latin1")) || 0 : 0;
  } catch {
    return 0;
  }
}

if (path) {
  const now = () => RealDate.now() + ahead();
  globalThis.Date = new Proxy(RealDate, {
    construct(target, args, newTarget) {
      const made = newTarget === globalThis.Date ? target : newTarget;
      return Reflect.construct(target, args.length === 0 ? [now()] : args, made);
    },
    apply: () => new RealDate(now()).toString(),
    get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
  });
  RealDate.prototype.constructor = globalThis.Date;
}
