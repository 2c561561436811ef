/** What holds data can't be destroyed by a slip, except on a stack that says it is there to be destroyed (C3). */
import type { Checked, ResourceRule } from "./model";
import { peek } from "./peek";
import { ADDON, APP, BUCKET, KEY, TABLE } from "./types";

/** Whether losing the resource is losing data. An app takes its add-ons with it; Redis holds nothing that lasts. */
function holdsData(resource: Checked): boolean {
  if (resource.type !== ADDON) return true;
  const plan = peek(resource.props, "plan");
  // A plan that is not known yet may be a database's.
  return typeof plan !== "string" || plan.startsWith("heroku-postgresql");
}

export const protectedData: ResourceRule = {
  name: "data-are-protected",
  description: "Buckets, keys, tables, the app and its database are protected from deletion.",
  remediation: "Leave protect on; a stack for drills or staging carries the tag usc-pis:rehearsal=true instead",
  severity: "critical",
  requirement: "C3",
  types: [BUCKET, KEY, TABLE, APP, ADDON],
  check: (resource, { rehearsal }) => {
    if (rehearsal || resource.opts.protect || !holdsData(resource)) return undefined;
    return `${resource.name} holds data and is not protected`;
  },
};

export const noForcedDestruction: ResourceRule = {
  name: "buckets-are-not-emptied-on-deletion",
  description: "Deleting a bucket never empties it first.",
  remediation: "Leave forceDestroy off; a stack for drills or staging carries the tag usc-pis:rehearsal=true instead",
  severity: "critical",
  requirement: "C3",
  types: [BUCKET],
  check: ({ name, props }, { rehearsal }) =>
    !rehearsal && peek(props, "forceDestroy") === true ? `${name} would be emptied with everything in it` : undefined,
};
