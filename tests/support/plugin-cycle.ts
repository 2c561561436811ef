import { expect } from "chai";
import { type Properties, UNKNOWN } from "../../sandbox/plugins/core/values";
import type { Held, PluginClient } from "./plugin";

/** The life of one resource, as a program and a person would lead it. */
export interface Life {
  token: string;
  inputs: Properties;
  /** Inputs that are changed in place. */
  change?: Properties;
  /** Inputs whose change replaces it. */
  replace?: Properties;
  /** Outputs that a preview can't know. */
  unknown?: string[];
  /** Changes the real thing behind the program's back; names the paths that the next preview must show. */
  drift?: { by: (held: Held) => Promise<unknown>; shows: string[] };
  /** Removes the real thing behind the program's back; left out where nothing can be missing. */
  lose?: (held: Held) => Promise<unknown>;
  /** False if reading after the deletion still finds something, as with settings that fall back to a default. */
  endsWithDelete?: boolean;
}

/** Refresh must find nothing when nothing has happened, and so must the next preview. */
async function expectSettled(plugin: PluginClient, held: Held, given: Properties): Promise<void> {
  const live = await plugin.read(held);
  expect(live?.id, "refresh loses the resource").to.equal(held.id);
  expect(live?.state, "refresh changes the state").to.deep.equal(held.state);
  expect(live?.inputs, "refresh changes the inputs").to.deep.equal(held.inputs);
  const { inputs } = await plugin.check(held.token, given, held.inputs);
  const diff = await plugin.diff(held, inputs);
  expect(diff.paths, "a second up changes something").to.deep.equal([]);
  expect(diff.changed).to.equal(false);
}

/** Leads the life and looks at each station: preview, create, no change, refusal, update, replace, drift, loss, delete. */
export async function live(plugin: PluginClient, life: Life): Promise<void> {
  const { token, inputs: given } = life;
  const checked = await plugin.check(token, given);
  expect(checked.failures).to.deep.equal([]);
  const refused = await plugin.check(token, { ...given, somethingNew: "x" });
  expect(refused.failures[0]).to.contain(token).and.to.contain("somethingNew");

  const planned = await plugin.create(token, checked.inputs, { preview: true });
  expect(planned.id).to.equal("");
  for (const name of life.unknown ?? []) expect(planned.state[name], `${name} in the preview`).to.equal(UNKNOWN);

  let held = await plugin.make(token, given);
  expect(held.id).not.to.equal("");
  for (const name of life.unknown ?? []) expect(held.state[name], name).not.to.be.oneOf([undefined, UNKNOWN]);
  await expectSettled(plugin, held, given);

  if (life.change) {
    const news = { ...given, ...life.change };
    const { inputs } = await plugin.check(token, news, held.inputs);
    await plugin.update(held, inputs, { preview: true });
    const unchanged = await plugin.read(held);
    expect(unchanged?.state, "a preview of an update changes something").to.deep.equal(held.state);
    const applied = await plugin.apply(held, news);
    expect(applied.diff.changed, "the change is not seen").to.equal(true);
    held = applied.held;
    await expectSettled(plugin, held, news);
    held = (await plugin.apply(held, given)).held;
    await expectSettled(plugin, held, given);
  }
  for (const [name, value] of Object.entries(life.replace ?? {})) {
    const { inputs } = await plugin.check(token, { ...given, [name]: value }, held.inputs);
    expect((await plugin.diff(held, inputs)).replaces, `${name} does not replace`).to.contain(name);
  }
  if (life.drift) {
    await life.drift.by(held);
    const drifted = await plugin.read(held);
    if (!drifted) throw new Error("the drift has removed the resource");
    const { inputs } = await plugin.check(token, given, drifted.inputs);
    const diff = await plugin.diff(drifted, inputs);
    for (const path of life.drift.shows) expect(diff.paths, "the drift is not seen").to.include(path);
    held = (await plugin.apply(drifted, given)).held;
    await expectSettled(plugin, held, given);
  }
  if (life.lose) {
    await life.lose(held);
    expect(await plugin.read(held), "the loss is not seen").to.equal(undefined);
    await plugin.delete(held);
    held = await plugin.make(token, given);
  }
  await plugin.delete(held);
  if (life.endsWithDelete !== false) expect(await plugin.read(held), "it is still there").to.equal(undefined);
}
