/** Which parameters the emulator carries out, and which others a request may have because they ask for nothing. */
import { notCarriedOut } from "./errors";

const words = (text: string) => new Set(text.split(/\s+/));

/** Parameters that an unsigned upload may carry (Cloudinary's list, those that we carry out). */
export const UNSIGNED_ALLOWED = words(
  "upload_preset public_id folder asset_folder display_name filename_override public_id_prefix tags context metadata file",
);

/** Parameters of signed uploads and presets that the emulator carries out; others are refused. */
export const UPLOAD_PARAMS = words(
  `access_mode allowed_formats asset_folder backup context discard_original_filename display_name file filename_override
   folder format invalidate metadata notification_url overwrite public_id public_id_prefix tags type unique_filename
   upload_preset use_asset_folder_as_public_id_prefix use_filename use_filename_as_display_name timestamp api_key signature
   cloud_name resource_type`,
);

/** Attributes that `explicit` and the Admin API's update change. */
export const UPDATABLE = words("tags context metadata asset_folder display_name");

/** What names or authenticates a request for an update. `invalidate` empties caches, which there are none of here. */
export const IDENTIFYING = words(
  "public_id type resource_type timestamp api_key signature cloud_name invalidate notification_url",
);

/** Switches that SDKs send even when they are off. */
const SWITCHES = words(
  `accessibility_analysis async auto_chaptering auto_transcription cinemagraph_analysis clear_invalid colors eager_async exif
   faces image_metadata media_metadata phash quality_analysis return_delete_token unique_display_name visual_search`,
);

/** Whether a parameter asks for nothing: empty, or a switch that is off. */
export function noEffect(name: string, value: string): boolean {
  return value === "" || (SWITCHES.has(name) && (value === "false" || value === "0"));
}

export const DELIVERY_TYPES = ["upload", "private", "authenticated"] as const;

/** A delivery type that the emulator stores; `upload` unless named. */
export function deliveryType(type: string): string {
  const chosen = type || "upload";
  if (!(DELIVERY_TYPES as readonly string[]).includes(chosen)) throw notCarriedOut(`delivery type ${chosen}`);
  return chosen;
}
