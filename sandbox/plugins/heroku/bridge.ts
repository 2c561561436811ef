import type { ResourceType } from "../core/types";
import type { HerokuClient } from "./client";

/**
 * A resource type as Pulumi's bridge keeps it: the state is what Terraform's is (an absent string may be empty, an absent
 * list or map is), and `__meta` carries the version of Terraform's schema and what the provider's SDK wrote for itself.
 * Of the bridge's own members only `__pulumi_raw_state_delta` is left out.
 *
 * @param schemaVersion version of the type's schema in heroku/heroku 5.3.2
 */
export function bridged(
  schemaVersion: number,
  type: Omit<ResourceType<HerokuClient>, "stateFromCreate" | "verbatim" | "meta">,
): ResourceType<HerokuClient> {
  return { ...type, stateFromCreate: true, verbatim: true, meta: (imported) => metaText(schemaVersion, imported) };
}

/** An import notes the version even where it is zero; a creation then notes nothing, which is JSON's null. */
function metaText(schemaVersion: number, imported: boolean): string {
  const noted = schemaVersion > 0 || imported ? { schema_version: String(schemaVersion) } : null;
  return JSON.stringify({
    private_state: Buffer.from(JSON.stringify(noted)).toString("base64"),
    ...(schemaVersion > 0 ? { schema_version: String(schemaVersion) } : {}),
  });
}
