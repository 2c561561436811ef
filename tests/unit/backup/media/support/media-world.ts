/** A Cloudinary in memory beside the other tests' vault, table and clock; each part can be told to fail. */
import { createHash } from "node:crypto";
import { type Download, DownloadRefused } from "../../../../../backup/download";
import { UscPisError } from "../../../../../backup/errors";
import { assetPath, mediaKeys, mediaPrefix } from "../../../../../backup/layout";
import { type MediaManifest, parseMediaManifest } from "../../../../../backup/media/manifest";
import type { MediaPorts, MediaRequest, MediaResult, MediaSettings } from "../../../../../backup/media/ports";
import { syncMedia } from "../../../../../backup/media/sync";
import { BudgetError } from "../../../../../clients/cloudinary";
import type { Asset, AssetFacts, AssetKind } from "../../../../../clients/cloudinary-schemas";
import { FakeVault, World } from "../../support/world";

interface Kept {
  asset: Asset;
  bytes: Buffer;
}

export class FakeCloudinary {
  readonly cloudName = "clinic";
  readonly assets = new Map<string, Kept>();
  calls = 0;
  downloads = 0;
  pageSize = 3;
  /** Calls until the hour's are used up. */
  left = Number.POSITIVE_INFINITY;
  /** What a page shows of what it should. */
  shows: (page: Asset[]) => Asset[] = (page) => page;
  /** What the usage report says instead of the truth. */
  counted: ((truth: number) => number) | undefined;
  /** What a download answers with, instead of the bytes. */
  answer: ((asset: Asset, url: string, bytes: Buffer) => Partial<Download> | Error | undefined) | undefined;
  private version = 1_700_000_000;

  constructor(private readonly now: () => Date) {}

  upload(publicId: string, content: string, more: Partial<Asset> = {}): Asset {
    const bytes = Buffer.from(content);
    const kind = { resourceType: "image", type: "upload", ...more } as AssetKind;
    const path = assetPath({ ...kind, publicId });
    const before = this.assets.get(path);
    const version = ++this.version;
    const facts: AssetFacts = before?.asset.facts ?? {
      assetId: `id-${version}`,
      folder: "media",
      tags: [],
      context: {},
    };
    const url = `https://res.invalid/${path}/v${version}`;
    const { length } = bytes;
    const asset: Asset = {
      publicId,
      version,
      bytes: length,
      format: "png",
      url,
      placeholder: false,
      facts,
      ...kind,
      ...more,
    };
    this.assets.set(path, { asset, bytes });
    return asset;
  }
  tag(publicId: string, ...tags: string[]): void {
    const path = assetPath({ resourceType: "image", type: "upload", publicId });
    const { asset, bytes } = this.assets.get(path) as Kept;
    this.assets.set(path, { asset: { ...asset, facts: { ...asset.facts, tags } }, bytes });
  }
  remove(publicId: string, kind: AssetKind = { resourceType: "image", type: "upload" }): void {
    this.assets.delete(assetPath({ ...kind, publicId }));
  }
  private spend(): void {
    if (this.left-- <= 0)
      throw new BudgetError(new Date(Math.ceil((this.now().getTime() + 1) / 3_600_000) * 3_600_000));
    this.calls++;
  }
  private of(kind: AssetKind): Asset[] {
    return [...this.assets.values()]
      .map(({ asset }) => asset)
      .filter((asset) => asset.resourceType === kind.resourceType && asset.type === kind.type);
  }
  async page(kind: AssetKind, cursor = "0"): Promise<{ assets: Asset[]; next: string | undefined }> {
    this.spend();
    const all = this.shows(this.of(kind));
    const start = Number(cursor);
    const end = start + this.pageSize;
    return { assets: all.slice(start, end), next: end < all.length ? String(end) : undefined };
  }
  async byIds(kind: AssetKind, ids: readonly string[]): Promise<Asset[]> {
    this.spend();
    return this.of(kind).filter((asset) => ids.includes(asset.publicId));
  }
  async details(kind: AssetKind, publicId: string): Promise<Asset | undefined> {
    this.spend();
    const kept = this.assets.get(assetPath({ ...kind, publicId }));
    return kept && { ...kept.asset, md5: md5(kept.bytes) };
  }
  async usage() {
    this.spend();
    const truth = [...this.assets.values()].filter(({ asset }) => !asset.placeholder).length;
    return { resources: this.counted?.(truth) ?? truth };
  }
  downloadUrl = (asset: Asset) => `https://api.invalid/download/${assetPath(asset)}`;

  async download(url: string, what: string, signal?: AbortSignal): Promise<Download> {
    signal?.throwIfAborted();
    this.downloads++;
    const kept = [...this.assets.values()].find(({ asset }) => asset.url === url || this.downloadUrl(asset) === url);
    if (!kept) throw new DownloadRefused(what, 404);
    const { asset, bytes } = kept;
    const answer = this.answer?.(asset, url, bytes);
    if (answer instanceof Error) throw answer;
    return {
      contentLength: bytes.length,
      etag: `"${md5(bytes)}"`,
      head: bytes,
      body: chunks(bytes),
      cancel: async () => undefined,
      ...answer,
    };
  }
}

export async function* chunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes.subarray(0, 3);
  yield bytes.subarray(3);
}

export function md5(bytes: Buffer): string {
  return createHash("md5").update(bytes).digest("hex");
}

export const DAILY: MediaRequest = { trigger: "schedule", requestedBy: "schedule" };

export class MediaWorld extends World {
  readonly cloudinary = new FakeCloudinary(this.pace.now);
  readonly media = new FakeVault("primary", "media-primary", this.pace.now);

  constructor(start = "2026-05-23T02:47:00Z") {
    super(start);
  }
  get mediaSettings(): MediaSettings {
    return { system: "usc-pis", app: "usc-pis" };
  }
  get mediaPorts(): MediaPorts {
    const { cloudinary, media, runs, pace, log } = this;
    return {
      cloudinary,
      media,
      runs,
      pace,
      log,
      vault: this.primary,
      otherVault: this.replica,
      download: (url, what, signal) => cloudinary.download(url, what, signal),
      metrics: {
        put: async (values) => {
          this.metrics.push(values as Record<string, number>);
          return [];
        },
      },
    };
  }
  sync(request: MediaRequest = DAILY, more: { ports?: MediaPorts; signal?: AbortSignal } = {}): Promise<MediaResult> {
    const signal = more.signal ?? new AbortController().signal;
    return syncMedia(request, this.mediaSettings, more.ports ?? this.mediaPorts, signal);
  }
  /** The same, when it is the next day. */
  nextDay(request: MediaRequest = DAILY): Promise<MediaResult> {
    this.pace.advance(24 * 3_600_000);
    return this.sync(request);
  }
  /** What the mirror shows now: text by path. */
  mirrored(): Record<string, string> {
    const prefix = mediaPrefix("usc-pis", "asset");
    const found: Record<string, string> = {};
    for (const [key, versions] of this.media.objects) {
      const last = versions.at(-1);
      if (key.startsWith(prefix) && last && !last.deleteMarker) found[key.slice(prefix.length)] = last.bytes.toString();
    }
    return found;
  }
  /** Paths whose facts are current. */
  described(): string[] {
    const prefix = mediaPrefix("usc-pis", "facts");
    const live = [...this.media.objects].filter(([key, all]) => key.startsWith(prefix) && !all.at(-1)?.deleteMarker);
    return live.map(([key]) => key.slice(prefix.length)).sort();
  }
  /** What Cloudinary holds: text by path. */
  original(): Record<string, string> {
    const live = [...this.cloudinary.assets].filter(([, { asset }]) => !asset.placeholder);
    return Object.fromEntries(live.map(([path, { bytes }]) => [path, bytes.toString()]));
  }
  facts(path: string) {
    const text = this.media.objects.get(mediaKeys("usc-pis", path).facts)?.at(-1)?.bytes.toString();
    if (!text) throw new UscPisError("test", `no facts of ${path}`);
    return JSON.parse(text);
  }
  /** Manifests, oldest first. */
  mediaManifests(): MediaManifest[] {
    return [...this.media.objects]
      .filter(([key]) => key.startsWith(mediaPrefix("usc-pis", "manifest")))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, [first]]) => parseMediaManifest(first?.bytes.toString() ?? "", { system: "usc-pis", key }));
  }
}

export async function mediaWorld(start?: string): Promise<MediaWorld> {
  const world = new MediaWorld(start);
  await world.claim();
  return world;
}
