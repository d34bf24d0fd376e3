// @ts-check
/** Calls of the API: with the token, with patience where that is safe, and with errors that say what to do. */

import * as session from "./session.js";
import { t } from "./text.js";

/** What the API refuses, in its own words (RFC 9457). */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {any} document
   */
  constructor(status, document) {
    super(document.detail ?? `HTTP ${status}`);
    this.status = status;
    /** @type {string} */
    this.code = document.code ?? "";
    /** @type {string} */
    this.fix = document.fix ?? t("error.again");
    /** @type {string | undefined} */
    this.field = document.field;
    /** @type {string | undefined} */
    this.requestId = document.request_id;
    /** @type {string | undefined} */
    this.pin = document.pin_id;
  }
}

/** Nothing was heard: whether it was done is not known. */
export class Unheard extends Error {
  constructor() {
    super(t("error.network"));
    this.fix = t("error.network.fix");
  }
}

/** How often a call is tried that may be repeated, and how long the first pause is, in milliseconds. */
const TRIES = 4;
const PAUSE = 400;

/** @param {number} milliseconds */
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * @typedef {object} Options
 * @property {unknown} [body] sent as JSON, or as it is if it is a `Blob`
 * @property {string} [type] the body's type, if it is a `Blob`
 * @property {string} [key] the `Idempotency-Key`: makes a request repeatable
 * @property {AbortSignal} [signal]
 */

/**
 * Asks the API. Reading, and what carries a key, is repeated when nothing is heard; nothing else is.
 * @param {string} method
 * @param {string} path
 * @param {Options} [options]
 * @returns {Promise<any>}
 */
export async function call(method, path, options = {}) {
  const repeatable = method === "GET" || options.key !== undefined;
  for (let round = 1; ; round += 1) {
    try {
      return await once(method, path, options);
    } catch (error) {
      const passing = error instanceof Unheard || (error instanceof Problem && [429, 502, 503, 504].includes(error.status) && method === "GET");
      if (!passing || !repeatable || round === TRIES) throw error;
      await pause(PAUSE * 3 ** (round - 1));
    }
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Options} options
 */
async function once(method, path, options) {
  const answer = await send(method, path, options);
  if (answer.status !== 401) return read(answer);
  // Whoever is not let in has done nothing yet: the call is made again, as soon as somebody is signed in.
  await session.renew();
  return read(await send(method, path, options));
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Options} options
 */
async function send(method, path, { body, type, key, signal }) {
  const token = await session.token();
  /** @type {Record<string, string>} */
  const headers = { Authorization: `Bearer ${token}` };
  if (body !== undefined) headers["Content-Type"] = type ?? "application/json";
  if (key !== undefined) headers["Idempotency-Key"] = key;
  try {
    return await fetch(path, { method, headers, signal, body: body instanceof Blob ? body : JSON.stringify(body) });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unheard();
  }
}

/** @param {Response} answer */
async function read(answer) {
  const document = await answer.json().catch(() => null);
  if (answer.ok && document !== null) return document;
  if (answer.ok) throw new Unheard(); // cut off on its way
  throw new Problem(answer.status, document ?? {});
}

/**
 * Everything of a list, page by page.
 * @param {string} path
 * @param {AbortSignal} [signal]
 * @returns {Promise<any[]>}
 */
export async function all(path, signal) {
  const items = [];
  let next = null;
  do {
    const after = next ? `${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(next)}` : "";
    const page = await call("GET", path + after, { signal });
    items.push(...page.items);
    next = page.next;
  } while (next);
  return items;
}

/** A key for a request that must not be done twice. */
export function newKey() {
  return crypto.randomUUID();
}
