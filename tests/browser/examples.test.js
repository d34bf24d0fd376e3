// @ts-check
/** The examples do what they show: the frontend in a browser, the receiver with the events of the stack. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { createReceiver } from "../../examples/events/receiver.js";
import { createFrontend } from "../../examples/frontend/serve.js";
import { launchBrowser } from "./person.js";
import { Stack } from "./stack.js";

/** @type {Stack} */
let stack;
/** @type {import("playwright-core").Browser} */
let chromium;
/** @type {import("node:http").Server} */
let frontend;
/** @type {string} */
let url;

/** @param {import("node:http").Server} server */
async function listen(server) {
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return `http://127.0.0.1:${port}`;
}

before(async () => {
  let address = "";
  frontend = createFrontend(() => address);
  url = await listen(frontend);
  stack = await Stack.start({ ALLOWED_RETURN_ORIGINS: url });
  address = stack.url;
  await stack.api("PUT", "/api/v1/admin/integrations/pinterest", {
    app_id: "1234567",
    app_secret: "simulated-app-secret",
    status: "enabled",
    environment: "sandbox",
  });
  chromium = await launchBrowser();
});

after(async () => {
  await chromium?.close();
  frontend?.close();
  frontend?.closeAllConnections();
  await stack?.stop();
});

test("the frontend connects an account in a popup, publishes, and shows what went wrong", async () => {
  const page = await chromium.newPage();
  await page.goto(url);
  const result = page.locator("#result");

  const decide = async (/** @type {RegExp} */ button) => {
    const opened = page.waitForEvent("popup");
    await page.getByRole("button", { name: "Connect" }).click();
    const popup = await opened;
    await popup.getByRole("button", { name: button }).click();
    if (!popup.isClosed()) await popup.waitForEvent("close");
  };
  await decide(/deny|cancel/i);
  await result.filter({ hasText: "did not allow" }).waitFor();
  await decide(/allow|give access/i);
  await page.getByText("Connected: demo_account").waitFor();

  await page.getByLabel("Board").selectOption("Recipes");
  await page.getByLabel("Image").fill(`${stack.images}/salad.jpg`);
  await page.getByLabel("Title").fill("x".repeat(101));
  await page.getByRole("button", { name: "Publish" }).click();
  await result.filter({ hasText: "at most 100" }).filter({ hasText: "1 too many" }).waitFor();
  await page.getByLabel("Title").fill("Green salad");
  await page.getByRole("button", { name: "Publish" }).click();
  await result.filter({ hasText: "Published: https://www.pinterest.com/pin/" }).waitFor();
  await page.getByRole("button", { name: "Publish" }).click();
  await page.waitForLoadState("networkidle");
  assert.equal(
    (await stack.api("GET", "/api/v1/pins")).items.length,
    1,
    "a second click makes no second Pin",
  );
});

test("the receiver handles each event once, and no old one after a newer one", async () => {
  /** @type {string[]} */
  const handled = [];
  const receiver = createReceiver({
    key: "secret",
    handle: (event) => void handled.push(event["detail-type"]),
  });
  const address = await listen(receiver);
  const send = async (/** @type {unknown} */ event, key = "secret") => {
    const headers = { "Content-Type": "application/json", "x-pinwright-key": key };
    return (await fetch(address, { method: "POST", headers, body: JSON.stringify(event) })).status;
  };
  const { items } = await (await fetch(`${stack.url}/dev/events`)).json();
  const published = items.find((/** @type {any} */ event) => event["detail-type"] === "pin.published");

  assert.equal(await send(published, "guess"), 401);
  assert.equal(await send(published), 204);
  assert.equal(await send(published), 204);
  const older = { ...published, "detail-type": "pin.waiting" };
  older.detail = { ...published.detail, id: published.detail.id.replace(/\d+$/, "1") };
  assert.equal(await send(older), 204);
  assert.equal(await send("no event"), 500);

  assert.deepEqual(handled, ["pin.published"]);
  receiver.close();
  receiver.closeAllConnections();
});
