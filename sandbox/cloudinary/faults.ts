/** The emulator's faults: the shared rules, with the switches of webhooks, and errors in Cloudinary's words. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Faults as Rules } from "../faults/engine";
import { carryOut, targetOf, type Voice } from "../faults/http";
import { CLOUDINARY_SWITCHES } from "../faults/switches";

/** Delivery says what is wrong in a header alone. */
const voice: Voice = ({ message }, { path }) => {
  const headers = { "x-cld-error": message.replace(/[^\x20-\x7e]/g, "?") };
  if (!path.startsWith("/v1_1/")) return { headers, body: "" };
  return {
    headers: { ...headers, "content-type": "application/json; charset=utf-8" },
    body: JSON.stringify({ error: { message } }),
  };
};

export class Faults extends Rules {
  constructor() {
    super({ switches: Object.values(CLOUDINARY_SWITCHES) });
  }

  /** Carries out the first rule that hits. True: the request has been dealt with. */
  async apply(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const target = targetOf("cloudinary", request);
    if (target.path.startsWith("/_control/")) return false;
    const rule = this.meet(target);
    return rule !== undefined && carryOut(rule, target, request, response, voice);
  }
}
