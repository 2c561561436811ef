/**
 * HTTP APIs are called without a signature, and their local host names, unlike AWS's, name no region. Their control plane
 * is signed: whoever makes or changes one tells where it is.
 */
import type { FaultTarget } from "../faults/engine";

/** A longer list would mean that something makes APIs without end. */
const MAX_APIS = 1000;

export class ApiRegions {
  private readonly regions = new Map<string, string>();

  /** Learns from a signed request, and fills in what an unsigned one leaves open. */
  complete<T extends FaultTarget>(target: T, host: string): T {
    const { service, region, path } = target;
    if (service === "apigateway" && region !== undefined) {
      const [, id] = /^\/v2\/apis\/([^/]+)/.exec(path) ?? [];
      if (id !== undefined && this.regions.size < MAX_APIS) this.regions.set(id, region);
      return target;
    }
    if (service !== "execute-api" || region !== undefined) return target;
    const known = this.regions.get(host.split(".")[0] ?? "");
    return known === undefined ? target : { ...target, region: known };
  }
}
