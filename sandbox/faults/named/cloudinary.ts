/** What Cloudinary does to those who list, fetch and are told of media. */
import { InputError } from "../../../backup/errors";
import type { FaultRule } from "../rule";
import { CLOUDINARY_SWITCHES as SWITCH } from "../switches";
import { choice, type NamedFault, named, number, type Plan, text } from "./define";

const at = "cloudinary";
const cloudinary = (...rules: FaultRule[]): Plan => ({ rules });

const LISTS = "resources|upload_presets|triggers|usage|folders|tags|metadata_fields|ping";
const ADMIN = { service: "cloudinary", path: `^/v1_1/[^/]+/(${LISTS})(/|$)` };
const LISTING = { service: "cloudinary", method: "GET", path: "^/v1_1/[^/]+/resources/(image|raw|video)" };
const FOLDERS = { service: "cloudinary", method: "GET", path: "^/v1_1/[^/]+/(folders|resources/by_asset_folder)" };
const DELIVERY = { service: "cloudinary", method: "GET", path: "^/(?!v1_1/|_control/)" };

const HOUR_MS = 3_600_000;

export const CLOUDINARY_FAULTS: readonly NamedFault[] = [
  named({
    name: "cloudinary-rate-limited",
    at,
    rows: [17],
    about: "the Admin API's calls of this hour are used up: 420",
    parameters: { limit: number(500, "calls an hour") },
    plan: ({ limit }, now) => {
      const reset = new Date((Math.floor(now.getTime() / HOUR_MS) + 1) * HOUR_MS);
      const again = `${reset.toISOString().slice(0, 19).replace("T", " ")} UTC`;
      return cloudinary({
        ...ADMIN,
        status: 420,
        message: `Rate Limit Exceeded. Limit of ${limit} api operations reached. Try again on ${again}`,
        headers: {
          "x-featureratelimit-limit": String(limit),
          "x-featureratelimit-remaining": "0",
          "x-featureratelimit-reset": reset.toUTCString(),
        },
      });
    },
  }),
  named({
    name: "cloudinary-error",
    at,
    rows: [17],
    about: "requests are answered by an error",
    parameters: { status: number(500, "HTTP status"), path: text("", "regular expression on the path") },
    plan: ({ status, path }) =>
      cloudinary({ ...(path === "" ? ADMIN : { service: "cloudinary", path }), status, message: "General Error" }),
  }),
  named({
    name: "cloudinary-paging-stops",
    at,
    rows: [17],
    about: "a listing ends too early: a page that has a next one does not say so",
    parameters: { pages: number(1, "how many pages come; --skip overrides it") },
    plan: ({ pages }) => cloudinary({ ...LISTING, merge: { next_cursor: null }, skip: Math.max(0, pages - 1) }),
  }),
  named({
    name: "cloudinary-folders-capped",
    at,
    rows: [17],
    about: "listings of folders end at their cap, without a word",
    parameters: { pages: number(1, "how many pages come; --skip overrides it") },
    plan: ({ pages }) => cloudinary({ ...FOLDERS, merge: { next_cursor: null }, skip: Math.max(0, pages - 1) }),
  }),
  named({
    name: "cloudinary-metadata-edited",
    at,
    rows: [17],
    about: "somebody edits an asset's tags and context behind our back: no webhook, no new version",
    isAct: true,
    parameters: {
      asset: text("", "its public id"),
      type: choice(["image", "raw", "video"], "image", "its resource type"),
      note: text("edited behind", "text of the tag and of the context's entry"),
    },
    plan: ({ asset, type, note }) => {
      if (asset === "")
        throw new InputError("cloudinary-metadata-edited needs an asset", {
          hint: "give its public id: --param asset=clinic/logo",
        });
      const body = { public_id: asset, resource_type: type, tags: [note], context: { note } };
      return { call: { method: "POST", path: "/_control/assets", body } };
    },
  }),
  named({
    name: "asset-truncated",
    at,
    rows: [8, 17],
    about: "an asset's download ends too early",
    parameters: { bytes: number(1, "how many bytes are missing") },
    plan: ({ bytes }) => cloudinary({ ...DELIVERY, truncateBy: bytes }),
  }),
  named({
    name: "asset-bit-flipped",
    at,
    rows: [8, 17],
    about: "one bit of an asset's download is another",
    parameters: { offset: number(16, "byte whose lowest bit is turned over") },
    plan: ({ offset }) => cloudinary({ ...DELIVERY, flipBitAt: offset }),
  }),
  named({
    name: "asset-gone",
    at,
    rows: [17],
    about: "an asset that is listed can't be fetched",
    plan: () => cloudinary({ ...DELIVERY, status: 404, message: "Resource not found" }),
  }),
  named({
    name: "webhook-wrong-signature",
    at,
    about: "webhooks are signed with another secret",
    plan: () => cloudinary({ switch: SWITCH.webhookForged }),
  }),
  named({
    name: "webhook-replayed",
    at,
    about: "a webhook is sent again, with the same signature, after it was taken",
    parameters: { again: number(1, "how many more times") },
    plan: ({ again }) => cloudinary({ switch: SWITCH.webhookReplay, value: again }),
  }),
  named({
    name: "webhook-delayed",
    at,
    about: "webhooks come late, signed at the time of their event",
    parameters: { ms: number(3000, "milliseconds") },
    plan: ({ ms }) => cloudinary({ switch: SWITCH.webhookDelay, value: ms }),
  }),
  named({
    name: "webhook-lost",
    at,
    about: "webhooks are never sent",
    plan: () => cloudinary({ switch: SWITCH.webhookLost }),
  }),
];
