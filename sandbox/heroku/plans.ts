/** Add-on services and plans that the emulator sells, and the retired ones that it refuses by name. */
import { ApiError, invalid } from "./http";

/** How far back scheduled backups go beyond the daily ones of the last seven days. */
export interface Retention {
  weeks: number;
  months: number;
}

export interface Plan {
  /** Full name, `service:plan`. */
  name: string;
  humanName: string;
  /** Price in US cents a month. */
  cents: number;
  isDefault: boolean;
  /** Postgres only: connection limit of the plan. */
  connections: number;
  /** Postgres only: how many manual backups are kept before the oldest goes. */
  manualBackups: number;
}

function postgres(plan: string, humanName: string, cents: number, connections: number, manualBackups: number): Plan {
  return {
    name: `heroku-postgresql:${plan}`,
    humanName,
    cents,
    connections,
    manualBackups,
    isDefault: plan === "essential-0",
  };
}

function redis(plan: string, humanName: string, cents: number): Plan {
  return {
    name: `heroku-redis:${plan}`,
    humanName,
    cents,
    connections: 0,
    manualBackups: 0,
    isDefault: plan === "mini",
  };
}

/**
 * Prices of essential-0, essential-1 and redis mini from the CLI's own fixtures; connections of the essential plans from
 * public statements. Manual backups: 25 for standard is documented; 5 for the essential tier is that of the plans they
 * replaced and is not confirmed.
 */
const PLANS: readonly Plan[] = [
  postgres("essential-0", "Essential 0", 500, 20, 5),
  postgres("essential-1", "Essential 1", 900, 20, 5),
  postgres("essential-2", "Essential 2", 2000, 40, 5),
  postgres("standard-0", "Standard 0", 5000, 120, 25),
  postgres("standard-2", "Standard 2", 20000, 400, 25),
  postgres("premium-0", "Premium 0", 20000, 120, 50),
  redis("mini", "Mini", 300),
  redis("premium-0", "Premium 0", 1500),
  redis("premium-1", "Premium 1", 3000),
];

const RETIRED = [
  "heroku-postgresql:mini",
  "heroku-postgresql:basic",
  "heroku-postgresql:hobby-dev",
  "heroku-postgresql:hobby-basic",
  "heroku-redis:hobby-dev",
];

export function plansOf(service: string): readonly Plan[] {
  return PLANS.filter((plan) => plan.name.startsWith(`${service}:`));
}

/** The plan that a name means; a service alone means its default plan. */
export function findPlan(name: string): Plan {
  if (RETIRED.includes(name))
    throw invalid(`The plan ${name} has reached its end of life and can't be provisioned any more.`);
  const plan = PLANS.find((one) => one.name === name || (one.isDefault && one.name.startsWith(`${name}:`)));
  if (!plan)
    throw new ApiError(404, "not_found", `Couldn't find either the add-on service or the add-on plan of "${name}".`);
  return plan;
}

export function manualBackupsKept(planName: string): number {
  return findPlan(planName).manualBackups;
}

/** By tier, as it was documented for the hobby (here: essential), standard and premium tiers; not confirmed since. */
export function scheduledRetention(planName: string): Retention {
  const { name } = findPlan(planName);
  if (name.includes(":premium")) return { weeks: 8, months: 12 };
  return { weeks: name.includes(":standard") ? 4 : 1, months: 0 };
}

export function serviceOf(planName: string): string {
  return planName.split(":")[0] ?? planName;
}
