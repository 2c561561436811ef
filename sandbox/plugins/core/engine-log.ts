import * as grpc from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import type { Operation } from "./types";

const SEVERITY = {
  debug: LogSeverity.DEBUG,
  info: LogSeverity.INFO,
  warning: LogSeverity.WARNING,
  error: LogSeverity.ERROR,
} as const;

/** Sends messages to the engine, in order, and to standard error where there is no engine. */
export class EngineLog {
  readonly #client: EngineClient | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(address: string | undefined) {
    this.#client = address ? new EngineClient(address, grpc.credentials.createInsecure()) : undefined;
  }

  write(urn: string, ...[severity, message]: Parameters<Operation["log"]>): void {
    const client = this.#client;
    if (!client) {
      if (severity !== "debug") process.stderr.write(`${severity}: ${message}\n`);
      return;
    }
    const request = new LogRequest();
    request.setSeverity(SEVERITY[severity]);
    request.setMessage(message);
    request.setUrn(urn);
    this.#last = this.#last.then(() => new Promise<void>((done) => client.log(request, () => done())));
  }

  /** Resolves when all that was written has arrived, or could not. */
  flush(): Promise<void> {
    return this.#last;
  }
}
