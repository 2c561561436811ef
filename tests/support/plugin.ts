import * as grpc from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { EngineLog } from "../../sandbox/plugins/core/engine-log";
import { ProviderServer } from "../../sandbox/plugins/core/server";
import type { Provider } from "../../sandbox/plugins/core/types";
import { canonical, open, type Properties, type Secrets, seal } from "../../sandbox/plugins/core/values";

/** What a diff answered. */
export interface Diff {
  changed: boolean;
  replaces: string[];
  deleteBeforeReplace: boolean;
  paths: string[];
}

/** A resource as a stack would hold it. */
export interface Held {
  token: string;
  id: string;
  inputs: Properties;
  state: Properties;
}

const struct = (value: Properties, secrets?: Secrets) => Struct.fromJavaScript(seal(value, secrets));
const urn = (token: string) => `urn:pulumi:test::usc-pis::${token}::example`;

/** A provider served over gRPC as to the engine, with the requests of the engine as methods on plain values. */
export class PluginClient {
  readonly #client: ResourceProviderClient;
  /** What the plugin logged. */
  readonly logged: string[] = [];

  private constructor(
    port: number,
    readonly close: () => void,
  ) {
    this.#client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  }

  static async start<C>(provider: Provider<C>, config: Properties = {}, secrets?: Secrets): Promise<PluginClient> {
    const log = new EngineLog(undefined);
    const server = new ProviderServer(provider, "0.0.0", log);
    const client = new PluginClient(await server.listen(), () => {
      client.#client.close();
      server.close();
    });
    log.write = (_urn, severity, message) => void client.logged.push(`${severity}: ${message}`);
    const request = new rpc.ConfigureRequest();
    request.setArgs(struct(config, secrets));
    const refused = new rpc.CheckRequest();
    refused.setNews(struct(config, secrets));
    const checked = await client.#call<rpc.CheckResponse>("checkConfig", refused);
    const failure = checked.getFailuresList()[0];
    if (failure) {
      client.close();
      throw new Error(failure.getReason());
    }
    await client.#call("configure", request);
    return client;
  }

  #call<A>(method: string, request: any): Promise<A> {
    return new Promise((resolve, reject) => {
      (this.#client as any)[method](request, (error: grpc.ServiceError | null, answer: A) =>
        error ? reject(error) : resolve(answer),
      );
    });
  }

  async parameterize(name: string, version: string, value: string): Promise<string> {
    const parameters = new rpc.ParameterizeRequest.ParametersValue();
    parameters.setName(name);
    parameters.setVersion(version);
    parameters.setValue(Buffer.from(value));
    const request = new rpc.ParameterizeRequest();
    request.setValue(parameters);
    return (await this.#call<rpc.ParameterizeResponse>("parameterize", request)).getName();
  }

  async check(token: string, news: Properties, olds: Properties = {}, secrets?: Secrets) {
    const request = new rpc.CheckRequest();
    request.setUrn(urn(token));
    request.setName("example");
    request.setType(token);
    request.setOlds(struct(olds));
    request.setNews(struct(news, secrets));
    request.setRandomseed(Buffer.from("seed"));
    const answer = await this.#call<rpc.CheckResponse>("check", request);
    return {
      inputs: open(answer.getInputs()?.toJavaScript() ?? {}).value as Properties,
      failures: answer.getFailuresList().map((failure) => failure.getReason()),
    };
  }

  async diff({ token, id, inputs, state }: Held, news: Properties, ignored: string[] = []): Promise<Diff> {
    const request = new rpc.DiffRequest();
    request.setUrn(urn(token));
    request.setType(token);
    request.setId(id);
    request.setOldInputs(struct(inputs));
    request.setOlds(struct(state));
    request.setNews(struct(news));
    request.setIgnorechangesList(ignored);
    const answer = await this.#call<rpc.DiffResponse>("diff", request);
    return {
      changed: answer.getChanges() === rpc.DiffResponse.DiffChanges.DIFF_SOME,
      replaces: answer.getReplacesList(),
      deleteBeforeReplace: answer.getDeletebeforereplace(),
      paths: answer
        .getDetaileddiffMap()
        .getEntryList()
        .map(([path]) => path),
    };
  }

  /** @returns id, values and where the secrets are */
  async create(token: string, inputs: Properties, options: { preview?: boolean; secrets?: Secrets } = {}) {
    const request = new rpc.CreateRequest();
    request.setUrn(urn(token));
    request.setType(token);
    request.setProperties(struct(inputs, options.secrets));
    request.setPreview(options.preview ?? false);
    const answer = await this.#call<rpc.CreateResponse>("create", request);
    const { value, secrets } = open(answer.getProperties()?.toJavaScript() ?? {});
    return { id: answer.getId(), state: value as Properties, secrets };
  }

  async update(held: Held, news: Properties, options: { preview?: boolean; secrets?: Secrets } = {}) {
    const request = new rpc.UpdateRequest();
    request.setUrn(urn(held.token));
    request.setType(held.token);
    request.setId(held.id);
    request.setOldInputs(struct(held.inputs));
    request.setOlds(struct(held.state));
    request.setNews(struct(news, options.secrets));
    request.setPreview(options.preview ?? false);
    const answer = await this.#call<rpc.UpdateResponse>("update", request);
    return open(answer.getProperties()?.toJavaScript() ?? {}).value as Properties;
  }

  /** @returns nothing if the resource is gone */
  async read(held: Pick<Held, "token" | "id"> & Partial<Held>, secrets?: Secrets): Promise<Held | undefined> {
    const request = new rpc.ReadRequest();
    request.setUrn(urn(held.token));
    request.setType(held.token);
    request.setId(held.id);
    request.setProperties(struct(held.state ?? {}, secrets));
    request.setInputs(struct(held.inputs ?? {}, secrets));
    const answer = await this.#call<rpc.ReadResponse>("read", request);
    if (answer.getId() === "") return undefined;
    return {
      token: held.token,
      id: answer.getId(),
      state: open(answer.getProperties()?.toJavaScript() ?? {}).value,
      inputs: open(answer.getInputs()?.toJavaScript() ?? {}).value,
    };
  }

  async delete({ token, id, state, inputs }: Held): Promise<void> {
    const request = new rpc.DeleteRequest();
    request.setUrn(urn(token));
    request.setType(token);
    request.setId(id);
    request.setProperties(struct(state));
    request.setOldInputs(struct(inputs));
    await this.#call("delete", request);
  }

  async invoke(token: string, args: Properties = {}): Promise<Properties> {
    const request = new rpc.InvokeRequest();
    request.setTok(token);
    request.setArgs(struct(args));
    const answer = await this.#call<rpc.InvokeResponse>("invoke", request);
    return answer.getReturn()?.toJavaScript() ?? {};
  }

  async cancel(): Promise<void> {
    await this.#call("cancel", new Empty());
  }

  /** Check and create, as one `up` does. @throws Error with the first refusal */
  async make(token: string, given: Properties): Promise<Held> {
    const { inputs, failures } = await this.check(token, given);
    if (failures.length > 0) throw new Error(failures.join("; "));
    const { id, state } = await this.create(token, inputs);
    return { token, id, inputs, state };
  }

  /** Check, diff and, if need be, update, as one `up` does. @returns what is held then, and the diff */
  async apply(held: Held, given: Properties): Promise<{ held: Held; diff: Diff }> {
    const { inputs, failures } = await this.check(held.token, given, held.inputs);
    if (failures.length > 0) throw new Error(failures.join("; "));
    const diff = await this.diff(held, inputs);
    if (!diff.changed) return { held, diff };
    if (diff.replaces.length > 0) throw new Error(`would be replaced: ${diff.replaces.join(", ")}`);
    return { held: { ...held, inputs, state: await this.update(held, inputs) }, diff };
  }
}

/** Equal in content, whatever the order of members. */
export const sameContent = (one: unknown, other: unknown): boolean => canonical(one) === canonical(other);
