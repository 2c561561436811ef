import { expect } from "chai";
import {
  changeEvents,
  deleted,
  EVENT_TYPES,
  type Event,
  notificationBody,
  recipients,
  UNSENT_EVENT_TYPES,
  uploaded,
} from "../../../sandbox/cloudinary/events";
import type { Asset, Trigger } from "../../../sandbox/cloudinary/store";

const ASSET: Asset = {
  asset_id: "1",
  public_id: "a",
  resource_type: "image",
  type: "upload",
  created_at: "2026-05-01T10:00:00Z",
  uploaded_at: "2026-05-01T10:00:00Z",
  tags: ["old"],
  context: { kept: "1", changed: "1", gone: "1" },
  metadata: {},
  asset_folder: "",
  display_name: "a",
  original_filename: "a",
  access_mode: "public",
  backup: false,
  placeholder: false,
  current: { version: 1, version_id: "v", bytes: 1, etag: "e", format: "png", created_at: "", blob: "b" },
  backups: [],
};

function trigger(event_type: string, uri: string, additive = false): Trigger {
  return { id: uri, uri, event_type, additive, created_at: "", updated_at: "" };
}

describe("events of Cloudinary", () => {
  it("go to the triggers of their kind and of all, each address once", () => {
    const triggers = [trigger("upload", "u"), trigger("all", "a"), trigger("delete", "d"), trigger("all", "u")];
    const event: Event = { type: "upload", payload: {} };
    expect(recipients(triggers, event)).to.deep.equal(["u", "a"]);
    expect(recipients([], event)).to.deep.equal([]);
  });

  it("go to the request's own address instead, and to additive triggers besides", () => {
    const triggers = [trigger("upload", "u"), trigger("upload", "plus", true)];
    const event: Event = { type: "upload", payload: {}, notificationUrl: "own" };
    expect(recipients(triggers, event)).to.deep.equal(["own", "plus"]);
  });

  it("have no kind twice, neither sent nor unsent", () => {
    const kinds = [...EVENT_TYPES, ...UNSENT_EVENT_TYPES];
    expect(new Set(kinds).size).to.equal(kinds.length);
  });

  it("say when, by whom and under which key, and begin with the time only where documented", () => {
    const at = { now: Date.parse("2026-05-01T10:00:00Z"), requestId: "r", apiKey: "k" };
    const upload = JSON.parse(notificationBody(uploaded({ public_id: "a", signature: "s" }, ""), at));
    expect(upload).to.deep.equal({
      notification_type: "upload",
      timestamp: "2026-05-01T10:00:00.000Z",
      request_id: "r",
      public_id: "a",
      notification_context: { triggered_at: "2026-05-01T10:00:00.000Z", triggered_by: { source: "api", id: "k" } },
      signature_key: "k",
    });
    const deletion = JSON.parse(notificationBody(deleted([ASSET]), at));
    expect(deletion).to.not.have.any.keys("timestamp", "request_id");
    expect(deletion.resources).to.deep.equal([
      {
        asset_id: "1",
        public_id: "a",
        resource_type: "image",
        type: "upload",
        version: 1,
        asset_folder: "",
        display_name: "a",
      },
    ]);
  });

  it("of changes tell what was added, removed and updated, and nothing where nothing changed", () => {
    const after = { ...ASSET, tags: ["new"], context: { kept: "1", changed: "2", added: "1" } };
    expect(changeEvents([{ before: ASSET, after: structuredClone(ASSET) }])).to.deep.equal([]);
    const [tags, context, ...rest] = changeEvents([{ before: ASSET, after }]);
    expect(rest).to.deep.equal([]);
    const identity = { asset_id: "1", resource_type: "image", type: "upload" };
    expect(tags?.payload.resources).to.deep.equal([{ ...identity, public_id: "a", added: ["new"], removed: ["old"] }]);
    expect(context?.payload.resources).to.deep.equal({
      a: {
        ...identity,
        added: [{ name: "added", value: "1" }],
        removed: [{ name: "gone", value: "1" }],
        updated: [{ name: "changed", value: "2" }],
      },
    });
  });
});
