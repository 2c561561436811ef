import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import type { Failure } from "./check";
import { type DiffOutcome, topLevel } from "./diff";

const KINDS = {
  add: ["ADD", "ADD_REPLACE"],
  delete: ["DELETE", "DELETE_REPLACE"],
  update: ["UPDATE", "UPDATE_REPLACE"],
} as const;

/** Refused inputs as messages. */
export function checkFailures(list: Failure[]): rpc.CheckFailure[] {
  return list.map(({ property, reason }) => {
    const failure = new rpc.CheckFailure();
    failure.setProperty(property);
    failure.setReason(reason);
    return failure;
  });
}

/** A diff as a message. */
export function diffAnswer(outcome: DiffOutcome): rpc.DiffResponse {
  const answer = new rpc.DiffResponse();
  const { DIFF_NONE, DIFF_SOME } = rpc.DiffResponse.DiffChanges;
  answer.setChanges(outcome.changed ? DIFF_SOME : DIFF_NONE);
  answer.setReplacesList(outcome.replaces);
  answer.setDeletebeforereplace(outcome.deleteBeforeReplace);
  answer.setDiffsList([...new Set(outcome.detailed.map(({ path }) => topLevel(path)))]);
  answer.setHasdetaileddiff(true);
  for (const { path, kind, replace } of outcome.detailed) {
    const entry = new rpc.PropertyDiff();
    entry.setKind(rpc.PropertyDiff.Kind[KINDS[kind][replace ? 1 : 0]]);
    answer.getDetaileddiffMap().set(path, entry);
  }
  return answer;
}
