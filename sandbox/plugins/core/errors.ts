import * as grpc from "@grpc/grpc-js";
import { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import type { Properties } from "./values";

/** The words of an error, with the service's own code where it has one. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const generic = error.name === "Error" || error.name === "TypeError" || error.message.startsWith(error.name);
  return generic ? error.message : `${error.name}: ${error.message}`;
}

/** An error of an operation as gRPC carries it. */
export function failed(error: unknown): Partial<grpc.StatusObject> {
  return { code: grpc.status.UNKNOWN, details: describe(error) };
}

/**
 * The resource exists but is not as wanted: the engine keeps it in the state and tries again with an update. gRPC has
 * no type for this in Node, so the details go into its own metadata field as bytes.
 */
export function partlyDone(error: unknown, id: string, state: Properties) {
  const detail = new ErrorResourceInitFailed();
  detail.setId(id);
  detail.setProperties(Struct.fromJavaScript(state));
  detail.setReasonsList([describe(error)]);
  const any = new Any();
  any.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new Status();
  status.setCode(grpc.status.UNKNOWN);
  status.setMessage(describe(error));
  status.addDetails(any);
  const metadata = new grpc.Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return { code: grpc.status.UNKNOWN, details: describe(error), metadata };
}
