import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Hands requests on to another server of this machine, unchanged, and notes them. */
export class RecordingProxy {
  readonly lines: string[] = [];
  #server: Server | undefined;
  url = "";

  async start(target: string): Promise<void> {
    const { hostname, port } = new URL(target);
    this.#server = createServer((incoming, outgoing) => {
      const { method, url: path, headers } = incoming;
      this.lines.push(`${method} ${path}`);
      const onward = request({ hostname, port, method, path, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      onward.on("error", (error) => outgoing.destroy(error));
      incoming.pipe(onward);
    });
    await new Promise<void>((done) => this.#server?.listen(0, "127.0.0.1", done));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The lines since the last call of this. */
  take(): string[] {
    return this.lines.splice(0);
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((done) => this.#server?.close(done));
  }
}
