import type { Log } from "./capture-ports";
import type { RunRecord, RunStore } from "./run-record";
import { toError } from "./sides";

/** What a run says of itself while it works: its record in the table of runs, and the notes that go into it. */
export class RunJournal {
  readonly notes: string[] = [];
  private current: RunRecord | undefined;

  constructor(
    private readonly runs: Pick<RunStore, "put">,
    private readonly log: Log,
  ) {}

  /** As it was last written; undefined before the run has begun. */
  get record(): RunRecord | undefined {
    return this.current;
  }

  note(...notes: string[]): void {
    for (const note of notes) {
      this.notes.push(note);
      this.log.warn(note);
    }
  }

  async save(record: RunRecord): Promise<void> {
    this.current = record;
    await this.runs.put(record);
  }

  /** Nothing while there is no record. */
  async update(changes: Partial<RunRecord>): Promise<void> {
    if (this.current) await this.save({ ...this.current, ...changes, notes: this.notes });
  }

  /** For what must not turn a good run into a failure: that it failed is noted. */
  async quietly(what: string, act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.note(`${what} failed: ${toError(error).message}`);
    }
  }
}
