/** The emulator's faults: the shared rules, with Heroku's own switches, and errors in Heroku's words. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Faults as Rules } from "../faults/engine";
import { carryOut, targetOf, type Voice } from "../faults/http";
import { HEROKU_SWITCHES } from "../faults/switches";

const voice: Voice = ({ code, message }) => ({
  headers: { "content-type": "application/json; charset=utf-8" },
  body: JSON.stringify({ id: code, message }),
});

export class Faults extends Rules {
  constructor() {
    super({ switches: Object.values(HEROKU_SWITCHES) });
  }

  /** Carries out the first rule that hits. True: the request has been dealt with. */
  async apply(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const target = targetOf("heroku", request);
    const rule = this.meet(target);
    return rule !== undefined && carryOut(rule, target, request, response, voice);
  }
}
