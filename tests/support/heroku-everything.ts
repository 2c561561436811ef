import { randomUUID } from "node:crypto";
import { type HerokuRecorder, oneApp } from "./heroku-recorder";

type Json = any;

/** Things that are kept as they were sent, under one path: what a table of requests needs, no more. */
function kept(recorder: HerokuRecorder, path: string, thing: Json, how: { one?: string } = {}): Json {
  const fill = (body: Json) => {
    for (const [key, value] of Object.entries(body ?? {})) if (key in thing) thing[key] = value;
    return thing;
  };
  recorder
    .on(`POST ${path}`, (_match, body) => fill(body))
    .on(`GET ${how.one ?? `${path}/*`}`, () => thing)
    .on(`PATCH ${how.one ?? `${path}/*`}`, (_match, body) => fill(body))
    .on(`DELETE ${how.one ?? `${path}/*`}`, () => thing);
  return thing;
}

/** One of each thing that the provider's resource types stand for, around one app. */
export function everything(recorder: HerokuRecorder) {
  const stub = oneApp(recorder);
  const owner = { id: randomUUID(), type: "user" };
  const pipeline = kept(recorder, "/pipelines", { id: randomUUID(), name: "", owner });
  const app = { id: stub.id, name: "usc-pis" };
  const coupling = { id: randomUUID(), app, pipeline: { id: pipeline.id }, stage: "production" };
  recorder.on("POST /pipeline-couplings", coupling).on("GET /pipeline-couplings/*", coupling);
  recorder.on("DELETE /pipeline-couplings/*", coupling).on("GET /account", { id: owner.id, email: "a@b.c" });

  const attachment = { id: randomUUID(), app, addon: { id: stub.addon }, name: "DB", namespace: null };
  recorder.on("POST /addon-attachments", attachment).on("GET /addon-attachments/*", attachment);
  recorder.on("DELETE /addon-attachments/*", attachment);

  const domain = kept(recorder, "/apps/*/domains", {
    ...{ id: randomUUID(), app, hostname: "", cname: "x.herokudns.com" },
    sni_endpoint: null,
  });
  recorder.on("PATCH /apps/*/domains/*", (_match, body) =>
    Object.assign(domain, { sni_endpoint: { id: body.sni_endpoint } }),
  );
  const webhook = kept(recorder, "/apps/*/webhooks", { id: randomUUID(), app, include: [], level: "", url: "" });
  const drain = kept(recorder, "/apps/*/log-drains", { id: randomUUID(), token: "d.token", url: "" });

  const feature = { id: randomUUID(), name: "runtime-dyno-metadata", enabled: false };
  recorder.on("GET /apps/*/features/*", feature);
  recorder.on("PATCH /apps/*/features/*", (_match, body) => Object.assign(feature, body));

  const formation = { id: randomUUID(), app, type: "web", quantity: 0, size: "Basic", command: "run" };
  recorder.on("GET /apps/*/formation/*", formation);
  recorder.on("PATCH /apps/*/formation/*", (_match, { quantity = formation.quantity }) =>
    Object.assign(formation, { quantity }),
  );

  const build: Json = { id: randomUUID(), app, stack: "heroku-24", status: "succeeded", buildpacks: [] };
  Object.assign(build, { release: { id: stub.release }, slug: { id: randomUUID() }, output_stream_url: "https://out" });
  build.user = { id: owner.id, email: "a@b.c" };
  recorder
    .on("POST /sources", () => ({ source_blob: { get_url: "https://get", put_url: `${recorder.url}/put` } }))
    .on("PUT /put", {})
    .on("POST /apps/*/builds", (_match, body) =>
      Object.assign(build, {
        source_blob: { checksum: null, version: null, ...body.source_blob },
        buildpacks: body.buildpacks ?? [],
      }),
    )
    .on("GET /apps/*/builds/*", build);
  for (const [method, acm] of Object.entries({ POST: true, DELETE: false })) {
    recorder.on(`${method} /apps/*/acm`, () => Object.assign(stub.app, { acm }));
  }

  const names: { [id: string]: string } = { ...stub.names, [owner.id]: "ME", [build.slug.id]: "SLUG" };
  const things = { pipeline, coupling, attachment, domain, webhook, drain, feature, formation, build };
  for (const [name, { id }] of Object.entries(things)) names[id] = name.toUpperCase();
  return { ...stub, ...things, owner, names };
}
