/** Heroku's plans, as far as this project uses them: what exists, what is gone, and what came in its place. */

/** Plans that can be created today. Sources: Heroku's changelogs of 2022 (free plans) and 2024 (mini, basic). */
const POSTGRES = /^heroku-postgresql:(essential-[0-2]|(standard|premium|private|shield)-(0|[2-9]|10)(-[a-z0-9-]+)?)$/;
const REDIS = /^heroku-redis:(mini|(premium|private|shield)-(\d|1[0-4]))$/;

/** Retired plans and their successors; Heroku answers a retired one by an error at the end of a long `up`. */
const RETIRED: Readonly<Record<string, string>> = {
  "heroku-postgresql:dev": "heroku-postgresql:essential-0",
  "heroku-postgresql:hobby-dev": "heroku-postgresql:essential-0",
  "heroku-postgresql:hobby-basic": "heroku-postgresql:essential-1",
  "heroku-postgresql:mini": "heroku-postgresql:essential-0",
  "heroku-postgresql:basic": "heroku-postgresql:essential-1",
  "heroku-redis:hobby-dev": "heroku-redis:mini",
};

/** What is wrong with a plan, or undefined. */
export function planProblem(service: "postgres" | "redis", plan: string): string | undefined {
  const successor = Object.hasOwn(RETIRED, plan) ? RETIRED[plan] : undefined;
  if (successor) return `expected a plan that still exists: Heroku retired it, its successor is ${successor}`;
  if (service === "postgres" && !POSTGRES.test(plan)) {
    return "expected a plan of Heroku Postgres, such as heroku-postgresql:essential-0";
  }
  if (service === "redis" && !REDIS.test(plan)) return "expected a plan of Heroku Redis, such as heroku-redis:mini";
  return undefined;
}

/** Sizes of dynos that stay awake or sleep; Heroku compares them without case. */
export const DYNO_SIZES = [
  "eco",
  "basic",
  "standard-1x",
  "standard-2x",
  "performance-m",
  "performance-l",
  "performance-l-ram",
  "performance-xl",
  "performance-2xl",
] as const;

/** App names that Heroku accepts: they become host names. */
export const APP_NAME = /^[a-z](?:[a-z0-9-]{1,28})[a-z0-9]$/;
