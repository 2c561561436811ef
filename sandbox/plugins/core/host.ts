import { checkInputs, type Failure, type Naming, withDefaults } from "./check";
import { type DiffOutcome, diffOf, topLevel } from "./diff";
import { inputsFromState, overlay, plannedState, stateSecrets, updatedState } from "./state";
import type { Operation, Provider, ResourceType } from "./types";
import { type Properties, type Secrets, UNKNOWN } from "./values";

/** Plain values and where their secrets lie. */
export interface Marked {
  value: Properties;
  secrets: Secrets;
}

/** The resource exists although the operation failed. */
export class PartlyDone extends Error {
  constructor(
    readonly reason: unknown,
    readonly id: string,
    readonly state: Marked,
  ) {
    super(reason instanceof Error ? reason.message : String(reason));
  }
}

/** A provider's logic without the wire: what each request of the engine does, from the tables of its types. */
export class Host<C> {
  #client: C | undefined;
  readonly #types: Map<string, ResourceType<C>>;

  constructor(readonly provider: Provider<C>) {
    this.#types = new Map(provider.resources.map((type) => [type.token, type]));
  }

  /** Keys of the configuration that no stand-in carries out. */
  refusedConfig(given: Properties): Failure[] {
    const known = Object.keys(this.provider.config);
    return Object.keys(given)
      .filter((key) => !known.includes(key) && !["version", "pluginDownloadURL"].includes(key) && !key.startsWith("__"))
      .map((property) => ({
        property,
        reason: `provider ${this.provider.name}: configuration ${property} is not carried out by this stand-in (it knows ${known.join(", ")})`,
      }));
  }

  configure(given: Properties): void {
    const config: { [name: string]: string } = {};
    for (const [name, value] of Object.entries(given)) {
      if (this.provider.config[name] && !this.provider.config[name].ignored && value !== UNKNOWN && value !== "") {
        config[name] = typeof value === "string" ? value : JSON.stringify(value);
      }
    }
    this.#client = this.provider.configure(config);
  }

  get client(): C {
    if (this.#client === undefined) throw new Error(`provider ${this.provider.name} has not been configured`);
    return this.#client;
  }

  type(token: string): ResourceType<C> {
    const type = this.#types.get(token);
    if (!type) {
      const known = [...this.#types.keys()].join(", ");
      throw new Error(`resource type ${token} is not carried out by this stand-in (it knows ${known})`);
    }
    return type;
  }

  check(token: string, olds: Marked, news: Marked, naming: Naming): { inputs: Marked; failures: Failure[] } {
    const type = this.type(token);
    const framework = this.provider.frameworkBridge;
    const { inputs, failures } = checkInputs(type, olds.value, news.value, this.client, naming, framework);
    return { inputs: { value: inputs, secrets: inputSecrets(type, news.secrets) }, failures };
  }

  /** The inputs as the resource type is to see them. */
  #full(type: ResourceType<C>, inputs: Properties): Properties {
    return this.provider.frameworkBridge ? withDefaults(type, inputs, this.client) : inputs;
  }

  async diff(
    token: string,
    olds: Properties,
    given: Properties,
    ignored: string[],
    operation: Omit<Operation, "created">,
  ): Promise<DiffOutcome> {
    const type = this.type(token);
    const news = this.#full(type, given);
    await type.plan?.(news, olds, this.client, { ...operation, created() {} });
    return diffOf(type, olds, news, {
      ignored,
      createsFirst: this.provider.frameworkBridge === true,
      extra: (await type.extraDiff?.(olds, news, this.client)) ?? [],
    });
  }

  async create(
    token: string,
    inputs: Marked,
    preview: boolean,
    operation: Omit<Operation, "created">,
  ): Promise<{ id: string; state: Marked }> {
    const type = this.type(token);
    const sealable = (value: Properties) => ({ value, secrets: stateSecrets(type, inputs.secrets) });
    const given = this.#full(type, inputs.value);
    await type.plan?.(given, undefined, this.client, { ...operation, created() {} });
    if (preview) return { id: "", state: sealable(plannedState(type, given)) };
    let id: string | undefined;
    const noted: Operation = {
      ...operation,
      created(known) {
        id = known;
      },
    };
    let state = overlay(type, given, {});
    try {
      const made = await type.create(given, this.client, noted);
      id = made.id;
      state = overlay(type, state, made.state ?? {});
      if (type.read && !type.stateFromCreate) {
        const live = await type.read(id, state, this.client, noted);
        if (!live) throw new Error(`${token} ${id} was created but could not be found afterwards`);
        state = overlay(type, state, live);
      }
      if (type.meta) state.__meta = type.meta(false);
      return { id, state: sealable(state) };
    } catch (error) {
      const leavesNothing = id === undefined || this.provider.frameworkBridge;
      throw leavesNothing ? error : new PartlyDone(error, id ?? "", sealable(state));
    }
  }

  async update(
    token: string,
    id: string,
    olds: Marked,
    news: Marked,
    options: { preview: boolean; ignored: string[] },
    operation: Omit<Operation, "created">,
  ): Promise<Marked> {
    const type = this.type(token);
    const { detailed } = await this.diff(token, olds.value, news.value, options.ignored, operation);
    const changed = new Set(detailed.map(({ path }) => topLevel(path)));
    const given = this.#full(type, news.value);
    let state = updatedState(type, olds.value, given, changed);
    const planned = { ...state };
    const sealable = (value: Properties) => ({ value, secrets: stateSecrets(type, news.secrets) });
    if (options.preview) return sealable(state);
    if (!type.update) throw new Error(`${token} can't be updated: ${[...changed].join(", ")}`);
    for (const name of type.volatile?.(changed) ?? []) state[name] = olds.value[name];
    const noted: Operation = { ...operation, created() {} };
    try {
      const change = { id, news: { ...given }, olds: olds.value, planned, changed, client: this.client };
      const made = await type.update({ ...noted, ...change });
      state = overlay(type, state, made ?? {});
      if (type.read && !type.stateFromCreate) {
        const live = await type.read(id, state, this.client, noted);
        if (!live) throw new Error(`${token} ${id} is gone after its update`);
        state = overlay(type, state, live);
      }
      if (type.meta) state.__meta = type.meta(false);
      return sealable(state);
    } catch (error) {
      if (this.provider.frameworkBridge) throw error;
      throw new PartlyDone(error, id, { value: olds.value, secrets: stateSecrets(type, olds.secrets, news.secrets) });
    }
  }

  async read(
    token: string,
    id: string,
    state: Marked,
    inputs: Marked | undefined,
    operation: Omit<Operation, "created">,
  ): Promise<{ id: string; state: Marked; inputs: Marked } | undefined> {
    const type = this.type(token);
    const oldInputs = inputs && Object.keys(inputs.value).length > 0 ? inputs.value : undefined;
    if (!type.read) {
      // Nothing can be read: what the state says stays, as with the real provider.
      return { id, state, inputs: inputs ?? { value: {}, secrets: undefined } };
    }
    let known = { id, state: state.value };
    const importing = Object.keys(state.value).length === 0;
    const noted: Operation = { ...operation, created() {} };
    if (importing && type.importId) known = await type.importId(id, this.client, noted);
    let live: Properties | undefined;
    try {
      live = await type.read(known.id, known.state, this.client, noted);
    } catch (error) {
      if (!this.provider.isGone?.(error)) throw error;
    }
    if (!live) return undefined;
    // An import by name learns the real id; it is no property of the resource.
    const { id: realId, ...properties } = live;
    const after = overlay(type, known.state, properties);
    if (importing && !this.provider.frameworkBridge) fillDefaults(type, after);
    if (type.meta) after.__meta = known.state.__meta ?? type.meta(importing);
    return {
      id: typeof realId === "string" ? realId : known.id,
      state: { value: after, secrets: stateSecrets(type, state.secrets, inputs?.secrets) },
      inputs: {
        value: inputsFromState(type, oldInputs, after, this.client),
        secrets: inputSecrets(type, inputs?.secrets),
      },
    };
  }

  async delete(token: string, id: string, state: Properties, operation: Omit<Operation, "created">): Promise<void> {
    try {
      await this.type(token).delete(id, state, this.client, { ...operation, created() {} });
    } catch (error) {
      if (!this.provider.isGone?.(error)) throw error;
    }
  }

  async invoke(token: string, args: Properties, operation: Omit<Operation, "created">): Promise<Properties> {
    const invoke = this.provider.invokes?.[token];
    if (!invoke) throw new Error(`function ${token} is not carried out by this stand-in`);
    return invoke(args, this.client, { ...operation, created() {} });
  }
}

/** What only the state holds (such as forceDestroy) starts at its default when a resource is imported. */
function fillDefaults<C>(type: ResourceType<C>, state: Properties): void {
  for (const [name, input] of Object.entries(type.inputs)) {
    if (input.default !== undefined && typeof input.default !== "function") state[name] ??= input.default;
  }
}

function inputSecrets<C>(type: ResourceType<C>, given: Secrets): Secrets {
  const marks: { [name: string]: Secrets } = given && given !== true ? { ...given } : {};
  for (const [name, input] of Object.entries(type.inputs)) if (input.secret) marks[name] = true;
  return marks;
}
