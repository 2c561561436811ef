import { InputError } from "../backup/errors";

/** The project's own command line, relative to the project root: an absolute path would make a moved checkout a change. */
const PROGRAM = "node cli/bin.js";

/**
 * A command line of the project's own CLI for a shell.
 * @param flags without value: `true`; left out when undefined or false.
 * @throws InputError for a value that a shell could read as more than one word. Values are never quoted, since `sh` and
 * Windows' `cmd` quote differently: names, ids, times and URLs need none.
 */
export function commandLine(command: string, flags: Record<string, string | boolean | undefined>): string {
  const words = Object.entries(flags).flatMap(([flag, value]) => {
    if (value === undefined || value === false) return [];
    return value === true ? [`--${flag}`] : [`--${flag}`, plainWord(flag, value)];
  });
  return [PROGRAM, command, ...words].join(" ");
}

/** Values with blanks, of which there is one kind: Heroku's time of day, such as `02:00 UTC`. */
const TIME_OF_DAY = /^\d{2}:\d{2} [A-Za-z_/]+$/;

function plainWord(flag: string, value: string): string {
  if (TIME_OF_DAY.test(value)) return `"${value}"`;
  if (/^[A-Za-z0-9][A-Za-z0-9_.:/@+-]*$/.test(value)) return value;
  throw new InputError(`--${flag} is ${JSON.stringify(value)}, expected letters, digits and _ . : / @ + - only`);
}
