/** The part that keeps the sandbox's time: `GET clock`, and by token `POST clock/advance {"until"}` and `POST clock/stop`. */
import { readFileSync } from "node:fs";
import { Agent } from "node:https";
import { UscPisError } from "../../backup/errors";
import { AlarmWatch } from "../aws/alarms";
import { LifecycleRunner, nextRun } from "../aws/lifecycle";
import { ROOT_CREDENTIALS } from "../aws/server";
import type { EventSource } from "../clock/advance";
import { TimeKeeper } from "../clock/keeper";
import { type Ask, herokuSource, schedulerSource, webhookSource } from "../clock/sources";
import { sandboxPaths } from "../supervisor/paths";
import { SCOPE } from "../supervisor/services";
import { readState, type SandboxState } from "../supervisor/state";
import { askLocal } from "./client";
import type { PartStarter } from "./parts";
import { Refusal } from "./routes";

/** Longest, in milliseconds of real time, that an event may take to come to rest. */
const REST_MS = 15 * 60_000;

/** Asks over TLS with connections that are kept, past the proxy and its faults. */
function askAws(upstream: () => string | undefined, tls: string, folder: string, token: string): Ask & { end(): void } {
  const agent = new Agent({ keepAlive: true, ca: readFileSync(tls) });
  const ask = async (method: "GET" | "POST", path: string, body?: object) => {
    const base = upstream();
    if (base === undefined) throw new UscPisError("aws_missing", "the local AWS has not started yet");
    const answer = await askLocal(`${base}${path}`, { folder, method, token, body, agent, timeoutMs: REST_MS });
    if (answer.status !== 200) throw refused(method, path, answer.status, answer.body);
    return answer.body;
  };
  return Object.assign(ask, { end: () => agent.destroy() });
}

function askHttp(base: string, authorization: string): Ask {
  return async (method, path, body) => {
    const answer = await fetch(`${base}${path}`, {
      method,
      headers: { authorization, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw refused(method, path, answer.status, text);
    return JSON.parse(text) as unknown;
  };
}

function refused(method: string, path: string, status: number, body: unknown): UscPisError {
  return new UscPisError("unexpected_answer", `${method} ${path} was answered by ${status}: ${JSON.stringify(body)}`);
}

/** The emulators that run now: they may have been started again at another address. */
function emulators(state: SandboxState | undefined): EventSource[] {
  const { heroku, cloudinary } = state?.services ?? {};
  const sources: EventSource[] = [];
  if (state !== undefined && heroku?.url !== undefined)
    sources.push(herokuSource(askHttp(heroku.url, `Bearer ${state.heroku.controlToken}`)));
  if (state !== undefined && cloudinary?.url !== undefined) {
    const { apiKey, apiSecret } = state.cloudinary;
    const basic = Buffer.from(`${apiKey}:${apiSecret}`).toString("base64");
    sources.push(webhookSource(askHttp(cloudinary.url, `Basic ${basic}`)));
  }
  return sources;
}

/** Operations after which a region's alarms may be others. */
const CHANGES_ALARMS = /^(Put|Delete|Set|Enable|Disable).*Alarm/;
/** Services whose requests may leave metric data: what MiniStack counts of functions and topics, and what is put. */
const LEAVES_DATA = /^(monitoring|lambda|lambda-url|sns|sqs|scheduler|execute-api)$/;

/** Looks at alarms when a minute has passed since the last look, or where one would change by itself. */
function alarmSource(watch: AlarmWatch): EventSource {
  return {
    name: "alarms",
    next: async (now, horizon) => watch.nextTransition(now, horizon),
    run: async (now) => void (await watch.evaluate(now)),
  };
}

/** Lifecycle, once a day after midnight UTC. */
function lifecycleSource(runner: LifecycleRunner, now: Date): EventSource {
  let due = nextRun(now);
  return {
    name: "lifecycle",
    next: async () => due,
    run: async (at) => {
      await runner.run(at);
      due = nextRun(at);
    },
  };
}

export const timePart: PartStarter = async ({ gateway, config, log }) => {
  const paths = sandboxPaths(config.sandboxRoot);
  const aws = askAws(() => gateway.upstream(), config.tls.cert, paths.aws, config.controlToken);
  // Alarms and lifecycle begin with the local AWS: its address is told after this part has started.
  let own: { watch: AlarmWatch; sources: EventSource[] } | undefined;
  const ours = () => {
    const endpoint = gateway.upstream();
    if (own !== undefined || endpoint === undefined) return own;
    const options = { regions: SCOPE.regions, client: { endpoint, credentials: ROOT_CREDENTIALS } };
    const watch = new AlarmWatch(options);
    const runner = new LifecycleRunner({ ...options, token: config.controlToken });
    own = { watch, sources: [lifecycleSource(runner, new Date()), alarmSource(watch)] };
    return own;
  };
  gateway.events.on("ended", ({ service, region, operation }) => {
    if (service === "monitoring" && CHANGES_ALARMS.test(operation ?? "")) ours()?.watch.dirty(region, "alarms");
    else if (LEAVES_DATA.test(service ?? "")) ours()?.watch.dirty(region, "data");
  });
  const keeper = new TimeKeeper({
    file: paths.clock,
    sources: async () => [schedulerSource(aws), ...emulators(readState(paths)), ...(ours()?.sources ?? [])],
    own: async () => ours()?.sources ?? [],
    rest: async () => void (await aws("POST", "/_sandbox/rest", { seconds: REST_MS / 1000 })),
    look: async (now) => void (await ours()?.watch.evaluate(now)),
    log,
  });
  gateway.mount([
    { method: "GET", path: "clock", handle: () => ({ body: keeper.status() }) },
    {
      method: "POST",
      path: "clock/advance",
      handle: async ({ json }) => {
        const until = new Date(String(((await json()) as { until?: unknown } | undefined)?.until));
        if (Number.isNaN(until.getTime())) throw new Refusal(422, 'expected {"until": TIME}');
        try {
          return { status: 202, body: keeper.begin(until) };
        } catch (error) {
          if (error instanceof UscPisError) throw new Refusal(409, error.message);
          throw error;
        }
      },
    },
    {
      method: "POST",
      path: "clock/stop",
      handle: async () => {
        await keeper.stop();
        return { body: keeper.status() };
      },
    },
  ]);
  return {
    close: async () => {
      await keeper.close();
      own?.watch.close();
      aws.end();
    },
  };
};
