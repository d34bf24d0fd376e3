// @ts-check
/** The API reference, made from the OpenAPI document. */

import { fill, h } from "./dom.js";
import { t } from "./text.js";
import { skeleton } from "./widgets.js";

const METHODS = ["get", "post", "put", "patch", "delete"];

/** @type {Page} */
export default async function page(main, signal) {
  fill(main, h("h1", {}, t("reference.title")), skeleton(12));
  const contract = await fetch("/openapi.json", { signal }).then((response) => response.json());
  const operations = Object.entries(contract.paths).flatMap(([path, methods]) =>
    METHODS.filter((method) => method in methods).map((method) => ({ path, method, ...methods[method] })),
  );
  fill(
    main,
    h("h1", {}, contract.info.title, " ", h("small", {}, contract.info.version)),
    h("p", { class: "lead" }, contract.info.description),
    h("p", {}, h("a", { href: "/openapi.json", target: "_blank" }, "openapi.json")),
    h(
      "ul",
      { class: "bare" },
      operations.map((operation) => h("li", {}, operationCard(contract, operation))),
    ),
  );
}

/**
 * @param {any} contract
 * @param {any} operation
 */
function operationCard(contract, operation) {
  const { method, path, summary, description, parameters = [], requestBody, responses = {} } = operation;
  return h(
    "details",
    { class: "card operation" },
    h(
      "summary",
      {},
      h("code", { class: `method ${method}` }, method.toUpperCase()),
      " ",
      h("code", {}, path),
      h("span", {}, summary ?? description ?? ""),
    ),
    summary && description ? h("p", {}, description) : null,
    parameters.length
      ? fieldTable(parameters.map((/** @type {any} */ item) => parameterField(contract, item)))
      : null,
    Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) => [
      h("h2", {}, h("code", {}, type)),
      schemaContent(contract, schema),
    ]),
    Object.entries(responses).map(([status, response]) => responseContent(contract, status, response)),
  );
}

/**
 * @param {any} contract
 * @param {any} parameter
 * @returns {ReferenceField}
 */
function parameterField(contract, parameter) {
  const { name, in: location, description, required } = resolveRef(contract, parameter);
  return { name, type: location, description, required };
}

/**
 * @param {any} contract
 * @param {string} status
 * @param {any} response
 */
function responseContent(contract, status, response) {
  const { description, content = {} } = resolveRef(contract, response);
  const [type, body] = Object.entries(content)[0] ?? [];
  const tag = h("b", { class: `tag ${status < "300" ? "published" : ""}` }, status);
  return [
    h("h2", {}, tag, " ", description),
    type === "application/json" ? schemaContent(contract, body.schema) : null,
  ];
}

/**
 * Follows a `$ref` within the contract.
 * @param {any} contract
 * @param {any} value
 * @returns {any}
 */
function resolveRef(contract, value) {
  if (!value?.$ref) return value;
  /** @type {string[]} */
  const keys = value.$ref.slice(2).split("/");
  return keys.reduce((/** @type {any} */ object, key) => object?.[key], contract);
}

/**
 * The fields of a schema, one level deep. Nested schemas are shown by their name.
 * @param {any} contract
 * @param {any} schema
 * @returns {Element | null}
 */
function schemaContent(contract, schema) {
  const resolved = resolveRef(contract, schema);
  const parts = [
    resolved,
    ...(resolved?.allOf ?? []).map((/** @type {any} */ part) => resolveRef(contract, part)),
  ];
  /** @type {ReferenceField[]} */
  const fields = parts.flatMap((part) =>
    Object.entries(part?.properties ?? {}).map(([name, field]) => ({
      name,
      type: typeName(field),
      description: resolveRef(contract, field)?.description ?? field.description,
      required: part.required?.includes(name),
    })),
  );
  if (fields.length) return fieldTable(fields);
  return resolved ? h("p", {}, h("code", {}, typeName(resolved)), " ", resolved.description) : null;
}

/**
 * @param {any} schema
 * @returns {string}
 */
function typeName(schema) {
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((/** @type {any} */ value) => JSON.stringify(value)).join(" | ");
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants) return [...new Set(variants.map(typeName))].join(" | ");
  if (schema.items) return `${typeName(schema.items)}[]`;
  return [schema.type].flat().filter(Boolean).join(" | ") || "any";
}

/** @param {ReferenceField[]} fields */
function fieldTable(fields) {
  const row = (/** @type {ReferenceField} */ { name, type, description, required }) => {
    const marker = required ? h("b", { title: t("reference.required") }, "*") : null;
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, h("code", {}, name), marker),
      h("td", {}, h("code", {}, type)),
      h("td", {}, description),
    );
  };
  const label = fields.map(({ name }) => name).join(", ");
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "group", "aria-label": label },
    h("table", {}, h("tbody", {}, fields.map(row))),
  );
}
