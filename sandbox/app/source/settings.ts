/** The application's configuration, read from the same variables as the real one's. */
import type { ClientConfig } from "pg";

export interface Settings {
  secretKey: string;
  allowedHosts: string[];
  databaseUrl: string;
  /** Empty when it is not set: encrypted columns can't be read then. */
  pgpKey: string;
  useCloudinary: boolean;
  cloudName: string;
  port: number;
}

function required(environment: NodeJS.ProcessEnv, name: string): string {
  const value = environment[name];
  if (!value) throw new Error(`ImproperlyConfigured: the ${name} setting must not be empty`);
  return value;
}

export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  if (/^(1|true|yes)$/i.test(environment.DEBUG ?? ""))
    throw new Error("ImproperlyConfigured: DEBUG must be off on Heroku");
  return {
    secretKey: required(environment, "SECRET_KEY"),
    // A port after a host name is ignored: behind the sandbox's routers an app's address has one.
    allowedHosts: (environment.ALLOWED_HOSTS ?? "")
      .split(",")
      .map((host) => host.trim().toLowerCase().replace(/:\d+$/, ""))
      .filter((host) => host !== ""),
    databaseUrl: required(environment, "DATABASE_URL"),
    pgpKey: environment.PGP_ENCRYPTION_KEY ?? "",
    useCloudinary: environment.USE_CLOUDINARY === "True",
    cloudName: environment.CLOUDINARY_CLOUD_NAME ?? "",
    port: Number(environment.PORT ?? "8000"),
  };
}

/** Whether a Host header is allowed, by Django's rules: exact, `.domain` for its subdomains, `*` for all. */
export function isAllowedHost(header: string, allowed: readonly string[]): boolean {
  const host = header.toLowerCase().replace(/:\d+$/, "");
  return allowed.some((pattern) => {
    if (pattern === "*") return true;
    return pattern.startsWith(".") ? host === pattern.slice(1) || host.endsWith(pattern) : host === pattern;
  });
}

/** TLS without verification, as Heroku's self-signed certificates need, unless the URL says `sslmode=disable`. */
export function connection(databaseUrl: string): ClientConfig {
  const url = new URL(databaseUrl);
  const plain = url.searchParams.get("sslmode") === "disable";
  url.search = "";
  return { connectionString: url.toString(), ssl: plain ? false : { rejectUnauthorized: false } };
}
