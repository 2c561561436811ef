/** Admin API: fields of structured metadata, their choices, and whether a value fits its field. */
import { randomBytes } from "node:crypto";
import { flag, list, text } from "./encoding";
import type { Environment } from "./environment";
import { CloudinaryError, notCarriedOut } from "./errors";
import type { Params } from "./signature";
import type { MetadataField } from "./store";

const TYPES = ["string", "integer", "date", "enum", "set"];
const UNSUPPORTED = ["validation", "restrictions", "default_value", "default_disabled", "allow_dynamic_list_values"];

type Choice = NonNullable<MetadataField["datasource"]>["values"][number];

export async function metadataFields(env: Environment, method: string, path: string[], params: Params) {
  const table = env.store.state.metadataFields;
  const [id, part, ...rest] = path;
  if (id === undefined && method === "GET") return { metadata_fields: Object.values(table) };
  if (id === undefined && method === "POST") return created(env, params);
  const field = id === undefined ? undefined : table[id];
  if (id === undefined || field === undefined) throw new CloudinaryError(404, `External ID ${id} doesn't exist`);
  if (part !== undefined) return choices(env, method, field, [part, ...rest].join("/"), params);
  if (method === "GET") return field;
  if (method === "PUT") {
    refuseUnsupported(params);
    if (text(params, "type") !== "" && text(params, "type") !== field.type) {
      throw new CloudinaryError(400, "type of a metadata field can't be changed");
    }
    field.label = text(params, "label") || field.label;
    await env.store.commit();
    return field;
  }
  if (method !== "DELETE") throw notCarriedOut(`${method} metadata_fields`);
  delete table[id];
  for (const asset of Object.values(env.store.state.assets)) delete asset.metadata[id];
  await env.store.commit();
  return { message: "ok" };
}

async function created(env: Environment, params: Params): Promise<MetadataField> {
  const [type, label] = [text(params, "type"), text(params, "label")];
  if (label === "" || type === "") throw new CloudinaryError(400, "Missing required parameter - label or type");
  if (!TYPES.includes(type)) throw new CloudinaryError(400, `Invalid value ${type} for parameter type`);
  refuseUnsupported(params);
  const id = text(params, "external_id") || randomBytes(10).toString("hex");
  const table = env.store.state.metadataFields;
  if (table[id] !== undefined) throw new CloudinaryError(409, `external id ${id} already exists`);
  const field: MetadataField = {
    external_id: id,
    type,
    label,
    mandatory: false,
    default_value: null,
    validation: null,
  };
  if (type === "enum" || type === "set") field.datasource = { values: given(text(params, "datasource")) };
  table[id] = field;
  await env.store.commit();
  return field;
}

function refuseUnsupported(params: Params): void {
  const unsupported = UNSUPPORTED.find((name) => text(params, name) !== "" && text(params, name) !== "null");
  if (unsupported !== undefined) throw notCarriedOut(`${unsupported} of a metadata field`);
  if (flag(params, "mandatory") === true) throw notCarriedOut("a mandatory metadata field");
}

/** Choices as they come: `{"values":[{"external_id":…,"value":…}]}`, or the list alone. */
function given(json: string): Choice[] {
  const parsed = parse(json) as { values?: unknown } | unknown[];
  const values = (Array.isArray(parsed) ? parsed : parsed.values) as Partial<Choice>[] | undefined;
  if (!Array.isArray(values)) throw new CloudinaryError(400, "Missing required parameter - datasource");
  return values.map(({ external_id, value }) => {
    if (typeof value !== "string") throw new CloudinaryError(400, "Invalid datasource: each entry needs a value");
    return { external_id: external_id ?? randomBytes(10).toString("hex"), value, state: "active" };
  });
}

function parse(json: string): unknown {
  try {
    return json === "" ? {} : JSON.parse(json);
  } catch {
    throw new CloudinaryError(400, `Invalid datasource ${json}`);
  }
}

async function choices(env: Environment, method: string, field: MetadataField, part: string, params: Params) {
  const source = field.datasource;
  if (source === undefined) throw new CloudinaryError(400, `Field ${field.external_id} has no datasource`);
  const action = `${method} ${part}`;
  if (action === "PUT datasource") {
    const { values } = params;
    for (const choice of given(`[${Array.isArray(values) ? values.join(",") : ""}]`)) {
      const old = source.values.find(({ external_id }) => external_id === choice.external_id);
      if (old === undefined) source.values.push(choice);
      else old.value = choice.value;
    }
  } else if (action === "DELETE datasource" || action === "POST datasource_restore") {
    const ids = list(params, "external_ids");
    const missing = ids.find((id) => !source.values.some(({ external_id }) => external_id === id));
    if (missing !== undefined) throw new CloudinaryError(404, `External ID ${missing} doesn't exist`);
    for (const choice of source.values) {
      if (ids.includes(choice.external_id)) choice.state = method === "POST" ? "active" : "inactive";
    }
  } else throw notCarriedOut(`${action} of a metadata field`);
  await env.store.commit();
  return source;
}

/** Values for declared fields; anything else is refused, as Cloudinary does. An empty value takes the field away. */
export function withMetadata(
  env: Environment,
  before: Readonly<Record<string, unknown>>,
  values: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const result = { ...before };
  for (const [id, value] of Object.entries(values)) {
    const field = env.store.state.metadataFields[id];
    if (field === undefined) throw new CloudinaryError(400, `Metadata field with external id ${id} doesn't exist`);
    if (value === "" || (Array.isArray(value) && value.length === 0)) delete result[id];
    else result[id] = fitting(field, value);
  }
  return result;
}

function fitting(field: MetadataField, value: unknown): unknown {
  const refused = () => new CloudinaryError(400, `Value ${JSON.stringify(value)} is invalid for field ${field.label}`);
  const isChoice = (id: unknown) =>
    field.datasource?.values.some((choice) => choice.state === "active" && choice.external_id === id) ?? false;
  switch (field.type) {
    case "integer":
      if (!/^-?\d+$/.test(String(value))) throw refused();
      return Number(value);
    case "date":
      if (!/^\d{4}-\d\d-\d\d$/.test(String(value)) || Number.isNaN(Date.parse(String(value)))) throw refused();
      return value;
    case "enum":
      if (!isChoice(value)) throw refused();
      return value;
    case "set":
      if (!Array.isArray(value) || !value.every(isChoice)) throw refused();
      return value;
    default:
      if (typeof value !== "string") throw refused();
      return value;
  }
}
