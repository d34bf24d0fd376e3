// @ts-check
/** Calls the API: adds the token, repeats calls where that is safe, and throws errors that say what to do. */

import * as session from "./session.js";
import { t } from "./text.js";

/** An error response of the API (RFC 9457). */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {any} body
   */
  constructor(status, body) {
    super(body.detail ?? `HTTP ${status}`);
    this.status = status;
    /** @type {string} */
    this.code = body.code ?? "";
    /** @type {string} */
    this.fix = body.fix ?? t("error.again");
    /** @type {string | undefined} */
    this.field = body.field;
    /** @type {string | undefined} */
    this.requestId = body.request_id;
    /** @type {string | undefined} */
    this.pinId = body.pin_id;
  }
}

/** There was no complete response, so nobody knows whether the request was carried out. */
export class NetworkError extends Error {
  constructor() {
    super(t("error.network"));
    this.fix = t("error.network.fix");
  }
}

const MAX_ATTEMPTS = 4;
/** The pause before the second attempt. Each further pause is three times as long. */
const FIRST_BACKOFF_MS = 400;
/** Responses after which a GET is repeated. */
const TEMPORARY_STATUSES = [429, 502, 503, 504];

/** @param {number} milliseconds */
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Calls the API. After a network error it repeats a GET, and any call with an idempotency key, but nothing
 * else.
 * @param {string} method
 * @param {string} path
 * @param {CallOptions} [options]
 * @returns {Promise<any>}
 */
export async function callApi(method, path, options = {}) {
  const repeatable = method === "GET" || options.key !== undefined;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await attemptCall(method, path, options);
    } catch (error) {
      const unavailable = error instanceof Problem && TEMPORARY_STATUSES.includes(error.status);
      const temporary = error instanceof NetworkError || (unavailable && method === "GET");
      if (!temporary || !repeatable || attempt === MAX_ATTEMPTS) throw error;
      await sleep(FIRST_BACKOFF_MS * 3 ** (attempt - 1));
    }
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {CallOptions} options
 */
async function attemptCall(method, path, options) {
  const response = await sendRequest(method, path, options);
  if (response.status !== 401) return readResponse(response, options);
  // A request without a valid token has changed nothing, so it is sent again with a new token.
  await session.renewToken();
  return readResponse(await sendRequest(method, path, options), options);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {CallOptions} options
 */
async function sendRequest(method, path, { body, type, key, signal }) {
  const token = await session.accessToken();
  /** @type {Record<string, string>} */
  const headers = { Authorization: `Bearer ${token}` };
  if (body !== undefined) headers["Content-Type"] = type ?? "application/json";
  if (key !== undefined) headers["Idempotency-Key"] = key;
  try {
    return await fetch(path, {
      method,
      headers,
      signal,
      body: body instanceof Blob ? body : JSON.stringify(body),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new NetworkError();
  }
}

/**
 * @param {Response} response
 * @param {CallOptions} options
 */
async function readResponse(response, { file }) {
  if (response.ok && file) return response.blob();
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  if (response.ok) throw new NetworkError(); // the body is incomplete
  throw new Problem(response.status, body ?? {});
}

/**
 * All items of a list, read page by page.
 * @param {string} path
 * @param {AbortSignal} [signal]
 * @returns {Promise<any[]>}
 */
export async function fetchAll(path, signal) {
  const items = [];
  let cursor = null;
  do {
    const query = cursor ? `${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(cursor)}` : "";
    const page = await callApi("GET", path + query, { signal });
    items.push(...page.items);
    cursor = page.next;
  } while (cursor);
  return items;
}

/** A key for a request that must not be carried out twice. */
export function newIdempotencyKey() {
  return crypto.randomUUID();
}
