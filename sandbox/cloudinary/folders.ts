/** Admin API: asset folders, those of the assets and empty ones that were created. */
import { flag, text } from "./encoding";
import type { Environment } from "./environment";
import { CloudinaryError, notCarriedOut } from "./errors";
import { folderEvent } from "./events";
import { paginate } from "./pages";
import type { Params } from "./signature";
import type { Asset } from "./store";

/** A listing without `max_results` ends here, without saying that there are more (failures seen with Cloudinary). */
const MAX_LISTED = 2000;

export async function folders(env: Environment, method: string, path: string[], params: Params) {
  const folder = path.join("/");
  const { used, known } = present(env);
  if (method === "GET") return listed(env, folder, known, params);
  if (folder === "") throw notCarriedOut(`${method} folders`);
  if (method === "POST") return created(env, folder, known);
  if (!known.has(folder)) throw new CloudinaryError(404, `Can't find folder with path ${folder}`);
  if (method === "PUT") return moved(env, folder, text(params, "to_folder"), known);
  if (method !== "DELETE") throw notCarriedOut(`${method} folders`);
  if (flag(params, "skip_backup") !== undefined) throw notCarriedOut("skip_backup of a folder");
  if (used.has(folder)) throw new CloudinaryError(400, "Folder is not empty");
  const { state } = env.store;
  state.folders = state.folders.filter((one) => !within(one, folder));
  await env.notifications.fire(folderEvent("delete_folder", folder));
  return { deleted: [folder] };
}

function present(env: Environment): { used: Set<string>; known: Set<string> } {
  const { assets, folders: created } = env.store.state;
  const live = Object.values(assets).filter((asset) => !asset.placeholder);
  const used = new Set(live.flatMap((asset) => parents(asset.asset_folder)));
  return { used, known: new Set([...used, ...created.flatMap(parents)]) };
}

function listed(env: Environment, folder: string, known: Set<string>, params: Params) {
  if (folder !== "" && !known.has(folder)) throw new CloudinaryError(404, `Can't find folder with path ${folder}`);
  const below = [...known].filter((one) => parent(one) === folder).sort();
  const shown = below.map((one) => ({ name: one.split("/").at(-1), path: one }));
  if (text(params, "max_results") === "" && text(params, "next_cursor") === "") {
    return { folders: shown.slice(0, MAX_LISTED), next_cursor: null, total_count: Math.min(shown.length, MAX_LISTED) };
  }
  const { items, cursor } = paginate(env, shown, ({ path }) => [path], params, { folders: folder });
  return { folders: items, next_cursor: cursor.next_cursor ?? null, total_count: shown.length };
}

async function created(env: Environment, folder: string, known: Set<string>) {
  if (/[?&#\\%<>+]/.test(folder)) throw new CloudinaryError(400, `Folder path ${folder} is invalid`);
  env.store.state.folders.push(...parents(folder).filter((one) => !known.has(one)));
  await env.notifications.fire(...(known.has(folder) ? [] : [folderEvent("create_folder", folder)]));
  return { success: true, path: folder, name: folder.split("/").at(-1) };
}

/** Moves a folder with everything in it. Public ids stay as they are: here folders are only where assets are shown. */
async function moved(env: Environment, from: string, to: string, known: Set<string>) {
  if (to === "") throw new CloudinaryError(400, "Missing required parameter - to_folder");
  if (known.has(to)) throw new CloudinaryError(409, `Folder ${to} already exists`);
  if (within(to, from)) throw new CloudinaryError(400, `Can't move folder ${from} into itself`);
  const place = (folder: string) => (within(folder, from) ? to + folder.slice(from.length) : folder);
  const { state } = env.store;
  state.folders = [...new Set([...state.folders.map(place), to])];
  for (const asset of Object.values(state.assets) as Asset[]) asset.asset_folder = place(asset.asset_folder);
  const payload = { from_path: from, to_path: to, status: "completed" };
  await env.notifications.fire({ type: "move_or_rename_asset_folder", payload });
  const named = (path: string) => ({ name: path.split("/").at(-1), path });
  return { from: named(from), to: named(to) };
}

function within(folder: string, outer: string): boolean {
  return folder === outer || folder.startsWith(`${outer}/`);
}

function parent(folder: string): string {
  return folder.includes("/") ? folder.slice(0, folder.lastIndexOf("/")) : "";
}

function parents(folder: string): string[] {
  return folder === "" ? [] : [...parents(parent(folder)), folder];
}
