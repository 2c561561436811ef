import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { UscPisError } from "../../backup/errors";

/** Whether a port of the loopback address can be bound now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Waits for a port whose holder is just ending: its last thread may close the socket after the process counts as gone. */
export async function becomesFree(port: number, timeoutMs = 3000): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (!(await isPortFree(port))) {
    if (Date.now() > deadline) return false;
    await sleep(50);
  }
  return true;
}

/** A port that was free a moment ago. Somebody may take it meanwhile: whoever uses it tries again with another. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ port: 0, host: "127.0.0.1", exclusive: true }, () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** @throws UscPisError `port_taken` for a port that somebody asked for by number */
export async function requirePort(service: string, port: number): Promise<number> {
  if (await isPortFree(port)) return port;
  throw new UscPisError("port_taken", `port ${port} for ${service} is taken by another program, expected a free one`, {
    hint: `see who has it: ss -ltnp 'sport = :${port}'; or leave --port ${service}=${port} out, and a free port is used`,
  });
}
