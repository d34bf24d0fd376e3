// @ts-check
/** The stack of `cargo run`, started for a test on ports of its own, with nothing kept. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";

const ROOT = new URL("../..", import.meta.url).pathname;

/** The least that a JPEG can be. */
const JPEG = Buffer.from("/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AN//Z", "base64");
/** A picture of nothing in particular. */
const PICTURE = `<svg xmlns="http://www.w3.org/2000/svg" width="400" height="600"><rect width="400" height="600" fill="#5b8c5a"/><circle cx="200" cy="300" r="120" fill="#d9e8c5"/></svg>`;

/** A running stack, and a host of pictures beside it. */
export class Stack {
  /** @param {{ url: string, pinterest: string, images: string, server: import("node:http").Server, process: import("node:child_process").ChildProcess }} parts */
  constructor({ url, pinterest, images, server, process }) {
    this.url = url;
    this.pinterest = pinterest;
    /** Where there is a picture under any name. */
    this.images = images;
    this.server = server;
    this.process = process;
  }

  /** @param {Record<string, string>} [variables] settings beyond the usual */
  static async start(variables = {}) {
    const server = createServer((request, answer) => {
      const type = request.url?.endsWith(".jpg") ? "image/jpeg" : "image/svg+xml";
      answer.writeHead(200, { "Content-Type": type });
      answer.end(type === "image/jpeg" ? JPEG : PICTURE);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const host = `127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`;
    const child = spawn("cargo", ["run", "--quiet", "--locked", "--", "--port", "0", "--data", ":memory:"], {
      cwd: ROOT,
      env: { ...process.env, PINWRIGHT_FETCH_ALLOW: host, ...variables },
      stdio: ["ignore", "pipe", "ignore"],
      detached: true, // so that all of it can be ended
    });
    const [url, pinterest] = await new Promise((resolve, reject) => {
      let said = "";
      child.stdout.on("data", (some) => {
        said += some;
        const found = [...said.matchAll(/http:\/\/127\.0\.0\.1:\d+/g)].map(([address]) => address);
        if (said.includes("Ctrl-C")) resolve(found);
      });
      child.on("exit", () => reject(new Error(`the stack did not start: ${said}`)));
    });
    return new Stack({ url, pinterest, images: `http://${host}`, server, process: child });
  }

  async stop() {
    const ended = once(this.process, "exit");
    process.kill(-(this.process.pid ?? 0), "SIGINT");
    await ended;
    this.server.close();
    this.server.closeAllConnections();
  }

  /**
   * @param {string} path
   * @param {unknown} body
   * @param {string} [base]
   */
  async post(path, body, base = this.url) {
    const answer = await fetch(base + path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? null : answer.json();
  }

  /**
   * Asks the API as somebody who may do everything.
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   */
  async api(method, path, body) {
    const { token } = await this.post("/dev/token", { sub: "ada", admin: true });
    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
    const answer = await fetch(this.url + path, { method, headers, body: JSON.stringify(body) });
    return answer.json();
  }

  /**
   * Moves the clock, with all that falls due on the way.
   * @param {number} seconds
   */
  advance(seconds) {
    return this.post("/dev/advance", { seconds });
  }

  /** @param {Record<string, unknown>} fault */
  fault(fault) {
    return this.post("/sim/faults", fault, this.pinterest);
  }
}

/**
 * A connected account with Pins of many kinds.
 * @param {Stack} stack
 * @param {import("./people.js").Person} ada
 * @param {"sandbox" | "production"} [environment]
 */
export async function furnish(stack, ada, environment = "sandbox") {
  await stack.api("PUT", "/api/v1/admin/integrations/pinterest", { app_id: "1234567", app_secret: "simulated-app-secret", status: "enabled", environment });
  await ada.goes("/app/channels");
  await ada.signsIn();
  await ada.page.getByRole("button", { name: "Connect", exact: true }).click();
  await ada.allows();
  await ada.page.getByRole("button", { name: "Recipes" }).click();
  await ada.page.getByText("Default board: Recipes").waitFor();
  const channel = (await stack.api("GET", "/api/v1/channels")).items[0].id;
  const titles = ["Green salad", "Bean salad with mint", "Lemon tart", "Şakşuka", "A table for two by the sea"];
  for (const [at, title] of titles.entries()) {
    const later = at > 1 ? { publish_at: new Date(Date.now() + at * 86_400_000).toISOString() } : {};
    await stack.api("POST", "/api/v1/pins", { channel_id: channel, title, description: "Ten minutes, one bowl.", media: { kind: "image", url: `${stack.images}/salad.jpg` }, ...later });
  }
}
