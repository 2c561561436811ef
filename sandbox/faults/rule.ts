/** A fault: which requests it hits, how often, and what happens to them. Pure. */
import { z } from "zod";

const count = z.number().int().min(0);
const oneOrMore = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);
const pattern = z.string().refine((text) => {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}, "expected a regular expression");

const ruleSchema = z.strictObject({
  /** By which it is listed and taken back: that of the catalogue, or one's own. */
  name: z.string().min(1).optional(),

  // Which requests; what is not named is not looked at.
  service: oneOrMore.optional(),
  region: oneOrMore.optional(),
  operation: oneOrMore.optional(),
  method: oneOrMore.optional(),
  /** Regular expression on the path, without the query. */
  path: pattern.optional(),
  /** Regular expressions on parameters of the query; a parameter that is not there has no match. */
  query: z.record(z.string(), pattern).optional(),

  /** Instead of requests: a switch inside the emulator, at which it looks when it comes to the point. */
  switch: z.string().min(1).optional(),
  /** What the switch is set to. */
  value: z.union([z.string(), z.number()]).optional(),

  // How often.
  /** How many it lets pass first. @default 0 */
  skip: count.optional(),
  /** How many it hits; by default all until it is taken back. */
  times: count.optional(),
  /** Of the others, which part it hits, from 0 to 1; the same seed gives the same ones. @default 1 */
  probability: z.number().min(0).max(1).optional(),
  seed: z.number().int().optional(),

  /** Milliseconds before anything else happens. */
  delayMs: count.optional(),

  // In the request's place. At most one of `status`, `cut: true` and `hang`.
  /** Answer with this status and carry nothing out. */
  status: z.number().int().min(200).max(599).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  /** A text is sent as it is, anything else as JSON. @default an error as the service words it, of code and message */
  body: z.unknown().optional(),
  code: z.string().optional(),
  message: z.string().optional(),
  /** Cut the connection: at once, or `answer`, when the request has been carried out and its answer would come. */
  cut: z.union([z.literal(true), z.literal("answer")]).optional(),
  /** Never answer. The client has to give up. */
  hang: z.literal(true).optional(),

  // To the answer's body, when the request has been carried out.
  /** Cut the connection after so many bytes of it. */
  cutAfter: count.optional(),
  /** End it after so many bytes, or so many too early. */
  truncateTo: count.optional(),
  truncateBy: count.optional(),
  /** Whether Content-Length still tells the true length of what was truncated; the connection then ends early. */
  keepLength: z.boolean().optional(),
  /** Turn over the lowest bit of the byte at this offset. */
  flipBitAt: count.optional(),
  /** Send this text instead; `headers` go with it. */
  replaceBody: z.string().optional(),
  /** Change fields of a JSON object, or of each in a list; null removes (RFC 7386, first level). */
  merge: z.record(z.string(), z.unknown()).optional(),
  /** In pieces of so many bytes, with a pause after each. */
  drip: z.strictObject({ bytes: z.number().int().positive(), pauseMs: count }).optional(),

  // To what is stored; by the gateway only. The client is told of success.
  /** The object or part is stored so many bytes shorter than it was sent. */
  shortenUpload: z.number().int().positive().optional(),
  /** This part, by its number, is missing when a multipart upload is completed. */
  dropPart: z.number().int().positive().optional(),
});

export type FaultRule = z.infer<typeof ruleSchema>;

/** Ways in which the answer's body is changed. */
const ON_BODY = ["cutAfter", "truncateTo", "truncateBy", "flipBitAt", "replaceBody", "merge", "drip"] as const;
const ON_UPLOAD = ["shortenUpload", "dropPart"] as const;
const INSTEAD = ["status", "cut", "hang"] as const;
/** Of these one says what the others say otherwise. */
const CONTENT = ["cutAfter", "truncateTo", "truncateBy", "replaceBody", "merge"] as const;
const MATCHERS = ["service", "region", "operation", "method", "path", "query"] as const;

function given<K extends keyof FaultRule>(rule: FaultRule, names: readonly K[]): K[] {
  return names.filter((name) => rule[name] !== undefined);
}

export function changesBody(rule: FaultRule): boolean {
  return given(rule, ON_BODY).length > 0 || rule.cut === "answer";
}

export function changesUpload(rule: FaultRule): boolean {
  return given(rule, ON_UPLOAD).length > 0;
}

/** What a service can carry out beside faults of requests. */
export interface Abilities {
  /** Names of its switches. */
  readonly switches?: readonly string[];
  /** Whether it can store something else than was sent. */
  readonly uploads?: boolean;
}

/** Why a rule makes no sense; undefined when it does. */
function contradiction(rule: FaultRule, abilities: Abilities): string | undefined {
  const effects = given(rule, ["delayMs", ...INSTEAD, ...ON_BODY, ...ON_UPLOAD]);
  if (rule.switch !== undefined) {
    const known = abilities.switches ?? [];
    if (!known.includes(rule.switch))
      return `there is no switch ${JSON.stringify(rule.switch)}, expected ${known.join(", ") || "none here"}`;
    const others = [...effects, ...given(rule, MATCHERS)];
    return others.length === 0 ? undefined : `a switch takes a value, not ${others.join(", ")}`;
  }
  if (effects.length === 0) return "it does nothing: expected a status, a cut, a delay or another effect";
  const whole = given(rule, INSTEAD);
  const parts = given(rule, [...ON_BODY, ...ON_UPLOAD]);
  if (whole.length > 1) return `${whole.join(" and ")} exclude each other`;
  if (whole.length === 1 && parts.length > 0) return `${whole[0]} leaves nothing for ${parts.join(", ")}`;
  const content = given(rule, CONTENT);
  if (content.length > 1) return `${content.join(" and ")} exclude each other`;
  if (rule.keepLength && rule.truncateTo === undefined && rule.truncateBy === undefined)
    return "keepLength goes with truncateTo or truncateBy";
  if (given(rule, ["body", "code", "message"]).length > 0 && rule.status === undefined)
    return "body, code and message go with a status";
  if (rule.headers !== undefined && rule.status === undefined && rule.replaceBody === undefined)
    return "headers go with a status or replaceBody";
  if (changesUpload(rule) && abilities.uploads !== true) return "only the gateway stores something else than was sent";
  return undefined;
}

/** A rule that can't be carried out. */
export class RuleError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "RuleError";
  }
}

/** @throws RuleError that says which rule, and what was expected */
export function parseRules(rules: unknown, abilities: Abilities = {}): FaultRule[] {
  if (!Array.isArray(rules)) throw new RuleError("rules must be a list");
  return rules.map((candidate, index) => {
    const parsed = ruleSchema.safeParse(candidate);
    const problem = parsed.success ? contradiction(parsed.data, abilities) : z.prettifyError(parsed.error);
    if (!parsed.success || problem !== undefined) throw new RuleError(`rule ${index + 1}: ${problem}`);
    return parsed.data;
  });
}
