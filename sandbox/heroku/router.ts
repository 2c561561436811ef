/** Maps method and path to a handler. Patterns are paths with `:name` for one segment. */
import type { Handler } from "./http";

/** Who may call: a holder of an API key, a holder of the control token, or anybody (signed addresses guard themselves). */
export type Access = "key" | "control" | "public";

export interface Route {
  method: string;
  pattern: string;
  access: Access;
  handler: Handler;
}

export function route(method: string, pattern: string, handler: Handler, access: Access = "key"): Route {
  return { method, pattern, access, handler };
}

export interface Match {
  route: Route;
  params: Record<string, string>;
}

function segments(path: string): string[] {
  return path.split("/").filter((part) => part !== "");
}

function matchPath(pattern: readonly string[], path: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== path.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const actual = path[index] ?? "";
    if (part.startsWith(":")) params[part.slice(1)] = actual;
    else if (part !== actual) return undefined;
  }
  return params;
}

export class Router {
  private readonly table: { route: Route; parts: string[] }[];

  constructor(routes: readonly Route[]) {
    this.table = routes.map((route) => ({ route, parts: segments(route.pattern) }));
  }

  /** The first route that fits; `pathKnown` tells a wrong method from an unknown path. */
  find(method: string, path: string): { match?: Match; pathKnown: boolean } {
    let parts: string[];
    try {
      parts = segments(path).map(decodeURIComponent);
    } catch {
      return { pathKnown: false };
    }
    let pathKnown = false;
    for (const { route, parts: pattern } of this.table) {
      const params = matchPath(pattern, parts);
      if (!params) continue;
      if (route.method === method) return { match: { route, params }, pathKnown: true };
      pathKnown = true;
    }
    return { pathKnown };
  }
}
