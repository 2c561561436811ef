/** Puts the synthetic clinic into a running app: rows into its database, media into Cloudinary. */
import type * as sdk from "cloudinary";
import { InputError, UscPisError } from "../backup/errors";
import { Heroku } from "../clients/heroku";
import { type MediaAsset, mediaAssets, seed } from "./app";
import { cloudinaryUrl, serviceUrl } from "./environment";
import type { SandboxState } from "./supervisor/state";

export interface SeedSummary {
  app: string;
  /** Rows by table, those that migrations put there included. */
  tables: Record<string, number>;
  media: { assets: number; bytes: number };
}

/** The client of the Heroku emulator. */
export function herokuClient(state: SandboxState): Heroku {
  const url = serviceUrl(state, "heroku");
  return new Heroku({ apiKey: state.heroku.apiKey, apiUrl: url, dataApiUrl: url });
}

/** @throws UscPisError when the app has no database, or has been seeded before */
export async function seedApp(
  state: SandboxState,
  app: string,
  factor: number,
  signal?: AbortSignal,
): Promise<SeedSummary> {
  if (!Number.isInteger(factor) || factor < 1)
    throw new InputError(`--factor is ${factor}, expected a whole number from 1`);
  const vars = await herokuClient(state).configVars(app, signal);
  const { DATABASE_URL: databaseUrl, PGP_ENCRYPTION_KEY: pgpKey } = vars;
  if (!databaseUrl || !pgpKey) {
    const lacks = databaseUrl ? "PGP_ENCRYPTION_KEY" : "DATABASE_URL";
    throw new UscPisError("seed", `app ${app} has no ${lacks}, so it can't be seeded`, {
      hint: "deploy it first: npx pulumi up --stack sandbox-prod",
    });
  }
  const { tables } = await seed({ databaseUrl, factor, pgpKey });
  return { app, tables, media: await uploadMedia(state, mediaAssets(factor), signal) };
}

/** The official SDK, as the application uses it, and what each of its calls is given. */
export function cloudinarySdk(state: SandboxState) {
  // The SDK chooses between HTTP and HTTPS once, while it is loaded, by this variable.
  process.env.CLOUDINARY_URL = cloudinaryUrl(state);
  const { v2: cloudinary } = require("cloudinary") as typeof sdk;
  const { cloudName, apiKey, apiSecret } = state.cloudinary;
  const account = {
    cloud_name: cloudName,
    api_key: apiKey,
    api_secret: apiSecret,
    upload_prefix: serviceUrl(state, "cloudinary"),
  };
  return { cloudinary, account };
}

async function uploadMedia(state: SandboxState, assets: readonly MediaAsset[], signal?: AbortSignal) {
  const { cloudinary, account } = cloudinarySdk(state);
  let bytes = 0;
  for (const asset of assets) {
    signal?.throwIfAborted();
    const uploaded = await cloudinary.uploader.upload(
      `data:${asset.contentType};base64,${asset.bytes.toString("base64")}`,
      {
        ...account,
        public_id: asset.publicId,
        resource_type: asset.resourceType,
        tags: asset.tags,
        context: asset.context,
        overwrite: true,
      },
    );
    bytes += uploaded.bytes;
  }
  return { assets: assets.length, bytes };
}
