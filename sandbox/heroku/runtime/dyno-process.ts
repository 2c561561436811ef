/** How a Procfile command becomes a process that can't outlive the emulator. */
import type { ChildProcess } from "node:child_process";
import { dirname } from "node:path";
import { clockVariables } from "../../clock/clock";
import type { Children } from "./children";

/**
 * Runs `$1` and beside it a watcher whose standard input (descriptor 3) comes from the emulator: when the emulator
 * dies, also by SIGKILL, the watcher reads an end of file and ends the whole group. A TERM goes to the command, and the
 * shell waits for it.
 */
const SUPERVISE = `exec 3<&0 </dev/null
trap : TERM
( trap '' TERM; read -r _ <&3; kill -TERM 0; sleep 3; kill -KILL 0 ) >/dev/null 2>&1 &
watcher=$!
sh -c "$1" 3<&- &
child=$!
while :; do
  wait "$child"
  status=$?
  kill -0 "$child" 2>/dev/null || break
done
kill -KILL "$watcher" 2>/dev/null
exit "$status"`;

export interface DynoCommand {
  /** Shown in the log and kept in the process record, for example `usc-pis web.1`. */
  what: string;
  command: string;
  folder: string;
  /** Config vars and the dyno's own variables: the emulator's own environment is not handed on. */
  environment: Record<string, string>;
}

export function startDynoProcess(children: Children, dyno: DynoCommand): ChildProcess {
  const clock = process.env.USC_PIS_SANDBOX_CLOCK;
  return children.start(dyno.what, "/bin/sh", ["-c", SUPERVISE, "dyno", dyno.command], {
    cwd: dyno.folder,
    env: {
      PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
      HOME: dyno.folder,
      LANG: "en_US.UTF-8",
      TZ: "UTC",
      // The time at which an app lives is the emulator's own.
      ...(clock === undefined ? {} : clockVariables(clock)),
      ...dyno.environment,
    },
  });
}
