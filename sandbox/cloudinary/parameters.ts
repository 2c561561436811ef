/** Which parameters the emulator carries out. */

/** Parameters that an unsigned upload may carry (Cloudinary's list, those that we carry out). */
export const UNSIGNED_ALLOWED = new Set(
  "upload_preset public_id folder asset_folder display_name filename_override public_id_prefix tags context metadata file".split(
    " ",
  ),
);

/** Parameters of signed uploads and presets that the emulator carries out; others are refused. */
export const UPLOAD_PARAMS = new Set(
  (
    "access_mode allowed_formats asset_folder backup context discard_original_filename display_name file filename_override " +
    "folder invalidate metadata notification_url overwrite public_id public_id_prefix tags type unique_filename " +
    "upload_preset use_filename use_filename_as_display_name timestamp api_key signature cloud_name resource_type"
  ).split(" "),
);

export const DELIVERY_TYPES = ["upload", "private", "authenticated"] as const;
