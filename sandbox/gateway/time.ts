/** The part that keeps the sandbox's time: `GET clock`, and by token `POST clock/advance {"until"}` and `POST clock/stop`. */
import { Agent as HttpAgent } from "node:http";
import { Agent } from "node:https";
import { UscPisError } from "../../backup/errors";
import { AlarmWatch } from "../aws/alarms";
import { LifecycleRunner, nextRun } from "../aws/lifecycle";
import { ROOT_CREDENTIALS } from "../aws/server";
import type { EventSource } from "../clock/advance";
import { TimeKeeper } from "../clock/keeper";
import { type Ask, herokuSource, schedulerSource, webhookSource } from "../clock/sources";
import { controlAuthorization } from "../environment";
import { type SandboxPaths, sandboxPaths } from "../supervisor/paths";
import { SCOPE } from "../supervisor/services";
import { readState } from "../supervisor/state";
import { askLocal, type LocalRequest } from "./client";
import type { PartStarter } from "./parts";
import { Refusal } from "./routes";

/** Longest, in milliseconds of real time, that an event may take to come to rest. */
const REST_MS = 15 * 60_000;

/** Asks a service's controls, past the proxy and its faults. @param url of the service, when it is known */
function asking(url: () => string | undefined, request: Omit<LocalRequest, "method" | "body">): Ask {
  return async (method, path, body) => {
    const base = url();
    if (base === undefined) throw new UscPisError("aws_missing", "the local AWS has not started yet");
    const answer = await askLocal(`${base}${path}`, { ...request, method, body, timeoutMs: REST_MS });
    if (answer.status === 200) return answer.body;
    const what = `${method} ${path} was answered by ${answer.status}: ${JSON.stringify(answer.body)}`;
    throw new UscPisError("unexpected_answer", what);
  };
}

/** The emulators that run now: they may have been started again at another address. */
function emulators(paths: SandboxPaths, agent: HttpAgent): EventSource[] {
  const state = readState(paths);
  const { heroku, cloudinary } = state?.services ?? {};
  if (state === undefined) return [];
  const controls = (service: "heroku" | "cloudinary", url: string) =>
    asking(() => url, { folder: paths.aws, agent, authorization: controlAuthorization(state, service) });
  return [
    ...(heroku?.url === undefined ? [] : [herokuSource(controls("heroku", heroku.url))]),
    ...(cloudinary?.url === undefined ? [] : [webhookSource(controls("cloudinary", cloudinary.url))]),
  ];
}

/** Operations after which a region's alarms may be others. */
const CHANGES_ALARMS = /^(Put|Delete|Set|Enable|Disable).*Alarm/;
/** Services whose requests may leave metric data: what MiniStack counts of functions and topics, and what is put. */
const LEAVES_DATA = /^(monitoring|lambda|lambda-url|sns|sqs|scheduler|execute-api)$/;

/** Stops where an alarm would change by itself. That it does is seen to by the look that follows every event. */
function alarmSource(watch: AlarmWatch): EventSource {
  return {
    name: "alarms",
    next: (now, horizon) => watch.nextTransition(now, horizon),
    run: async () => undefined,
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
  const agents = { https: new Agent({ keepAlive: true }), http: new HttpAgent({ keepAlive: true }) };
  const credential = { folder: paths.aws, agent: agents.https, token: config.controlToken };
  const aws = asking(() => gateway.upstream(), credential);
  // Alarms and lifecycle begin with the local AWS: its address is told after this part has started.
  let own: { watch: AlarmWatch; runner: LifecycleRunner; lifecycle: EventSource } | undefined;
  const ours = () => {
    const endpoint = gateway.upstream();
    if (own !== undefined || endpoint === undefined) return own;
    const options = { regions: SCOPE.regions, client: { endpoint, credentials: ROOT_CREDENTIALS } };
    const watch = new AlarmWatch(options);
    const runner = new LifecycleRunner({ ...options, token: config.controlToken });
    own = { watch, runner, lifecycle: lifecycleSource(runner, new Date()) };
    return own;
  };
  gateway.events.on("ended", ({ service, region, operation }) => {
    if (service === "monitoring" && CHANGES_ALARMS.test(operation ?? "")) ours()?.watch.dirty(region, "alarms");
    else if (LEAVES_DATA.test(service ?? "")) ours()?.watch.dirty(region, "data");
  });
  const keeper = new TimeKeeper({
    file: paths.clock,
    sources: () => {
      const parts = ours();
      const last = parts === undefined ? [] : [parts.lifecycle, alarmSource(parts.watch)];
      return [schedulerSource(aws), ...emulators(paths, agents.http), ...last];
    },
    own: () => {
      const parts = ours();
      return parts === undefined ? [] : [parts.lifecycle];
    },
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
      own?.runner.close();
      agents.https.destroy();
      agents.http.destroy();
    },
  };
};
