/** What other parts of this process are told about the requests that pass. */
import { EventEmitter } from "node:events";
import type { Recognised } from "./recognise";

export interface RequestEnded extends Recognised {
  method: string;
  path: string;
  /** Status of the answer; undefined when none came: cut, aborted, or no local AWS. */
  status?: number;
  /** Time from the request's head to the end of the answer. */
  milliseconds: number;
}

/**
 * `ended` is emitted once for each request to AWS, after the last byte of its answer. Listeners must not throw, nor work
 * long: the proxy waits for them.
 */
export class GatewayEvents extends EventEmitter<{ ended: [RequestEnded] }> {}
