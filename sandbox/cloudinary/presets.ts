/** Admin API: upload presets. */
import { randomPublicId } from "./assets";
import { flag, list, pairs, text } from "./encoding";
import type { Environment } from "./environment";
import { CloudinaryError, notCarriedOut } from "./errors";
import { compare, paginate } from "./pages";
import { UPLOAD_PARAMS } from "./parameters";
import type { Params } from "./signature";
import type { Preset } from "./store";

const LISTS = new Set(["allowed_formats", "tags"]);
const FLAGS = new Set(
  "backup discard_original_filename disallow_public_id invalidate overwrite unique_filename use_asset_folder_as_public_id_prefix use_filename use_filename_as_display_name".split(
    " ",
  ),
);
const NOT_SETTINGS = new Set("name unsigned live timestamp api_key signature public_id file upload_preset".split(" "));

/** Settings as the Admin API shows them: lists as lists, flags as booleans, context as an object. */
function settingsOf(params: Params): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const name of Object.keys(params)) {
    if (NOT_SETTINGS.has(name) || text(params, name) === "") continue;
    if (!UPLOAD_PARAMS.has(name) && name !== "disallow_public_id") throw notCarriedOut(`preset setting ${name}`);
    if (LISTS.has(name)) settings[name] = list(params, name);
    else if (FLAGS.has(name)) settings[name] = flag(params, name);
    else if (name === "context" || name === "metadata") settings[name] = pairs(text(params, name));
    else settings[name] = text(params, name);
  }
  return settings;
}

/** A preset's settings in the form of request parameters. */
export function presetParams(preset: Preset): Params {
  return Object.fromEntries(
    Object.entries(preset.settings).map(([name, value]): [string, string | string[]] => {
      if (Array.isArray(value)) return [name, value.map(String)];
      return [name, typeof value === "object" ? JSON.stringify(value) : String(value)];
    }),
  );
}

export async function presets(env: Environment, method: string, name: string | undefined, params: Params) {
  const table = env.store.state.presets;
  if (name === undefined && method === "GET") {
    const all = Object.values(table).sort((a, b) => compare([a.name], [b.name]));
    const page = paginate(env, all, (preset) => [preset.name], params, { kind: "presets" });
    return { presets: page.items, ...page.cursor };
  }
  if (name === undefined && method === "POST") {
    const chosen = text(params, "name") || randomPublicId().slice(0, 8);
    if (table[chosen] !== undefined) throw new CloudinaryError(409, `Preset name ${chosen} is already taken`);
    table[chosen] = { name: chosen, unsigned: flag(params, "unsigned") ?? false, settings: settingsOf(params) };
    await env.store.commit();
    return { message: "created", name: chosen };
  }
  const preset = name === undefined ? undefined : table[name];
  if (name !== undefined && preset === undefined) {
    throw new CloudinaryError(404, `Can't find upload preset with name ${name}`);
  }
  if (preset !== undefined && method === "GET") return preset;
  if (preset !== undefined && method === "PUT") {
    preset.unsigned = flag(params, "unsigned") ?? preset.unsigned;
    preset.settings = settingsOf(params);
    await env.store.commit();
    return { message: "updated" };
  }
  if (preset !== undefined && method === "DELETE") {
    delete table[preset.name];
    await env.store.commit();
    return { message: "deleted" };
  }
  throw notCarriedOut(`${method} upload_presets`);
}
