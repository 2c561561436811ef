/** Add-ons, attachments, and the resolvers by which the CLI finds them. */
import type { Cloud } from "../cloud";
import { attachmentsOfApp, configVarName } from "../config-vars";
import { invalid, notFound, object, ok, reference, text } from "../http";
import type { Addon, App, Attachment } from "../model";
import { plansOf } from "../plans";
import { type Route, route } from "../router";
import { list } from "./lists";
import type { Present } from "./present";

/** Attachments that a name means: attachment name, config var, add-on name or id; with an app, those of the app. */
function resolveAttachments(cloud: Cloud, name: string, app: App | undefined): Attachment[] {
  const wanted = name.toUpperCase();
  const pool = app ? attachmentsOfApp(cloud.state, app.id) : Object.values(cloud.state.attachments);
  const direct = pool.filter((one) => one.name === wanted || configVarName(one) === wanted || one.id === name);
  if (direct.length > 0) return direct;
  return pool.filter((one) => {
    const addon = cloud.state.addons[one.addonId];
    return addon?.id === name || addon?.name === name;
  });
}

function addonOfApp(cloud: Cloud, app: App, name: string | undefined): Addon {
  const addon = Object.values(cloud.state.addons).find(
    (one) => one.appId === app.id && (one.id === name || one.name === name),
  );
  if (!addon) throw notFound("add-on");
  return addon;
}

function attachmentRoutes(cloud: Cloud, present: Present): Route[] {
  const find = (id: string | undefined) => {
    const attachment = cloud.state.attachments[id ?? ""];
    if (!attachment) throw notFound("add-on attachment");
    return attachment;
  };
  return [
    route("GET", "/addon-attachments", (x) =>
      list(
        x,
        Object.values(cloud.state.attachments).map((one) => present.attachment(one, x)),
        "id",
        "name",
      ),
    ),
    route("GET", "/apps/:app/addon-attachments", (x) => {
      const app = cloud.app(x.params.app);
      return list(
        x,
        attachmentsOfApp(cloud.state, app.id).map((one) => present.attachment(one, x)),
        "id",
        "name",
      );
    }),
    route("GET", "/addons/:addon/addon-attachments", (x) => {
      const { id } = cloud.addon(x.params.addon);
      const attachments = Object.values(cloud.state.attachments).filter((one) => one.addonId === id);
      return list(
        x,
        attachments.map((one) => present.attachment(one, x)),
        "id",
        "name",
      );
    }),
    route("GET", "/addon-attachments/:id", (x) => ok(present.attachment(find(x.params.id), x))),
    route("POST", "/addon-attachments", async (x) => {
      const body = await x.json();
      const app = cloud.app(reference(body, "app"));
      const addon = cloud.addon(reference(body, "addon"));
      const replace = text(body, "confirm") === app.name;
      const attachment = cloud.addons.attach(app, addon, text(body, "name"), text(body, "namespace") ?? null, replace);
      return ok(present.attachment(attachment, x), 201);
    }),
    route("DELETE", "/addon-attachments/:id", (x) => {
      const attachment = find(x.params.id);
      const answer = present.attachment(attachment, x);
      const others = Object.values(cloud.state.attachments).filter((one) => one.addonId === attachment.addonId);
      if (others.length === 1 && cloud.addon(attachment.addonId).appId === attachment.appId)
        throw invalid("Cannot destroy last attachment to billing app for add-on; destroy the add-on instead.");
      cloud.addons.detach(attachment);
      return ok(answer);
    }),
    route("POST", "/actions/addon-attachments/resolve", async (x) => {
      const body = await x.json();
      const appName = text(body, "app");
      const name = text(body, "addon_attachment") ?? "";
      const found = resolveAttachments(cloud, name, appName === undefined ? undefined : cloud.app(appName));
      const service = text(body, "addon_service");
      const fitting = found.filter((one) => service === undefined || cloud.addon(one.addonId).service === service);
      if (fitting.length === 0) throw notFound("add on attachment");
      return ok(fitting.map((one) => present.attachment(one, x)));
    }),
  ];
}

export function addonRoutes(cloud: Cloud, present: Present): Route[] {
  const ofApp = (app: App) => Object.values(cloud.state.addons).filter((one) => one.appId === app.id);
  const attachedTo = (app: App) => {
    const ids = new Set(attachmentsOfApp(cloud.state, app.id).map((one) => one.addonId));
    return Object.values(cloud.state.addons).filter((one) => ids.has(one.id) || one.appId === app.id);
  };
  return [
    route("GET", "/addons", (x) =>
      list(
        x,
        Object.values(cloud.state.addons).map((one) => present.addon(one, x)),
        "id",
        "name",
      ),
    ),
    route("GET", "/addons/:addon", (x) => ok(present.addon(cloud.addon(x.params.addon), x))),
    route("GET", "/apps/:app/addons", (x) =>
      list(
        x,
        attachedTo(cloud.app(x.params.app)).map((one) => present.addon(one, x)),
        "id",
        "name",
      ),
    ),
    route("POST", "/apps/:app/addons", async (x) => {
      const app = cloud.app(x.params.app);
      const body = await x.json();
      const plan = reference(body, "plan");
      if (plan === undefined) throw invalid("plan is missing.");
      const addon = await cloud.addons.add(app, {
        plan,
        name: text(body, "name"),
        attachment: text(object(body, "attachment"), "name"),
        config: object(body, "config"),
        replace: text(body, "confirm") === app.name,
      });
      return ok(present.addon(addon, x), 201);
    }),
    route("GET", "/apps/:app/addons/:addon", (x) => {
      const app = cloud.app(x.params.app);
      const addon = attachedTo(app).find((one) => one.id === x.params.addon || one.name === x.params.addon);
      if (!addon) throw notFound("add-on");
      return ok(present.addon(addon, x));
    }),
    route("PATCH", "/apps/:app/addons/:addon", async (x) => {
      const addon = addonOfApp(cloud, cloud.app(x.params.app), x.params.addon);
      const body = await x.json();
      // The provider sends an empty plan when only the name changes.
      const plan = reference(body, "plan");
      const name = text(body, "name");
      if (name) cloud.addons.rename(addon, name);
      if (plan) await cloud.addons.changePlan(addon, plan);
      cloud.touch(addon);
      return ok(present.addon(addon, x));
    }),
    route("DELETE", "/apps/:app/addons/:addon", async (x) => {
      const addon = addonOfApp(cloud, cloud.app(x.params.app), x.params.addon);
      const answer = { ...present.addon(addon, x), state: "deprovisioned" };
      for (const transfer of Object.values(cloud.state.transfers))
        if (transfer.addonId === addon.id) await cloud.transfers.cancel(transfer);
      await cloud.addons.destroy(addon);
      return ok(answer);
    }),
    route("POST", "/actions/addons/resolve", async (x) => {
      const body = await x.json();
      const appName = text(body, "app");
      const name = text(body, "addon") ?? "";
      const pool = appName === undefined ? Object.values(cloud.state.addons) : ofApp(cloud.app(appName));
      const found = pool.filter((one) => one.id === name || one.name === name || one.service === name);
      if (found.length > 0) return ok(found.map((one) => present.addon(one, x)));
      const attached = resolveAttachments(cloud, name, appName === undefined ? undefined : cloud.app(appName));
      if (attached.length === 0) throw notFound("add on");
      return ok(attached.map((one) => present.addon(cloud.addon(one.addonId), x)));
    }),
    route("GET", "/addon-services/:service/plans", (x) => {
      const plans = plansOf(x.params.service ?? "");
      if (plans.length === 0) throw notFound("add-on service");
      const shown = plans.map((plan) => ({
        id: plan.name,
        name: plan.name,
        human_name: plan.humanName,
        default: plan.isDefault,
        price: { cents: plan.cents, unit: "month" },
      }));
      return list(x, shown, "name", "id");
    }),
    ...attachmentRoutes(cloud, present),
  ];
}
