/** The web process: the paths of the real application, with answers from the same tables. */
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Pool } from "pg";
import { checkPassword } from "./passwords";
import { connection, isAllowedHost, type Settings } from "./settings";

declare const RELEASE_VERSION: string;

/** Largest form that is read, in bytes. */
const MAX_BODY = 64 * 1024;

/** Tables whose row counts the health endpoint tells. */
const COUNTED = ["authentication_user", "patients_patient", "patients_medicalrecord", "health_info_healthcampaign"];

/** Lists behind a login: path, table, and the columns that are shown. */
const LISTS: Record<string, { table: string; columns: string; isPublic?: boolean }> = {
  "/api/health-info/": {
    table: "health_info_healthcampaign",
    columns: "id, title, description, status, banner_image",
    isPublic: true,
  },
  "/api/feedback/": { table: "feedback_feedback", columns: "id, patient_id, rating, comments" },
  "/api/files/": {
    table: "file_uploads_uploadedfile",
    columns: "id, original_filename, file, content_type, size, checksum",
  },
  "/api/medical-certificates/": {
    table: "medical_certificates_medicalcertificate",
    columns: "id, patient_id, template_id, valid_from, valid_until, approval_status, file",
  },
  "/api/notifications/": { table: "notifications_notification", columns: "id, title, message, is_read" },
  "/api/reports/": { table: "reports_generatedreport", columns: "id, template_id, status, file" },
  "/api/utils/": { table: "utils_backupstatus", columns: "id, backup_type, status, started_at, completed_at" },
};

interface User {
  id: string;
  username: string;
  role: string;
}

class HttpError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = "";
  for await (const chunk of request) {
    text += chunk;
    if (text.length > MAX_BODY) throw new HttpError(413, "Request entity too large.");
  }
  if (request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded"))
    return Object.fromEntries(new URLSearchParams(text));
  try {
    const value: unknown = JSON.parse(text || "{}");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    throw new HttpError(400, "JSON parse error");
  }
}

function html(title: string, body: string): string {
  return `<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>${title}</title></head><body>${body}</body></html>\n`;
}

export class Site {
  private readonly pool: Pool;

  constructor(private readonly settings: Settings) {
    this.pool = new Pool({ ...connection(settings.databaseUrl), max: 4, connectionTimeoutMillis: 5000 });
    // A restore cuts connections: the next query makes a new one.
    this.pool.on("error", (error) => console.error(`database connection lost: ${error.message}`));
  }

  async health(): Promise<{ status: number; body: unknown }> {
    const version = RELEASE_VERSION;
    try {
      const counts: Record<string, number> = {};
      for (const table of COUNTED) counts[table] = await this.count(table);
      return { status: 200, body: { status: "healthy", database: "ok", version, counts } };
    } catch (error) {
      return {
        status: 503,
        body: { status: "unhealthy", database: error instanceof Error ? error.message : "error", version },
      };
    }
  }

  async login(body: Record<string, unknown>): Promise<{ token: string; user: User }> {
    const email = String(body.email ?? body.username ?? "");
    const { rows } = await this.pool.query<User & { password: string }>(
      "SELECT id, username, role, password FROM authentication_user WHERE (email = $1 OR username = $1) AND is_active",
      [email],
    );
    const user = rows[0];
    if (!user || !checkPassword(String(body.password ?? ""), user.password))
      throw new HttpError(400, "Invalid credentials");
    await this.pool.query(
      "INSERT INTO authtoken_token (key, user_id) VALUES ($1, $2) ON CONFLICT (user_id) DO NOTHING",
      [randomBytes(20).toString("hex"), user.id],
    );
    const found = await this.pool.query<{ key: string }>("SELECT key FROM authtoken_token WHERE user_id = $1", [
      user.id,
    ]);
    return { token: found.rows[0]?.key ?? "", user: { id: user.id, username: user.username, role: user.role } };
  }

  async requireUser(request: IncomingMessage): Promise<User> {
    const [, key] = /^Token ([0-9a-f]{40})$/.exec(request.headers.authorization ?? "") ?? [];
    if (!key) throw new HttpError(401, "Authentication credentials were not provided.");
    const { rows } = await this.pool.query<User>(
      "SELECT u.id, username, role FROM authtoken_token t JOIN authentication_user u ON u.id = t.user_id WHERE key = $1 AND is_active",
      [key],
    );
    if (!rows[0]) throw new HttpError(401, "Invalid token.");
    return rows[0];
  }

  /** Patients with their encrypted columns opened: a wrong PGP_ENCRYPTION_KEY shows here. */
  async patients(search: string): Promise<unknown> {
    if (this.settings.pgpKey === "") throw new HttpError(500, "PGP_ENCRYPTION_KEY is not set");
    const { rows } = await this.pool.query(
      `SELECT id, first_name, last_name, date_of_birth::text, gender, email,
              pgp_sym_decrypt(address_encrypted, $1) AS address, pgp_sym_decrypt(phone_encrypted, $1) AS phone
         FROM patients_patient WHERE $2 = '' OR first_name || ' ' || last_name ILIKE '%' || $2 || '%' ORDER BY id LIMIT 100`,
      [this.settings.pgpKey, search],
    );
    return { count: rows.length, results: rows };
  }

  async records(path: string): Promise<unknown> {
    const { table, columns } = LISTS[path] as { table: string; columns: string };
    const { rows } = await this.pool.query(`SELECT ${columns} FROM ${table} ORDER BY id LIMIT 100`);
    return { count: await this.count(table), results: rows };
  }

  private async count(table: string): Promise<number> {
    const { rows } = await this.pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`);
    return rows[0]?.n ?? 0;
  }
}

async function serve(
  site: Site,
  settings: Settings,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const send = (status: number, type: string, text: string, headers: Record<string, string> = {}) => {
    response.writeHead(status, {
      "Content-Type": `${type}; charset=utf-8`,
      "Content-Length": Buffer.byteLength(text),
      "X-Content-Type-Options": "nosniff",
      "X-Frame-Options": "DENY",
      "Referrer-Policy": "same-origin",
      "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
      ...headers,
    });
    response.end(request.method === "HEAD" ? undefined : text);
  };
  const json = (status: number, body: unknown) => send(status, "application/json", JSON.stringify(body));
  try {
    if (!isAllowedHost(request.headers.host ?? "", settings.allowedHosts))
      return send(400, "text/html", html("Bad Request", "<h1>Bad Request (400)</h1>"));
    const url = new URL(request.url ?? "/", "http://app.invalid");
    const path = url.pathname;
    if (path === "/")
      return send(
        200,
        "text/html",
        html("USC-PIS", `<div id="root"><h1>USC Patient Information System</h1></div><!-- ${RELEASE_VERSION} -->`),
      );
    if (path === "/admin/") return send(302, "text/html", "", { Location: "/admin/login/?next=/admin/" });
    if (path === "/admin/login/")
      return send(
        200,
        "text/html",
        html(
          "Log in",
          '<form method="post" id="login-form"><input name="username"><input name="password" type="password"></form>',
        ),
      );
    if (path === "/api/health/") {
      const { status, body } = await site.health();
      return json(status, body);
    }
    if (path === "/api/auth/") return json(200, { login: "/api/auth/login/", profile: "/api/auth/profile/" });
    if (path === "/api/auth/login/") {
      if (request.method !== "POST") throw new HttpError(405, 'Method "GET" not allowed.');
      return json(200, await site.login(await readBody(request)));
    }
    if (path === "/api/auth/profile/") return json(200, await site.requireUser(request));
    if (path === "/api/patients/") {
      await site.requireUser(request);
      return json(200, await site.patients(url.searchParams.get("search") ?? ""));
    }
    const list = LISTS[path];
    if (list) {
      if (!list.isPublic) await site.requireUser(request);
      return json(200, await site.records(path));
    }
    throw new HttpError(404, "Not found.");
  } catch (error) {
    if (error instanceof HttpError) return json(error.status, { detail: error.message });
    console.error(error);
    if (!response.headersSent) json(500, { detail: "Server error" });
  }
}

export function startWeb(settings: Settings): void {
  const site = new Site(settings);
  const server = createServer((request, response) => {
    const started = Date.now();
    response.on("finish", () =>
      console.log(`${request.method} ${request.url?.split("?")[0]} ${response.statusCode} ${Date.now() - started}ms`),
    );
    void serve(site, settings, request, response);
  });
  server.listen(settings.port, "127.0.0.1", () =>
    console.log(`web ${RELEASE_VERSION} listens on port ${settings.port}`),
  );
  process.on("SIGTERM", () => process.exit(0));
}
