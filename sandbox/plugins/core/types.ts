import type { Properties, Value } from "./values";

/** One input of a resource type. What is not listed is refused. */
export interface Input {
  required?: boolean;
  /** A change replaces the resource. */
  replace?: boolean;
  /** The service fills it in when it is absent: its absence is no difference. */
  computed?: boolean;
  secret?: boolean;
  /** What an absent value means; from the provider's schema. */
  default?: Value | ((client: Value) => Value);
  /** Physical name made of the logical one and 7 hex digits, like the bridge does, when it is absent. */
  autoname?: { prefix?: string; max: number };
  /** How two values are compared when being the same JSON is not what counts. */
  compare?: "json" | "policy" | "set" | "caseless" | ((one: string, other: string) => boolean);
  values?: readonly (string | number | boolean)[];
  /** Members of an object, or of each object of a list. */
  fields?: Inputs;
}
export type Inputs = { [name: string]: Input };

/** One operation's surroundings. */
export interface Operation {
  urn: string;
  /** Aborted when the engine cancels. */
  signal: AbortSignal;
  /** Shown by the engine beside the resource. */
  log(severity: "debug" | "info" | "warning" | "error", message: string): void;
  /** Says that the resource exists from here on: a failure after this keeps it in the state. */
  created(id: string): void;
}

export interface Change<C> extends Operation {
  id: string;
  news: Properties;
  olds: Properties;
  /** Names of the inputs that differ. */
  changed: Set<string>;
  /** What the state will be if all goes well: `news`, and for what it leaves to the service, the values of `olds`. */
  planned: Properties;
  client: C;
}

/**
 * One resource type. `read` answers every property that it can see, `undefined` for one that is gone, and nothing at
 * all for a resource that is gone; what it does not name stays as it was.
 */
export interface ResourceType<C> {
  token: string;
  inputs: Inputs;
  outputs: { [name: string]: { secret?: boolean } };
  /** More to refuse, known values only. */
  check?(inputs: Properties): { property: string; reason: string }[];
  create(inputs: Properties, client: C, operation: Operation): Promise<{ id: string; state?: Properties }>;
  read?(id: string, state: Properties, client: C, operation: Operation): Promise<Properties | undefined>;
  update?(change: Change<C>): Promise<Properties | undefined>;
  delete(id: string, state: Properties, client: C, operation: Operation): Promise<void>;
  /** True if a create or update must not be followed by a read. */
  stateFromCreate?: boolean;
  /** Inputs that replace only in some cases. */
  replaceWhen?(olds: Properties, news: Properties, changed: Set<string>): string[];
  /** A difference that no input shows, such as the content behind a path. */
  extraDiff?(olds: Properties, news: Properties, client: C): Promise<string[]>;
  /** Questions that planning asks: before each diff, creation and update, in previews too. No `olds`: a creation. */
  plan?(news: Properties, olds: Properties | undefined, client: C, operation: Operation): Promise<void>;
  deleteBeforeReplace?: boolean;
  /** Outputs that an update may change, hence unknown in its preview. */
  volatile?(changed: Set<string>): string[];
  /** Every output is secret as soon as one input is. */
  secretsSpread?: boolean;
  /** The id that state knows for the one that a person gives to import, and what the importer itself learns. */
  importId?(id: string, client: C, operation: Operation): Promise<{ id: string; state: Properties }>;
  /** State is what `read` and `create` answer, empty strings, lists and maps included, and in the service's own form. */
  verbatim?: boolean;
  /** Text that the state carries as `__meta`, for the bridge's own use. */
  meta?(imported: boolean): string;
}

/** A provider: what it is configured with and what it serves. */
export interface Provider<C> {
  name: string;
  config: { [name: string]: { ignored?: true } };
  configure(config: { [name: string]: string }): C;
  resources: ResourceType<C>[];
  invokes?: { [token: string]: (args: Properties, client: C, operation: Operation) => Promise<Properties> };
  /** Takes the value of a parameterized package. @throws Error if it is for another package */
  parameterize?(name: string, version: string, value: string): void;
  /** An error that means that the thing is not there. */
  isGone?(error: unknown): boolean;
  /**
   * True for what Pulumi serves by its bridge for Terraform's plugin protocol 6, which differs from the older bridge:
   * inputs hold neither `__defaults` nor Terraform's own defaults; a name that was once there stays until the program
   * gives another; an operation that fails leaves the state as it was, so that a creation which fails halfway leaves an
   * orphan; and a replacement creates first, even under a name that can exist only once.
   */
  frameworkBridge?: boolean;
}
