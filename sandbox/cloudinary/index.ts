export { type CloudinaryOptions, type RunningCloudinary, startCloudinary } from "./server";
