import type * as pulumi from "@pulumi/pulumi";

/** Tags of every AWS resource, by which costs and clean-ups are told apart. */
export type Tags = Record<string, string>;

/** @param app left out for what belongs to the system rather than to one app (the vault). */
export function projectTags(system: string, app?: string): Tags {
  return { project: "usc-pis", system, ...(app ? { app } : {}) };
}

/**
 * Options of a resource that holds data, or that keeps data from being lost: the engine refuses to delete it, and even
 * when it is taken out of the program it stays in the cloud. The one place where drills and staging opt out is `protect`.
 */
export function dataOptions(
  parent: pulumi.Resource,
  protect: boolean,
  more: pulumi.CustomResourceOptions = {},
): pulumi.CustomResourceOptions {
  return { ...more, parent, protect, retainOnDelete: protect };
}
