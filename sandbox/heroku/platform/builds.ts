/** Sources, builds, and the output streams of builds and releases. */
import { createReadStream, createWriteStream, existsSync, renameSync, statSync, utimesSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Cloud } from "../cloud";
import { ApiError, invalid, notFound, ok, text } from "../http";
import { uuid } from "../ids";
import { type Route, route } from "../router";
import { refusal, signPath } from "../runtime/signed-urls";
import { list } from "./lists";
import type { Present } from "./present";

/** How long an upload address works, in seconds: an hour, as Heroku's. */
const UPLOAD_SECONDS = 3600;

function buildpackNames(body: Record<string, unknown>): string[] {
  const { buildpacks } = body;
  if (buildpacks === undefined || buildpacks === null) return [];
  if (!Array.isArray(buildpacks)) throw invalid("buildpacks must be a list.");
  return buildpacks.map((one) => {
    const name = one?.url ?? one?.name;
    if (typeof name !== "string") throw invalid("Each buildpack needs a url or a name.");
    return name;
  });
}

/** Sends a growing file until its writer has ended. */
async function follow(file: string, isRunning: () => boolean, response: ServerResponse): Promise<void> {
  response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8" });
  let sent = 0;
  for (;;) {
    const running = isRunning();
    const size = existsSync(file) ? statSync(file).size : 0;
    if (size > sent) {
      for await (const chunk of createReadStream(file, { start: sent, end: size - 1 })) response.write(chunk);
      sent = size;
    }
    if (!running || response.destroyed) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  response.end();
}

export function buildRoutes(cloud: Cloud, present: Present): Route[] {
  const { state, store } = cloud;
  return [
    route("POST", "/sources", () => {
      const path = `/_sources/${uuid()}`;
      const address = `${cloud.baseUrl}${signPath(state.urlKey, path, Math.floor(Date.now() / 1000) + UPLOAD_SECONDS)}`;
      return ok({ source_blob: { get_url: address, put_url: address } }, 201);
    }),
    route(
      "PUT",
      "/_sources/:id",
      async (x) => {
        const why = refusal(state.urlKey, x.url);
        if (why) throw new ApiError(403, "forbidden", `The upload address is ${why}.`);
        const file = store.path("sources", x.params.id ?? "");
        await pipeline(x.request, createWriteStream(`${file}.partial`, { mode: 0o600 }));
        // By the emulator's clock, which may not be the file system's: that decides when a source is forgotten.
        utimesSync(`${file}.partial`, new Date(), new Date());
        renameSync(`${file}.partial`, file);
        return ok({});
      },
      "public",
    ),
    route("GET", "/apps/:app/builds", (x) => {
      const { id } = cloud.app(x.params.app);
      const builds = Object.values(state.builds).filter((one) => one.appId === id);
      return list(
        x,
        builds.map((one) => present.build(one)),
        "id",
        "created_at",
      );
    }),
    route("POST", "/apps/:app/builds", async (x) => {
      const app = cloud.app(x.params.app);
      const body = await x.json();
      const source = (body.source_blob ?? {}) as Record<string, unknown>;
      const sourceUrl = text(source, "url");
      if (sourceUrl === undefined) throw invalid("source_blob.url is missing.");
      const asked = buildpackNames(body);
      const build = cloud.builds.start(app, {
        buildpacks: asked.length > 0 ? asked : app.buildpacks,
        sourceUrl,
        sourceVersion: text(source, "version") ?? null,
        sourceChecksum: text(source, "checksum") ?? null,
      });
      return ok(present.build(build), 201);
    }),
    route("GET", "/apps/:app/builds/:build", (x) => {
      const build = state.builds[x.params.build ?? ""];
      if (!build || build.appId !== cloud.app(x.params.app).id) throw notFound("build");
      return ok(present.build(build));
    }),
    // The id is the permission, as in the addresses that Heroku hands out: no key is asked for.
    route(
      "GET",
      "/_streams/:id",
      async (x) => {
        const id = x.params.id ?? "";
        const item = state.builds[id] ?? state.releases[id];
        if (!item) throw notFound("stream");
        await follow(store.path("output", `${id}.log`), () => item.status === "pending", x.response);
        return undefined;
      },
      "public",
    ),
  ];
}
