// @ts-check
/** A development server: gives the files of this folder, and passes calls on to the local stack, which sends no CORS headers. */

import { readFile } from "node:fs/promises";
import { createServer, request } from "node:http";

const TYPES = { html: "text/html", js: "text/javascript", css: "text/css" };
const FILES = new Map(
  Object.entries({
    "/": "index.html",
    "/app.js": "app.js",
    "/style.css": "style.css",
    "/connected.html": "connected.html",
  }),
);

/** @param {() => string} stack the stack's address */
export function createFrontend(stack) {
  return createServer(async (asked, answer) => {
    const { pathname } = new URL(asked.url ?? "/", "http://localhost");
    const file = FILES.get(pathname);
    if (file) {
      const kind = /** @type {keyof typeof TYPES} */ (file.split(".").pop());
      answer.writeHead(200, { "Content-Type": `${TYPES[kind]}; charset=utf-8` });
      answer.end(await readFile(new URL(file, import.meta.url)));
      return;
    }
    const { method, headers } = asked;
    const target = new URL(asked.url ?? "/", stack());
    const passed = request(target, { method, headers: { ...headers, host: target.host } });
    passed.on("response", (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    passed.on("error", () => answer.writeHead(502).end());
    asked.pipe(passed);
  });
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const port = Number(process.env.PORT ?? 8080);
  createFrontend(() => process.env.STACK ?? "http://127.0.0.1:3000").listen(port, "127.0.0.1", () =>
    console.log(`http://127.0.0.1:${port}`),
  );
}
