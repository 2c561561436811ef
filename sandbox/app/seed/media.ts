/** Media of the synthetic clinic: what the tables refer to, as real small files. */
import { csv, jpeg, pdf, png } from "./files";
import { Dice } from "./random";

export interface MediaAsset {
  /** Full public id, folder included; for `raw` with its extension, as Cloudinary has it. */
  publicId: string;
  folder: string;
  resourceType: "image" | "raw";
  /** png, jpg, pdf or csv. */
  format: string;
  contentType: string;
  fileName: string;
  tags: string[];
  /** Contextual metadata, key and value. */
  context: Record<string, string>;
  bytes: Buffer;
}

/** How many of each kind there are at factor 1: 25 together. */
export const MEDIA_KINDS = {
  campaign_banners: 3,
  campaign_images: 6,
  health_info: 4,
  campaign_resources: 2,
  uploads: 7,
  profiles: 3,
} as const;

export type MediaKind = keyof typeof MEDIA_KINDS;

type Form = Pick<MediaAsset, "resourceType" | "format" | "contentType"> & { make(dice: Dice, title: string): Buffer };

const PNG: Form = {
  resourceType: "image",
  format: "png",
  contentType: "image/png",
  make: (dice) => png(dice, 64 + 16 * dice.below(12), 64 + 16 * dice.below(8)),
};
const JPEG: Form = {
  resourceType: "image",
  format: "jpg",
  contentType: "image/jpeg",
  make: (dice) => jpeg(dice, 20 + dice.below(60), 12 + dice.below(40)),
};
const PDF: Form = {
  resourceType: "raw",
  format: "pdf",
  contentType: "application/pdf",
  make: (_dice, title) => pdf(title),
};
const CSV: Form = {
  resourceType: "raw",
  format: "csv",
  contentType: "text/csv",
  make: (dice) => csv(dice, 20 + dice.below(200)),
};

/** Forms of a kind, taken in turn. */
const FORMS: Record<MediaKind, readonly [Form, ...Form[]]> = {
  campaign_banners: [JPEG],
  campaign_images: [PNG, JPEG],
  health_info: [PNG],
  campaign_resources: [PDF],
  uploads: [PDF, CSV, PNG],
  profiles: [PNG],
};

/** What an asset is called and what it is, without its bytes. `index` counts from 0 within the kind. */
export function mediaReference(kind: MediaKind, index: number): Omit<MediaAsset, "bytes"> & { form: Form } {
  const forms = FORMS[kind];
  const form = forms[index % forms.length] ?? forms[0];
  const folder = `usc_pis/${kind}`;
  const name = `${kind}_${String(index + 1).padStart(4, "0")}`;
  const fileName = `${name}.${form.format}`;
  return {
    publicId: `${folder}/${form.resourceType === "raw" ? fileName : name}`,
    folder,
    resourceType: form.resourceType,
    format: form.format,
    contentType: form.contentType,
    fileName,
    tags: ["usc-pis", kind],
    context: { caption: `Synthetic ${kind.replace("_", " ")} ${index + 1}`, source: "seed" },
    form,
  };
}

/** The asset with its bytes; the same for the same kind and index, always. */
export function mediaAsset(kind: MediaKind, index: number): MediaAsset {
  const { form, ...reference } = mediaReference(kind, index);
  return { ...reference, bytes: form.make(new Dice(reference.publicId), reference.context.caption ?? "") };
}

/** All media of the synthetic clinic, about 25 times the factor. @default factor 1 */
export function mediaAssets(factor = 1): MediaAsset[] {
  return (Object.keys(MEDIA_KINDS) as MediaKind[]).flatMap((kind) =>
    Array.from({ length: MEDIA_KINDS[kind] * factor }, (_, index) => mediaAsset(kind, index)),
  );
}
