// @ts-check
/** Receives the events of the bus by HTTP: each once, and never an older one of a row after a newer one. */

import { createHash, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

/** An event of Pinwright has a few kilobytes; EventBridge delivers 256 KB at most. */
const MAX_BODY_BYTES = 256 * 1024;

/**
 * @param {object} options
 * @param {string} options.key what the API destination sends in `x-pinwright-key`
 * @param {(event: any) => Promise<void> | void} options.handle if it throws, EventBridge sends the event again
 * @param {Map<string, number>} [options.versions] the newest version of each row that was handled: keep it in your database
 */
export function createReceiver({ key, handle, versions = new Map() }) {
  return createServer(async (request, response) => {
    if (!isSame(String(request.headers["x-pinwright-key"] ?? ""), key)) {
      response.writeHead(401).end();
      return;
    }
    try {
      const event = JSON.parse(await body(request));
      // The outer `id` is EventBridge's, and another one when an event comes again. This one names a row and its version.
      const [row, version] = event.detail.id.split("|");
      if (Number(version) > (versions.get(row) ?? 0)) {
        await handle(event);
        versions.set(row, Number(version));
      }
      response.writeHead(204).end();
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      response.writeHead(500).end();
    }
  });
}

/** @param {import("node:http").IncomingMessage} request */
async function body(request) {
  const parts = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) throw new Error("the body is too large");
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/**
 * Compares without telling by the time where texts differ.
 * @param {string} one
 * @param {string} other
 */
function isSame(one, other) {
  const hash = (/** @type {string} */ text) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(one), hash(other));
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { EVENTS_KEY, PORT = "8081" } = process.env;
  if (!EVENTS_KEY) throw new Error("set EVENTS_KEY to the key of the API destination");
  const handle = (/** @type {any} */ event) =>
    console.log(event["detail-type"], JSON.stringify(event.detail));
  createReceiver({ key: EVENTS_KEY, handle }).listen(Number(PORT), () =>
    console.log(`waiting on port ${PORT}`),
  );
}
