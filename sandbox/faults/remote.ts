/** Faults of the running services: which address and which credential each one's controls have. */
import { UscPisError } from "../../backup/errors";
import { controlAuthorization, serviceUrl } from "../environment";
import { askLocal, type LocalAnswer } from "../gateway/client";
import type { SandboxPaths } from "../supervisor/paths";
import type { SandboxState } from "../supervisor/state";
import type { FaultStatus } from "./engine";
import type { Call, FaultService } from "./named/define";
import type { FaultRule } from "./rule";

/** Services that take rules. */
export const RULED = ["heroku", "gateway", "cloudinary"] as const;
export type RuledService = (typeof RULED)[number];

const ROUTES: Readonly<Record<RuledService, string>> = {
  gateway: "/_sandbox/faults",
  heroku: "/_control/faults",
  cloudinary: "/_control/faults",
};

export class Remote {
  constructor(
    private readonly paths: SandboxPaths,
    private readonly state: SandboxState,
  ) {}

  async rules(service: RuledService): Promise<FaultStatus[]> {
    return (await this.ask(service, "GET", ROUTES[service])).faults;
  }

  /** Puts rules before those that are there. */
  async add(service: RuledService, rules: readonly FaultRule[]): Promise<void> {
    await this.ask(service, "PATCH", ROUTES[service], { rules });
  }

  /** @returns how many rules were taken back */
  async remove(service: RuledService, name?: string): Promise<number> {
    const query = name === undefined ? "" : `?name=${encodeURIComponent(name)}`;
    return (await this.ask(service, "DELETE", `${ROUTES[service]}${query}`)).removed ?? 0;
  }

  async call(service: FaultService, { method, path, body }: Call): Promise<void> {
    await this.ask(service, method, path, body);
  }

  /** Whether what a call sets differs from what its reset would set. */
  async differs(service: FaultService, reset: Call): Promise<boolean> {
    const { mode } = await this.ask(service, "GET", reset.path);
    return mode !== (reset.body as { mode?: string }).mode;
  }

  private async ask(
    service: FaultService,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ faults: FaultStatus[]; removed?: number; mode?: string }> {
    const url = `${serviceUrl(this.state, service)}${path}`;
    let answer: LocalAnswer;
    try {
      const authorization = controlAuthorization(this.state, service);
      answer = await askLocal(url, { folder: this.paths.aws, method, authorization, body });
    } catch (error) {
      throw new UscPisError("service_down", `${service} does not answer at ${url}: ${(error as Error).message}`, {
        hint: "look at it: npx usc-pis sandbox status",
        cause: error,
      });
    }
    if (answer.status < 300) return answer.body as { faults: FaultStatus[] };
    const what = `${service} answered ${method} ${path} by ${answer.status}: ${JSON.stringify(answer.body)}`;
    throw new UscPisError("fault_refused", what, {
      ...(answer.status === 404
        ? { hint: `this ${service} has no such control; start anew: npx usc-pis sandbox reset` }
        : {}),
    });
  }
}
