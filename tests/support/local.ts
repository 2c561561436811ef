import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type MiniStack, startMiniStack } from "./ministack";

/** Bearer of the control routes in tests. */
export const TOKEN = "only-for-this-test";

/** The sandbox's MiniStack with a clock that the test moves. */
export interface LocalAws extends MiniStack {
  /** Moves its clock; the file is looked at with each request. */
  setTime(to: Date): void;
  /** Asks a control route as the sandbox does; throws the answer's error. */
  control(method: "GET" | "POST", path: string, body?: object): Promise<any>;
  /** Waits until nothing is under way. */
  settle(): Promise<void>;
}

/** Content of a clock file. */
export function clockText(offsetMs: number): string {
  return String(offsetMs).padStart(16);
}

export async function startLocalAws(options: { confirmMail?: boolean } = {}): Promise<LocalAws> {
  const folder = mkdtempSync(join(tmpdir(), "usc-pis-clock-"));
  const clock = join(folder, "clock");
  const aws = await startMiniStack({ clock, token: TOKEN, ...options });
  const control: LocalAws["control"] = async (method, path, body) => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const answer = await fetch(`${aws.url}/_sandbox/${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const told = (await answer.json()) as { error?: string };
    if (!answer.ok) throw new Error(`${answer.status}: ${told.error}`);
    return told;
  };
  return {
    url: aws.url,
    control,
    setTime: (to) => writeFileSync(clock, clockText(to.getTime() - Date.now())),
    settle: async () => {
      for (;;) {
        const { invocations } = await control("GET", "activity");
        if (invocations === 0) return;
        await sleep(10);
      }
    },
    stop: async () => {
      await aws.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
