/** Answers of Cloudinary, as far as we read them, and what we make of them. Unknown fields are let through. */
import { z } from "zod";

export const RESOURCE_TYPES = ["image", "raw", "video"] as const;
/** Delivery types whose originals Cloudinary holds. Others (`fetch` and social ones) only cache what lies elsewhere. */
export const DELIVERY_TYPES = ["upload", "private", "authenticated"] as const;

export type ResourceType = (typeof RESOURCE_TYPES)[number];
export type DeliveryType = (typeof DELIVERY_TYPES)[number];

/** What is listed at once: one resource type of one delivery type. */
export interface AssetKind {
  readonly resourceType: ResourceType;
  readonly type: DeliveryType;
}

/** What names an asset: a public id may be there once in each kind. */
export interface AssetName extends AssetKind {
  readonly publicId: string;
}

/** What may change without new bytes. */
export const assetFactsSchema = z.object({
  assetId: z.string().optional(),
  createdAt: z.string().optional(),
  folder: z.string().optional(),
  displayName: z.string().optional(),
  accessMode: z.string().optional(),
  tags: z.array(z.string()),
  context: z.record(z.string(), z.unknown()),
  metadata: z.unknown().optional(),
});
export type AssetFacts = z.infer<typeof assetFactsSchema>;

/** An asset as Cloudinary lists it. Listings carry no checksum: version and bytes tell one state from another. */
export interface Asset extends AssetName {
  readonly version: number;
  readonly bytes: number;
  readonly format?: string | undefined;
  /** Where the original is delivered; private and authenticated ones want a signature there. */
  readonly url: string;
  /** MD5 in hex, where the answer carried it: details do, listings don't. */
  readonly md5?: string | undefined;
  /** A deleted asset that Cloudinary keeps a backup of: it is listed, but gone. */
  readonly placeholder: boolean;
  readonly facts: AssetFacts;
}

const resourceSchema = z.object({
  public_id: z.string().min(1),
  version: z.number().int().positive(),
  bytes: z.number().int().nonnegative(),
  format: z.string().nullish(),
  secure_url: z.url(),
  etag: z.string().nullish(),
  placeholder: z.boolean().optional(),
  asset_id: z.string().optional(),
  created_at: z.string().optional(),
  asset_folder: z.string().nullish(),
  /** Environments with fixed folders say it so. */
  folder: z.string().nullish(),
  display_name: z.string().nullish(),
  access_mode: z.string().nullish(),
  tags: z.array(z.string()).optional(),
  context: z.record(z.string(), z.unknown()).optional(),
  metadata: z.unknown().optional(),
});
type Resource = z.infer<typeof resourceSchema>;

export function assetOf(kind: AssetKind, resource: Resource): Asset {
  const folder = resource.asset_folder ?? resource.folder;
  return {
    resourceType: kind.resourceType,
    type: kind.type,
    publicId: resource.public_id,
    version: resource.version,
    bytes: resource.bytes,
    ...(resource.format ? { format: resource.format } : {}),
    url: resource.secure_url,
    ...(/^[0-9a-f]{32}$/.test(resource.etag ?? "") ? { md5: resource.etag as string } : {}),
    placeholder: resource.placeholder === true,
    facts: {
      ...(resource.asset_id ? { assetId: resource.asset_id } : {}),
      ...(resource.created_at ? { createdAt: resource.created_at } : {}),
      ...(folder ? { folder } : {}),
      ...(resource.display_name ? { displayName: resource.display_name } : {}),
      ...(resource.access_mode ? { accessMode: resource.access_mode } : {}),
      tags: resource.tags ?? [],
      context: resource.context ?? {},
      ...(resource.metadata === undefined || isEmpty(resource.metadata) ? {} : { metadata: resource.metadata }),
    },
  };
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

export const pageSchema = z.object({ resources: z.array(resourceSchema), next_cursor: z.string().nullish() });
export const detailsSchema = resourceSchema;

/** The account's usage report: only what a listing is compared with. */
export const usageSchema = z.object({ resources: z.number().int().nonnegative(), plan: z.string().optional() });
