import * as pulumi from "@pulumi/pulumi";

/**
 * Options of a component that comes after others. The engine hands a component's own `dependsOn` to none of its
 * children, and it stops everything once something fails: service comes first, so that what surrounds it can't stop it.
 */
export function after(...resources: pulumi.Resource[]): pulumi.ComponentResourceOptions {
  return {
    transformations: [({ props, opts }) => ({ props, opts: pulumi.mergeOptions(opts, { dependsOn: resources }) })],
  };
}
