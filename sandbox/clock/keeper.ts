/** Keeps the sandbox's time: lets it pass on request, one request at a time, and lets due things happen meanwhile. */
import { UscPisError } from "../../backup/errors";
import { advance, type EventSource } from "./advance";
import { readOffset, sandboxNow, writeOffset } from "./clock";

/** How often, in milliseconds of real time, what is due by itself is looked at while nobody moves the clock. */
const TICK_MS = 10_000;

export interface KeeperOptions {
  /** File of the clock. */
  file: string;
  /** What happens by the clock. Asked for anew for each advance: services may have been started again. */
  sources(): readonly EventSource[];
  /** Those of them that nobody else carries out in real time. */
  own(): readonly EventSource[];
  /** Resolves when nothing runs any more. */
  rest(): Promise<void>;
  /** Looks at what follows from what has happened: alarms. */
  look(now: Date): Promise<void>;
  log(line: string): void;
}

export interface Advancing {
  from: string;
  until: string;
  /** Events that have happened, by source. */
  events: Record<string, number>;
  status: "running" | "done" | "failed" | "stopped";
  error?: string;
}

export interface ClockStatus {
  now: string;
  /** Milliseconds that the sandbox is ahead of this machine. */
  aheadMs: number;
  /** The present or the last advance. */
  advance?: Advancing;
}

export class TimeKeeper {
  private current: Advancing | undefined;
  private stopping = new AbortController();
  private working: Promise<void> = Promise.resolve();
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly options: KeeperOptions) {
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.timer.unref();
  }

  status(): ClockStatus {
    const aheadMs = readOffset(this.options.file);
    return {
      now: this.now().toISOString(),
      aheadMs,
      ...(this.current === undefined ? {} : { advance: this.current }),
    };
  }

  /**
   * Begins to let time pass until then; `status` tells how far it is.
   * @throws UscPisError `clock_busy` while another advance runs, `clock_back` for a time that has passed
   */
  begin(until: Date): Advancing {
    if (this.current?.status === "running")
      throw new UscPisError("clock_busy", `the clock is being moved to ${this.current.until} already`);
    const from = this.now();
    if (until < from)
      throw new UscPisError(
        "clock_back",
        `the sandbox's clock never goes back: it is ${from.toISOString()}, asked for was ${until.toISOString()}`,
      );
    const job: Advancing = { from: from.toISOString(), until: until.toISOString(), events: {}, status: "running" };
    this.current = job;
    this.stopping = new AbortController();
    this.working = this.working.then(() => this.pass(until, job));
    return job;
  }

  /** Ends an advance where it is. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.working;
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.stop();
  }

  private now(): Date {
    // Not `new Date()`, which may follow the clock or not.
    return sandboxNow(this.options.file, performance.timeOrigin + performance.now());
  }

  private async pass(until: Date, job: Advancing): Promise<void> {
    const { sources, log, file } = this.options;
    const { signal } = this.stopping;
    const moveTo = (at: Date) => {
      const missing = at.getTime() - this.now().getTime();
      if (missing > 0) writeOffset(file, readOffset(file) + Math.ceil(missing));
    };
    const rest = async () => {
      await this.options.rest();
      await this.options.look(this.now());
    };
    try {
      await advance(until, { now: () => this.now(), moveTo }, sources(), rest, {
        signal,
        onStep: (_now, happened) => {
          for (const name of happened) job.events[name] = (job.events[name] ?? 0) + 1;
        },
      });
      job.status = "done";
    } catch (error) {
      job.status = signal.aborted ? "stopped" : "failed";
      job.error = error instanceof Error ? error.message : String(error);
      log(`the clock stopped at ${this.now().toISOString()}: ${job.error}`);
    }
  }

  /** In real time the services look after their own schedules; what is only ours is looked at here. */
  private tick(): void {
    if (this.current?.status === "running") return;
    this.working = this.working.then(async () => {
      try {
        const now = this.now();
        await this.options.look(now);
        for (const source of this.options.own()) {
          const at = await source.next(now, now);
          if (at !== undefined && at <= now) await source.run(now);
        }
      } catch (error) {
        this.options.log(`looking for what is due failed: ${error instanceof Error ? error.message : error}`);
      }
    });
  }
}
