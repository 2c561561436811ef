/** The sample application in the real one's place: its releases, its synthetic data and its media. */
export { buildRelease, type ReleaseOptions, type SampleRelease } from "./release";
export { grow, type SeedOptions, type SeedResult, seed } from "./seed/index";
export { type MediaAsset, mediaAssets } from "./seed/media";
export { SYNTHETIC_PASSWORD, syntheticEmail } from "./seed/tables";
