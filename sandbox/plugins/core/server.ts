import * as grpc from "@grpc/grpc-js";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import type { EngineLog } from "./engine-log";
import { failed, partlyDone } from "./errors";
import { Host, type Marked, PartlyDone } from "./host";
import type { Operation, Provider } from "./types";
import { canonical, open, type Properties, seal } from "./values";
import { checkFailures, diffAnswer } from "./wire";

const marked = (struct: Struct | undefined): Marked => open(struct?.toJavaScript() ?? {}) as Marked;
const plain = (struct: Struct | undefined): Properties => marked(struct).value;
const struct = ({ value, secrets }: Marked): Struct => Struct.fromJavaScript(seal(value, secrets));
const tokenOf = (request: { getUrn(): string; getType(): string }) =>
  request.getType() || (request.getUrn().split("::")[2]?.split("$").pop() ?? "");

/** Serves one provider on a free port of the loopback interface. */
export class ProviderServer<C> {
  readonly #host: Host<C>;
  readonly #abort = new AbortController();
  #running = 0;
  readonly #server = new grpc.Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });

  constructor(
    readonly provider: Provider<C>,
    readonly version: string,
    private readonly engineLog: EngineLog,
  ) {
    this.#host = new Host(provider);
    this.#server.addService(ResourceProviderService, this.#handlers());
  }

  /** @returns the port */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
  }

  /** Breaks off whatever runs. */
  cancel(): void {
    this.#abort.abort(new Error("cancelled by the engine"));
  }

  /** True if no request is being worked on. */
  idle(): boolean {
    return this.#running === 0;
  }

  close(): void {
    this.cancel();
    this.#server.forceShutdown();
  }

  #operation(request: { getUrn(): string }) {
    const urn = request.getUrn();
    return {
      urn,
      signal: this.#abort.signal,
      log: (...entry: Parameters<Operation["log"]>) => this.engineLog.write(urn, ...entry),
    };
  }

  #handlers(): grpc.UntypedServiceImplementation {
    const unary = <Q, A>(handle: (request: Q) => Promise<A> | A): grpc.handleUnaryCall<Q, A> => {
      return async (call, callback) => {
        this.#running++;
        try {
          const answer = await handle(call.request);
          await this.engineLog.flush();
          callback(null, answer);
        } catch (error) {
          await this.engineLog.flush();
          if (error instanceof PartlyDone) {
            const state = seal(error.state.value, error.state.secrets);
            callback(partlyDone(error.reason, error.id, state));
          } else callback(failed(error));
        } finally {
          this.#running--;
        }
      };
    };
    const unimplemented = (name: string) =>
      unary(() => {
        throw new Error(`${name} is not carried out by this stand-in`);
      });
    return {
      handshake: unary(() => {
        const answer = new rpc.ProviderHandshakeResponse();
        answer.setAcceptSecrets(true);
        answer.setAcceptResources(false);
        answer.setAcceptOutputs(false);
        answer.setSupportsAutonamingConfiguration(true);
        return answer;
      }),
      parameterize: unary((request: rpc.ParameterizeRequest) => {
        const value = request.getValue();
        if (!value || !this.provider.parameterize) throw new Error("this stand-in takes a value of parameters only");
        this.provider.parameterize(value.getName(), value.getVersion(), Buffer.from(value.getValue_asU8()).toString());
        const answer = new rpc.ParameterizeResponse();
        answer.setName(value.getName());
        answer.setVersion(value.getVersion());
        return answer;
      }),
      getSchema: unary(() => {
        const answer = new rpc.GetSchemaResponse();
        answer.setSchema(JSON.stringify({ name: this.provider.name, version: this.version }));
        return answer;
      }),
      checkConfig: unary((request: rpc.CheckRequest) => {
        const news = marked(request.getNews());
        const answer = new rpc.CheckResponse();
        answer.setInputs(struct(news));
        answer.setFailuresList(checkFailures(this.#host.refusedConfig(news.value)));
        return answer;
      }),
      diffConfig: unary((request: rpc.DiffRequest) => {
        const same =
          canonical(plain(request.getOldInputs() ?? request.getOlds())) === canonical(plain(request.getNews()));
        const answer = new rpc.DiffResponse();
        answer.setChanges(same ? rpc.DiffResponse.DiffChanges.DIFF_NONE : rpc.DiffResponse.DiffChanges.DIFF_SOME);
        return answer;
      }),
      configure: unary((request: rpc.ConfigureRequest) => {
        this.#host.configure(plain(request.getArgs()));
        const answer = new rpc.ConfigureResponse();
        answer.setAcceptsecrets(true);
        answer.setSupportspreview(true);
        answer.setSupportsAutonamingConfiguration(true);
        return answer;
      }),
      invoke: unary(async (request: rpc.InvokeRequest) => {
        const operation = this.#operation({ getUrn: () => "" });
        const value = await this.#host.invoke(request.getTok(), plain(request.getArgs()), operation);
        const answer = new rpc.InvokeResponse();
        answer.setReturn(struct({ value, secrets: undefined }));
        return answer;
      }),
      check: unary((request: rpc.CheckRequest) => {
        const { inputs, failures: refused } = this.#host.check(
          tokenOf(request),
          marked(request.getOlds()),
          marked(request.getNews()),
          {
            logicalName: request.getName() || (request.getUrn().split("::").pop() ?? ""),
            seed: request.getRandomseed_asU8(),
            proposed: request.getAutonaming()?.getProposedName(),
          },
        );
        const answer = new rpc.CheckResponse();
        answer.setInputs(struct(inputs));
        answer.setFailuresList(checkFailures(refused));
        return answer;
      }),
      diff: unary(async (request: rpc.DiffRequest) => {
        const outcome = await this.#host.diff(
          tokenOf(request),
          plain(request.getOlds()),
          plain(request.getNews()),
          request.getIgnorechangesList(),
          this.#operation(request),
        );
        return diffAnswer(outcome);
      }),
      create: unary(async (request: rpc.CreateRequest) => {
        const inputs = marked(request.getProperties());
        const made = await this.#host.create(tokenOf(request), inputs, request.getPreview(), this.#operation(request));
        const answer = new rpc.CreateResponse();
        answer.setId(made.id);
        answer.setProperties(struct(made.state));
        return answer;
      }),
      read: unary(async (request: rpc.ReadRequest) => {
        const inputs = request.hasInputs() ? marked(request.getInputs()) : undefined;
        const state = marked(request.getProperties());
        const found = await this.#host.read(tokenOf(request), request.getId(), state, inputs, this.#operation(request));
        const answer = new rpc.ReadResponse();
        if (found) {
          answer.setId(found.id);
          answer.setProperties(struct(found.state));
          answer.setInputs(struct(found.inputs));
        }
        return answer;
      }),
      update: unary(async (request: rpc.UpdateRequest) => {
        const state = await this.#host.update(
          tokenOf(request),
          request.getId(),
          marked(request.getOlds()),
          marked(request.getNews()),
          { preview: request.getPreview(), ignored: request.getIgnorechangesList() },
          this.#operation(request),
        );
        const answer = new rpc.UpdateResponse();
        answer.setProperties(struct(state));
        return answer;
      }),
      delete: unary(async (request: rpc.DeleteRequest) => {
        const state = plain(request.getProperties());
        await this.#host.delete(tokenOf(request), request.getId(), state, this.#operation(request));
        return new Empty();
      }),
      cancel: unary(() => {
        this.cancel();
        return new Empty();
      }),
      getPluginInfo: unary(() => {
        const answer = new PluginInfo();
        answer.setVersion(this.version);
        return answer;
      }),
      attach: unary(() => new Empty()),
      getMapping: unary(() => new rpc.GetMappingResponse()),
      getMappings: unary(() => new rpc.GetMappingsResponse()),
      call: unimplemented("call"),
      construct: unimplemented("construct"),
      list: unimplemented("list"),
    };
  }
}
