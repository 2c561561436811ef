import { existsSync, readFileSync, statSync } from "node:fs";
import type { Operation } from "../core/types";
import { type Properties, UNKNOWN } from "../core/values";
import { bridged } from "./bridge";
import { type HerokuClient, HerokuError } from "./client";
import { appId, importHalves, requireUuid } from "./shared";
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

/** What a build's answer says; the state keeps which source was given and the digest of a local one. */
function buildState(build: Properties, source: Properties | undefined): Properties {
  const state: Properties = {
    uuid: build.id,
    buildId: build.id,
    status: build.status,
    stack: build.stack,
    outputStreamUrl: build.output_stream_url,
    releaseId: build.release?.id,
    slugId: build.slug?.id,
    users: [{ email: build.user.email, id: build.user.id }],
    buildpacks: (build.buildpacks ?? []).map(({ url }: Properties) => url),
  };
  if (source) {
    const { path = "", url = "", version = "", checksum = "" } = source;
    const answered = build.source_blob ?? {};
    // The place of an uploaded source and its digest are the provider's own doing.
    const where =
      path === "" ? { url: answered.url || url, checksum: answered.checksum ?? checksum } : { url, checksum };
    state.source = { path, version: answered.version ?? version, ...where };
  }
  return state;
}

/** True if the build names buildpacks, or has some from before. */
const hasBuildpacks = (news: Properties, olds: Properties | undefined) =>
  (news.buildpacks ?? olds?.buildpacks)?.length > 0;

export const build = bridged(1, {
  token: "heroku:index/build:Build",
  inputs: {
    appId,
    source: {
      required: true,
      replace: true,
      fields: { path: {}, url: {}, version: {}, checksum: { computed: true } },
    },
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
  check: (inputs) => [...requireUuid(inputs), ...checkSource(inputs.source)],
  // Asks for the app's generation, since not every one takes buildpacks: the only request that a preview makes.
  async plan(news, olds, heroku, operation) {
    if (!hasBuildpacks(news, olds) || news.appId === UNKNOWN) return;
    await heroku.call(operation, "GET", `/apps/${news.appId}`).catch((error: unknown) => {
      if (!(error instanceof HerokuError)) throw error;
    });
  },
  async extraDiff(olds, news) {
    const path = news.source?.path;
    if (typeof path !== "string" || path === UNKNOWN) return [];
    return sourceDigest(path) === olds.localChecksum ? [] : ["localChecksum"];
  },
  replaceWhen: () => ["localChecksum"],
  async create({ appId: owner, source, buildpacks }, heroku, operation) {
    const builds = `/apps/${owner}/builds`;
    const localChecksum = source.path === undefined ? "" : sourceDigest(source.path);
    const blob =
      source.path === undefined
        ? { url: source.url, checksum: source.checksum }
        : await upload(source.path, heroku, operation);
    const { id } = await heroku.call(operation, "POST", builds, {
      source_blob: { url: blob.url, version: source.version, checksum: blob.checksum },
      buildpacks: buildpacks?.length > 0 ? buildpacks.map((url: string) => ({ url })) : undefined,
    });
    await heroku.until(
      operation,
      `build ${id}`,
      PATIENCE,
      async () => {
        const live = await heroku.call(operation, "GET", `${builds}/${id}`);
        if (live.status !== "failed") return { state: live.status, value: live };
        const output = await fetch(live.output_stream_url, { signal: operation.signal });
        const log = await output.text();
        throw new Error(`Build failed (app: ${owner}), complete build log follows:\n${log}\n(End of build log)`);
      },
      ["pending"],
      "succeeded",
    );
    const done = await heroku.call(operation, "GET", `${builds}/${id}`);
    return { id, state: { ...buildState(done, source), localChecksum } };
  },
  async read(id, state, heroku, operation) {
    return buildState(await heroku.call(operation, "GET", `/apps/${state.appId}/builds/${id}`), state.source);
  },
  async delete() {
    // Heroku keeps builds: there is nothing to delete.
  },
  async importId(given, heroku, operation) {
    const { app, rest } = importHalves(given);
    const live = await heroku.call(operation, "GET", `/apps/${app}/builds/${rest}`);
    return { id: live.id, state: { appId: live.app.id } };
  },
});
