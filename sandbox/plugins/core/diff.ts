import { inputDifferences } from "./compare";
import type { ResourceType } from "./types";
import type { Properties } from "./values";

/** Outcome of a diff, in the protocol's terms. */
export interface DiffOutcome {
  changed: boolean;
  replaces: string[];
  deleteBeforeReplace: boolean;
  detailed: { path: string; kind: "add" | "delete" | "update"; replace: boolean }[];
}

export const topLevel = (path: string) => path.split(/[.[]/, 1)[0] ?? path;

/** What gets from the state to the program's inputs. */
export function diffOf<C>(
  type: ResourceType<C>,
  olds: Properties,
  news: Properties,
  how: {
    /** `ignoreChanges` of the program. */
    ignored: string[];
    /** Replacements create first, even under a name that can exist only once. */
    createsFirst: boolean;
    /** Differences that no input shows. */
    extra: string[];
  },
): DiffOutcome {
  const skip = (path: string) =>
    how.ignored.some((entry) => path === entry || path.startsWith(`${entry}.`) || path.startsWith(`${entry}[`));
  const detailed = inputDifferences(olds, news, type.inputs).filter(({ path }) => !skip(path));
  for (const path of how.extra) {
    detailed.push({ path, kind: "update", replace: type.inputs[topLevel(path)]?.replace === true });
  }
  const changed = new Set(detailed.map(({ path }) => topLevel(path)));
  const forced = new Set(type.replaceWhen?.(olds, news, changed) ?? []);
  for (const entry of detailed) if (forced.has(topLevel(entry.path))) entry.replace = true;
  const replaces = [...new Set(detailed.filter((entry) => entry.replace).map(({ path }) => topLevel(path)))];
  const deletesFirst = type.deleteBeforeReplace === true || (!how.createsFirst && sameName(type, olds, news));
  return {
    changed: detailed.length > 0,
    replaces,
    deleteBeforeReplace: replaces.length > 0 && deletesFirst,
    detailed,
  };
}

/** Two things of one name can't exist at a time: the bridge deletes first if the program gave the name. */
function sameName<C>(type: ResourceType<C>, olds: Properties, news: Properties): boolean {
  const defaults: string[] = Array.isArray(news.__defaults) ? news.__defaults : [];
  return Object.entries(type.inputs).some(
    ([name, input]) => input.autoname && !defaults.includes(name) && news[name] === olds[name],
  );
}
