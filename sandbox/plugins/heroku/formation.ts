import type { Operation } from "../core/types";
import type { Properties } from "../core/values";
import { bridged } from "./bridge";
import type { HerokuClient } from "./client";
import { appId, importHalves, requireUuid } from "./shared";

async function readFormation(id: string, app: string, heroku: HerokuClient, operation: Operation) {
  const live: Properties = await heroku.call(operation, "GET", `/apps/${app}/formation/${id}`);
  return { formationId: id, appId: live.app.id, type: live.type, quantity: live.quantity, size: live.size };
}

export const formation = bridged(1, {
  token: "heroku:index/formation:Formation",
  inputs: {
    appId,
    type: { required: true },
    quantity: { required: true },
    // The API answers `Basic` for `basic`.
    size: { required: true, compare: "caseless" },
  },
  outputs: { formationId: {} },
  check: requireUuid,
  async create({ appId: app, type, quantity, size }, heroku, operation) {
    await heroku.call(operation, "GET", `/apps/${app}`);
    // A quantity of zero is taken for none: what Heroku has stays, and the next preview shows it if it is another.
    const wanted = { dyno_size: size ? { name: size } : undefined, quantity: quantity || undefined };
    const { id } = await heroku.call(operation, "PATCH", `/apps/${app}/formation/${type}`, wanted);
    return { id, state: await readFormation(id, app, heroku, operation) };
  },
  async read(id, state, heroku, operation) {
    return readFormation(state.formationId ?? id, state.appId, heroku, operation);
  },
  async update({ planned, changed, client: heroku, ...operation }) {
    await heroku.call(operation, "GET", `/apps/${planned.appId}`);
    const { id } = await heroku.call(operation, "PATCH", `/apps/${planned.appId}/formation/${planned.type}`, {
      dyno_size: changed.has("size") ? { name: planned.size } : undefined,
      quantity: changed.has("quantity") ? planned.quantity : undefined,
    });
    return readFormation(id, planned.appId, heroku, operation);
  },
  async delete() {
    // A process type can't be deleted, and the provider leaves its dynos running.
  },
  async importId(given, heroku, operation) {
    const { app, rest: type } = importHalves(given);
    const live = await heroku.call(operation, "GET", `/apps/${app}/formation/${type}`);
    return { id: live.id, state: { appId: live.app.id } };
  },
});
