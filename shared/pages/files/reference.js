// @ts-check
/** The API, as its contract says it. */

import { fill, h } from "./dom.js";
import { soon } from "./parts.js";
import { t } from "./text.js";

const METHODS = ["get", "post", "put", "patch", "delete"];

/** @type {import("./app.js").Page} */
export default async function page(main, signal) {
  fill(main, h("h1", {}, t("reference.title")), soon(12));
  const contract = await fetch("/openapi.json", { signal }).then((answer) => answer.json());
  const operations = Object.entries(contract.paths).flatMap(([path, methods]) =>
    METHODS.filter((method) => method in methods).map((method) => ({ path, method, ...methods[method] })),
  );
  fill(
    main,
    h("h1", {}, contract.info.title, " ", h("small", {}, contract.info.version)),
    h("p", { class: "lead" }, contract.info.description),
    h("p", {}, h("a", { href: "/openapi.json", target: "_blank" }, "openapi.json")),
    h("ul", { class: "bare" }, operations.map((one) => h("li", {}, operation(contract, one)))),
  );
}

/**
 * @param {any} contract
 * @param {any} one
 */
function operation(contract, one) {
  const body = one.requestBody?.content;
  const answers = Object.entries(one.responses ?? {});
  return h(
    "details",
    { class: "card operation" },
    h("summary", {}, h("code", { class: `method ${one.method}` }, one.method.toUpperCase()), " ", h("code", {}, one.path), h("span", {}, one.summary ?? one.description ?? "")),
    one.summary && one.description ? h("p", {}, one.description) : null,
    one.parameters?.length ? table(one.parameters.map((/** @type {any} */ told) => deref(contract, told)).map((/** @type {any} */ told) => [told.name, told.in, told.description, told.required])) : null,
    body ? Object.entries(body).map(([type, { schema }]) => [h("h2", {}, h("code", {}, type)), shape(contract, schema)]) : null,
    answers.map(([status, answer]) => {
      const told = deref(contract, answer);
      const [type, content] = Object.entries(told.content ?? {})[0] ?? [];
      return [h("h2", {}, h("b", { class: `tag ${status < "300" ? "published" : ""}` }, status), " ", told.description), content && type === "application/json" ? shape(contract, content.schema) : null];
    }),
  );
}

/**
 * @param {any} contract
 * @param {any} thing
 * @returns {any}
 */
function deref(contract, thing) {
  if (!thing?.$ref) return thing;
  return thing.$ref.slice(2).split("/").reduce((/** @type {any} */ at, /** @type {string} */ part) => at?.[part], contract);
}

/**
 * The fields of a schema, one level deep: what is deeper has a name of its own.
 * @param {any} contract
 * @param {any} schema
 * @returns {Element | null}
 */
function shape(contract, schema) {
  const own = deref(contract, schema);
  /** @type {Field[]} */
  const fields = [own, ...(own?.allOf ?? []).map((/** @type {any} */ part) => deref(contract, part))].flatMap((part) =>
    Object.entries(part?.properties ?? {}).map(([name, field]) => [name, kind(field), deref(contract, field)?.description ?? field.description, part.required?.includes(name)]),
  );
  if (fields.length) return table(fields);
  return own ? h("p", {}, h("code", {}, kind(own)), " ", own.description) : null;
}

/**
 * @param {any} schema
 * @returns {string}
 */
function kind(schema) {
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((/** @type {any} */ one) => JSON.stringify(one)).join(" | ");
  const any = schema.anyOf ?? schema.oneOf;
  if (any) return [...new Set(any.map(kind))].join(" | ");
  if (schema.items) return `${kind(schema.items)}[]`;
  return [schema.type].flat().filter(Boolean).join(" | ") || "any";
}

/**
 * Name, kind, meaning, and whether it is needed.
 * @typedef {[string, string, string | undefined, boolean]} Field
 */

/** @param {Field[]} rows */
function table(rows) {
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "group", "aria-label": rows.map(([name]) => name).join(", ") },
    h("table", {}, h("tbody", {}, rows.map(([name, type, text, needed]) => h("tr", {}, h("th", { scope: "row" }, h("code", {}, name), needed ? h("b", { title: t("reference.required") }, "*") : null), h("td", {}, h("code", {}, type)), h("td", {}, text))))),
  );
}
