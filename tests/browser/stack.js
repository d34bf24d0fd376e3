// @ts-check
/** The stack of `cargo run`, started for a test on free ports, with its data in memory. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";

const ROOT = new URL("../..", import.meta.url).pathname;

/** The smallest JPEG: one pixel. */
const JPEG = Buffer.from(
  "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AN//Z",
  "base64",
);
const SVG = `<svg xmlns="http://www.w3.org/2000/svg" width="400" height="600"><rect width="400" height="600" fill="#5b8c5a"/><circle cx="200" cy="300" r="120" fill="#d9e8c5"/></svg>`;

/** A running stack, and an image server beside it. */
export class Stack {
  /**
   * @param {object} parts
   * @param {string} parts.url
   * @param {string} parts.pinterest the address of the simulated Pinterest
   * @param {string} parts.images the address of the image server, which has an image under every name
   * @param {import("node:http").Server} parts.imageServer
   * @param {import("node:child_process").ChildProcess} parts.process
   */
  constructor({ url, pinterest, images, imageServer, process }) {
    this.url = url;
    this.pinterest = pinterest;
    this.images = images;
    this.imageServer = imageServer;
    this.process = process;
  }

  /** @param {Record<string, string>} [variables] additional environment variables */
  static async start(variables = {}) {
    const imageServer = createServer((request, response) => {
      const isJpeg = request.url?.endsWith(".jpg");
      response.writeHead(200, { "Content-Type": isJpeg ? "image/jpeg" : "image/svg+xml" });
      response.end(isJpeg ? JPEG : SVG);
    });
    await once(imageServer.listen(0, "127.0.0.1"), "listening");
    const { port } = /** @type {import("node:net").AddressInfo} */ (imageServer.address());
    const imageHost = `127.0.0.1:${port}`;
    const child = spawn("cargo", ["run", "--quiet", "--locked", "--", "--port", "0", "--data", ":memory:"], {
      cwd: ROOT,
      env: { ...process.env, PINWRIGHT_FETCH_ALLOW: imageHost, ...variables },
      stdio: ["ignore", "pipe", "ignore"],
      detached: true, // a process group of its own, so that `stop` ends cargo and the stack
    });
    const [url, pinterest] = await new Promise((resolve, reject) => {
      let output = "";
      child.stdout.on("data", (chunk) => {
        output += chunk;
        const addresses = [...output.matchAll(/http:\/\/127\.0\.0\.1:\d+/g)].map(([address]) => address);
        if (output.includes("Ctrl-C")) resolve(addresses);
      });
      child.on("exit", () => reject(new Error(`the stack did not start: ${output}`)));
    });
    const stack = new Stack({ url, pinterest, images: `http://${imageHost}`, imageServer, process: child });
    // The images are on this machine, where the real Pinterest would not find them.
    await stack.post("/sim/policy", { image_addresses: "trusted", sandbox_videos: true }, pinterest);
    return stack;
  }

  async stop() {
    const exited = once(this.process, "exit");
    process.kill(-(this.process.pid ?? 0), "SIGINT");
    await exited;
    this.imageServer.close();
    this.imageServer.closeAllConnections();
  }

  /**
   * @param {string} path
   * @param {unknown} body
   * @param {string} [base]
   */
  async post(path, body, base = this.url) {
    const response = await fetch(base + path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? null : response.json();
  }

  /**
   * Calls the API as the admin `ada`.
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   */
  async api(method, path, body) {
    const { token } = await this.post("/dev/token", { sub: "ada", admin: true });
    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
    const response = await fetch(this.url + path, { method, headers, body: JSON.stringify(body) });
    return response.json();
  }

  /**
   * Moves the stack's clock forward, and does the work that falls due.
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
 * Connects an account, and creates published and scheduled Pins.
 * @param {Stack} stack
 * @param {import("./person.js").Person} ada
 * @param {"sandbox" | "production"} [environment]
 */
export async function seedData(stack, ada, environment = "sandbox") {
  await stack.api("PUT", "/api/v1/admin/integrations/pinterest", {
    app_id: "1234567",
    app_secret: "simulated-app-secret",
    status: "enabled",
    environment,
  });
  await ada.visit("/app/channels");
  await ada.signIn();
  await ada.page.getByRole("button", { name: "Connect", exact: true }).click();
  await ada.approveAtPinterest();
  await ada.page.getByRole("button", { name: "Recipes" }).click();
  await ada.page.getByText("Default board: Recipes").waitFor();
  const channelId = (await stack.api("GET", "/api/v1/channels")).items[0].id;
  const titles = [
    "Green salad",
    "Bean salad with mint",
    "Lemon tart",
    "Şakşuka",
    "A table for two by the sea",
  ];
  for (const [index, title] of titles.entries()) {
    const publishAt = new Date(Date.now() + index * 86_400_000).toISOString();
    await stack.api("POST", "/api/v1/pins", {
      channel_id: channelId,
      title,
      description: "Ten minutes, one bowl.",
      media: { kind: "image", url: `${stack.images}/salad.jpg` },
      ...(index > 1 ? { publish_at: publishAt } : {}),
    });
  }
}
