import { existsSync, readFileSync, statSync } from "node:fs";
import type { Operation, ResourceType } from "../core/types";
import { type Properties, UNKNOWN } from "../core/values";
import type { HerokuClient } from "./client";
import { appId, requireUuid, splitImportId } from "./shared";
import { sourceDigest, tarOf } from "./source";

/** A build may take this long, in minutes: the provider waits 26 hours. */
const PATIENCE = 26 * 60;

function checkSource(source: Properties | string | undefined) {
  if (typeof source !== "object") return [];
  const refuse = (property: string, reason: string) => [{ property: `source.${property}`, reason }];
  if (source.path === UNKNOWN || source.url === UNKNOWN) return [];
  if ((source.path === undefined) === (source.url === undefined)) {
    return [{ property: "source", reason: "expected exactly one of source.path and source.url" }];
  }
  if (source.url !== undefined && !source.url.startsWith("https://")) {
    return refuse("url", `expected source.url to begin with https://, got ${source.url}`);
  }
  if (source.path !== undefined && source.checksum !== undefined) {
    return refuse("checksum", "source.checksum must be unset with source.path");
  }
  if (source.path !== undefined && !existsSync(source.path)) {
    return refuse("path", `no file or directory at ${source.path} (from ${process.cwd()})`);
  }
  return [];
}

/** Sends a local source to the place that Heroku names. */
async function upload(path: string, heroku: HerokuClient, operation: Operation): Promise<Properties> {
  const isDirectory = statSync(path).isDirectory();
  const { source_blob: blob } = await heroku.call(operation, "POST", "/sources");
  const bytes = isDirectory ? tarOf(path) : readFileSync(path);
  const answer = await fetch(blob.put_url, {
    method: "PUT",
    body: new Uint8Array(bytes),
    headers: { "Content-Length": String(bytes.length) },
    signal: operation.signal,
  });
  if (!answer.ok) throw new Error(`upload of ${path}: ${answer.status} ${await answer.text()}`);
  return { url: blob.get_url, checksum: isDirectory ? undefined : sourceDigest(path) };
}

async function readBuild(
  id: string,
  state: Properties,
  heroku: HerokuClient,
  operation: Operation,
): Promise<Properties> {
  const build = await heroku.call(operation, "GET", `/apps/${state.appId}/builds/${id}`);
  if (state.buildpacks?.length > 0) await heroku.call(operation, "GET", `/apps/${state.appId}`);
  const buildpacks = (build.buildpacks ?? []).map((buildpack: Properties) => buildpack.url);
  return {
    buildId: build.id,
    uuid: build.id,
    appId: build.app.id,
    status: build.status,
    stack: build.stack,
    outputStreamUrl: build.output_stream_url,
    releaseId: build.release?.id ?? "",
    slugId: build.slug?.id ?? "",
    users: build.user ? [{ email: build.user.email, id: build.user.id }] : [],
    ...(state.buildpacks?.length > 0 ? { buildpacks } : {}),
  };
}

export const build: ResourceType<HerokuClient> = {
  token: "heroku:index/build:Build",
  inputs: {
    appId,
    source: { required: true, replace: true, fields: { path: {}, url: {}, version: {}, checksum: {} } },
    buildpacks: { replace: true, computed: true },
  },
  outputs: {
    buildId: {},
    localChecksum: {},
    outputStreamUrl: {},
    releaseId: {},
    slugId: {},
    stack: {},
    status: {},
    users: {},
    uuid: {},
  },
  stateFromCreate: true,
  check: (inputs) => [...requireUuid(inputs), ...checkSource(inputs.source)],
  async extraDiff(olds, news, heroku) {
    if (news.buildpacks?.length > 0 && olds.appId) {
      // The provider asks for the app's generation here: the only request of a diff that changes nothing.
      const operation = { urn: "", signal: new AbortController().signal, log() {}, created() {} };
      await heroku.call(operation, "GET", `/apps/${olds.appId}`);
    }
    const path = news.source?.path;
    if (typeof path !== "string" || path === UNKNOWN) return [];
    return sourceDigest(path) === olds.localChecksum ? [] : ["source"];
  },
  // A build that fails leaves nothing in the state.
  async create(inputs, heroku, operation) {
    const { source, buildpacks } = inputs;
    const app = `/apps/${inputs.appId}`;
    if (buildpacks?.length > 0) await heroku.call(operation, "GET", app);
    const localChecksum = source.path === undefined ? "" : sourceDigest(source.path);
    const blob =
      source.path === undefined
        ? { url: source.url, checksum: source.checksum }
        : await upload(source.path, heroku, operation);
    const { id } = await heroku.call(operation, "POST", `${app}/builds`, {
      source_blob: { url: blob.url, version: source.version, checksum: blob.checksum },
      buildpacks: buildpacks?.map((url: string) => ({ url })),
    });
    await heroku.until(
      operation,
      `build ${id}`,
      PATIENCE,
      async () => {
        const live = await heroku.call(operation, "GET", `${app}/builds/${id}`);
        if (live.status !== "failed") return { state: live.status, value: live };
        const output = await fetch(live.output_stream_url, { signal: operation.signal });
        throw new Error(`Build failed:\n${await output.text()}`);
      },
      ["pending"],
      "succeeded",
    );
    return { id, state: { ...(await readBuild(id, inputs, heroku, operation)), localChecksum } };
  },
  read: readBuild,
  async delete() {
    // Heroku keeps builds: there is nothing to delete.
  },
  importId: splitImportId,
};
