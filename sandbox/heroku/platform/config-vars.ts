/** Config vars, releases and rollbacks. */
import type { Cloud } from "../cloud";
import { addonVars, attachedAddons, configVars, releaseVars } from "../config-vars";
import { ApiError, invalid, notFound, ok, text } from "../http";
import type { App, Release } from "../model";
import { type Route, route } from "../router";
import { list } from "./lists";
import type { Present } from "./present";

function change(cloud: Cloud, app: App, body: Record<string, unknown>): void {
  const attached = attachedAddons(cloud.state, app.id);
  const fromAddons = addonVars(cloud.state, cloud.databases, attached);
  const before = { ...app.vars };
  const after = { ...app.vars };
  const names: string[] = [];
  for (const [name, value] of Object.entries(body)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw invalid(`${name} is not a valid config var name.`);
    if (value !== null && !["string", "number", "boolean"].includes(typeof value))
      throw invalid(`The value of ${name} must be a string or null.`);
    // Also while an add-on is being provisioned, its config var is its own.
    if (name in attached) {
      if (value === fromAddons[name]) continue;
      throw invalid(`Cannot ${value === null ? "remove" : "overwrite"} attachment values ${name}.`);
    }
    if (value === null) delete after[name];
    else after[name] = String(value);
    if (before[name] !== after[name]) names.push(name);
  }
  if (names.length === 0) return;
  app.vars = after;
  const set = names.filter((name) => name in after);
  const removed = names.filter((name) => !(name in after));
  const parts = [
    set.length > 0 ? `Set ${set.join(", ")}` : "",
    removed.length > 0 ? `Remove ${removed.join(", ")}` : "",
  ];
  cloud.releases.create(app, { description: `${parts.filter(Boolean).join("; ")} config vars` });
  cloud.touch(app);
}

function findRelease(cloud: Cloud, app: App, reference: string | undefined): Release {
  const wanted = (reference ?? "").replace(/^v(?=\d+$)/, "");
  const release = cloud.releases.ofApp(app.id).find((one) => one.id === wanted || String(one.version) === wanted);
  if (!release) throw notFound("release");
  return release;
}

export function configVarRoutes(cloud: Cloud, present: Present): Route[] {
  return [
    route("GET", "/apps/:app/config-vars", (x) =>
      ok(configVars(cloud.state, cloud.databases, cloud.app(x.params.app))),
    ),
    route("PATCH", "/apps/:app/config-vars", async (x) => {
      const app = cloud.app(x.params.app);
      change(cloud, app, await x.json());
      return ok(configVars(cloud.state, cloud.databases, app));
    }),
    route("GET", "/apps/:app/releases", (x) => {
      const releases = cloud.releases.ofApp(cloud.app(x.params.app).id);
      return list(
        x,
        releases.map((release) => present.release(release)),
        "version",
        "id",
      );
    }),
    route("GET", "/apps/:app/releases/:release", (x) =>
      ok(present.release(findRelease(cloud, cloud.app(x.params.app), x.params.release))),
    ),
    // The CLI looks here after a rollback that a release command delays.
    route("GET", "/apps/:app/releases/:release/config-vars", (x) => {
      const app = cloud.app(x.params.app);
      return ok(releaseVars(cloud.state, cloud.databases, findRelease(cloud, app, x.params.release)));
    }),
    route("POST", "/apps/:app/releases", async (x) => {
      const app = cloud.app(x.params.app);
      const body = await x.json();
      const slugId = text(body, "slug");
      if (slugId !== undefined) {
        if (cloud.state.slugs[slugId]?.appId !== app.id) throw notFound("slug");
        const description = text(body, "description") ?? "Deploy";
        return ok(present.release(cloud.releases.create(app, { description, slugId })), 201);
      }
      const target = findRelease(cloud, app, text(body, "release"));
      if (target.slugId === null)
        throw new ApiError(422, "invalid_params", "Cannot rollback to a release that had no app deployed");
      if (target.status !== "succeeded")
        throw new ApiError(
          422,
          "invalid_params",
          `Cannot rollback to v${target.version}: its status is ${target.status}`,
        );
      // Config vars go back with the code; those of add-ons are what they are now, and so is the schema.
      app.vars = { ...target.vars };
      const release = cloud.releases.create(app, {
        description: `Rollback to v${target.version}`,
        slugId: target.slugId,
      });
      return ok(present.release(release), 201);
    }),
  ];
}
