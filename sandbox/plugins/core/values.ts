/**
 * Values as the engine sends them: JSON with marks for secrets, unknowns, assets and archives. The numbers are the
 * protocol's own (sdk/go/common/resource/properties.go).
 */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7";
const ASSET = "c44067f5952c0a294b673a41bacd8c17";

/** Stands for a value that is only known once something has been created. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

// biome-ignore lint/suspicious/noExplicitAny: property values have no static type on this side of the wire.
export type Value = any;
export type Properties = { [key: string]: Value };

/** Where the secrets of a value lie: the whole of it, or some of its members. */
export type Secrets = true | { [key: string]: Secrets } | undefined;

function isObject(value: Value): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** True for an asset or archive, by its mark. */
export function isAsset(value: Value): boolean {
  return isObject(value) && (value[SIGNATURE] === ARCHIVE || value[SIGNATURE] === ASSET);
}

/** True if the value is unknown or holds something unknown. */
export function hasUnknown(value: Value): boolean {
  if (value === UNKNOWN) return true;
  if (Array.isArray(value)) return value.some(hasUnknown);
  return isObject(value) && Object.values(value).some(hasUnknown);
}

/** Takes the secret marks off a value and says where they were. Null members are dropped. */
export function open(value: Value): { value: Value; secrets: Secrets } {
  if (isObject(value) && value[SIGNATURE] === SECRET) return { value: open(value.value).value, secrets: true };
  if (Array.isArray(value) || (isObject(value) && !isAsset(value))) {
    const plain: Value = Array.isArray(value) ? [] : {};
    const secrets: { [key: string]: Secrets } = {};
    for (const [key, member] of Object.entries(value)) {
      if (member === null && !Array.isArray(value)) continue;
      const opened = open(member);
      plain[key] = opened.value;
      if (opened.secrets) secrets[key] = opened.secrets;
    }
    return { value: plain, secrets: Object.keys(secrets).length > 0 ? secrets : undefined };
  }
  return { value, secrets: undefined };
}

/** Puts the secret marks back. Undefined members are dropped; a mark on a member that is absent is ignored. */
export function seal(value: Value, secrets: Secrets): Value {
  if (value === undefined || value === null) return null;
  if (secrets === true) return { [SIGNATURE]: SECRET, value: seal(value, undefined) };
  if (Array.isArray(value)) return value.map((member, index) => seal(member, secrets?.[index]));
  if (!isObject(value)) return value;
  const sealed: Properties = {};
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined && member !== null) sealed[key] = seal(member, secrets?.[key]);
  }
  return sealed;
}

/** Both sets of marks. */
export function mergeSecrets(one: Secrets, two: Secrets): Secrets {
  if (one === true || two === true) return true;
  if (!one || !two) return one ?? two;
  const merged = { ...one };
  for (const [key, value] of Object.entries(two)) merged[key] = mergeSecrets(merged[key], value);
  return merged;
}

/** JSON with sorted keys: equal for equal values. */
export function canonical(value: Value): string {
  return JSON.stringify(value, (_key, member) =>
    isObject(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member,
  );
}
