/** PostgreSQL refuses to run as root: whoever is root lends it an unprivileged user. */
import { execFileSync, spawnSync } from "node:child_process";
import { UscPisError } from "../../backup/errors";

export interface UnixUser {
  uid: number;
  gid: number;
}

/** The user to run the server as; undefined when our own will do. */
export function serverUser(): UnixUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["nobody", "daemon"]) {
    try {
      const id = (flag: string) =>
        Number(execFileSync("id", [flag, name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
      return { uid: id("-u"), gid: id("-g") };
    } catch {
      // No such user here: the next one.
    }
  }
  throw new UscPisError(
    "postgres_user",
    "PostgreSQL does not run as root, and there is no user nobody or daemon to lend it",
    {
      hint: "run this as an ordinary user",
    },
  );
}

/** Whether a user can go into a folder, asked of the system itself: modes, mounts and access lists all count. */
export function canReach(folder: string, user: UnixUser | undefined): boolean {
  const { status } = spawnSync("/bin/sh", ["-c", 'cd "$1"', "sh", folder], {
    ...user,
    cwd: "/",
    stdio: "ignore",
    env: {},
  });
  return status === 0;
}
