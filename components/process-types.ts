/** Processes of the app's Procfile that run all the time. `release` is run by Heroku itself, on every release. */
export const PROCESS_TYPES = ["web", "worker", "beat"] as const;
export type ProcessType = (typeof PROCESS_TYPES)[number];
