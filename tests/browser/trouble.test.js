// @ts-check
/** What goes wrong, and what people type: nothing is lost, nothing is sent twice, nothing becomes markup. */

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { browser, Person } from "./people.js";
import { Stack } from "./stack.js";

/** @type {Stack} */
let stack;
/** @type {import("playwright-core").Browser} */
let chromium;
/** @type {Person} */
let ada;
/** @type {string} */
let channel;

const pinsCalled = async (/** @type {string} */ title) =>
  (await stack.api("GET", "/api/v1/pins?limit=200")).items.filter((/** @type {any} */ pin) => pin.title === title);

before(async () => {
  stack = await Stack.start();
  chromium = await browser();
  await stack.api("PUT", "/api/v1/admin/integrations/pinterest", { app_id: "1234567", app_secret: "simulated-app-secret", status: "enabled" });
  ada = await Person.at(chromium, stack.url);
  await ada.goes("/app/channels");
  await ada.signsIn();
  await ada.page.getByRole("button", { name: "Connect", exact: true }).click();
  await ada.allows();
  await ada.page.getByRole("button", { name: "Recipes" }).click();
  await ada.page.getByText("Default board: Recipes").waitFor();
  channel = (await stack.api("GET", "/api/v1/channels")).items[0].id;
});

beforeEach(async () => {
  await ada.page.evaluate(() => sessionStorage.removeItem("draft"));
  await ada.goes("/app/publishing");
});

after(async () => {
  await chromium?.close();
  await stack?.stop();
});

/** @param {string} title */
async function writes(title, page = ada.page) {
  await page.getByLabel("Public URL").fill(`${stack.images}/salad.jpg`);
  await page.getByLabel("Title", { exact: true }).fill(title);
}

const publish = (page = ada.page) => page.getByRole("button", { name: "Publish", exact: true });

test("a lost answer is asked for again under the same key: one Pin", async () => {
  await writes("Lost answer");
  const keys = new Set();
  let lost = 0;
  await ada.page.route("**/api/v1/pins", async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    keys.add(route.request().headers()["idempotency-key"]);
    await route.fetch(); // it is done
    if ((lost += 1) < 3) return route.abort("connectionreset"); // and nobody hears of it
    return route.continue();
  });
  await publish().click();
  await ada.page.locator('p[data-state="published"]').waitFor();
  await ada.page.unroute("**/api/v1/pins");
  assert.equal(keys.size, 1);
  assert.equal((await pinsCalled("Lost answer")).length, 1);
});

test("while nobody knows whether it was sent, it stays as it is; then it is sent once", async () => {
  await writes("Offline");
  await ada.page.route("**/api/v1/pins", async (route) => {
    if (route.request().method() === "POST") await route.fetch();
    return route.abort("connectionreset");
  });
  await publish().click();
  await ada.page.getByText("The Pin is sent only once").waitFor();
  assert.equal(await ada.page.getByLabel("Title", { exact: true }).isDisabled(), true);
  await ada.page.unroute("**/api/v1/pins");
  // Even a reload forgets neither the text nor its key.
  await ada.goes("/app/publishing");
  assert.equal(await ada.page.getByLabel("Title", { exact: true }).inputValue(), "Offline");
  await publish().click();
  await ada.page.locator('p[data-state="published"]').waitFor();
  assert.equal((await pinsCalled("Offline")).length, 1);
});

test("a double click sends one Pin, and so do two tabs with the same text", async () => {
  await writes("Twice");
  await publish().dblclick();
  await ada.page.locator('p[data-state="published"]').waitFor();
  assert.equal((await pinsCalled("Twice")).length, 1);

  await ada.goes("/app/publishing");
  await writes("Two tabs");
  const [copy] = await Promise.all([ada.context.waitForEvent("page"), ada.page.evaluate(() => void window.open(location.href))]);
  await copy.waitForSelector("#main[data-ready]");
  assert.equal(await copy.getByLabel("Title", { exact: true }).inputValue(), "Two tabs", "a copy of the tab has the draft");
  for (const page of [ada.page, copy]) {
    await publish(page).click();
    await page.locator('p[data-state="published"]').waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.getItem("draft")), null, "what is sent is not kept");
  }
  await copy.close();
  assert.equal((await pinsCalled("Two tabs")).length, 1);
});

test("a double click makes one board", async () => {
  await ada.goes("/app/channels");
  await ada.page.getByRole("button", { name: "Default board" }).click();
  let asked = 0;
  ada.page.on("request", (request) => (asked += Number(request.method() === "POST" && request.url().endsWith("/boards"))));
  await ada.page.getByLabel("New board").fill("Clicked twice");
  await ada.page.getByRole("button", { name: "Create board" }).dblclick();
  await ada.page.getByText("Default board: Clicked twice").waitFor();
  assert.equal(asked, 1);
});

for (const late of ["report", "error"])
  test(`the report is of the file that is chosen, however late another one's ${late} comes`, async () => {
    /** @type {() => void} */
    let letGo = () => {};
    /** @type {Promise<void>} */
    const held = new Promise((resolve) => (letGo = resolve));
    await ada.page.route(
      "**/api/v1/pins/bulk*",
      async (route) => {
        const response = await route.fetch();
        await held;
        await (late === "report" ? route.fulfill({ response }) : route.fulfill({ response, status: 500 }));
      },
      { times: 1 },
    );
    await ada.page.getByText("Bulk upload").click();
    const choose = (/** @type {number} */ rows) =>
      ada.page.getByLabel("File", { exact: true }).setInputFiles({ name: `${rows}.jsonl`, mimeType: "application/x-ndjson", buffer: Buffer.from("{}\n".repeat(rows)) });
    const first = ada.page.waitForRequest("**/api/v1/pins/bulk*");
    await choose(1);
    const answered = (await first).response();
    await choose(3);
    const lines = ada.page.locator("[data-line]");
    await lines.nth(2).waitFor();
    letGo();
    await (await answered)?.finished();
    await ada.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    assert.equal(await lines.count(), 3);
    assert.equal(await ada.page.locator(".bulk .outcome").innerText(), "");
  });

test("rows that something is in the way of are reported with the reason, and sent when somebody presses again", async () => {
  const rows = ["Title,Media URL,Pinterest board", `To the default,${stack.images}/1.jpg,`, `To a name,${stack.images}/2.jpg,Recipes`].join("\n");
  let sent = 0;
  ada.page.on("request", (request) => (sent += Number(request.url().endsWith("dry_run=false"))));
  await stack.fault({ operation: "list_boards", kind: "status_500_before", times: 1000 });
  await ada.page.getByText("Bulk upload").click();
  await ada.page.getByLabel("File", { exact: true }).setInputFiles({ name: "pins.csv", mimeType: "text/csv", buffer: Buffer.from(rows) });
  await ada.page.getByRole("button", { name: "Send 2 Pins" }).click();
  await ada.page.getByRole("status").filter({ hasText: "1 already accepted · 1 not processed yet" }).waitFor();
  assert.equal(sent, 2, "a call that gets no further is the last");
  assert.match(await ada.page.locator('[data-line="3"]').innerText(), /Pinterest did not answer/);
  assert.equal((await pinsCalled("To the default")).length, 1);

  await fetch(`${stack.pinterest}/sim/faults`, { method: "DELETE" });
  await ada.page.getByRole("button", { name: "Send 1 Pin" }).click();
  await ada.page.getByRole("status").filter({ hasText: "1 already accepted · 1 accepted" }).waitFor();
  assert.equal((await pinsCalled("To a name")).length, 1);
});

test("a token that ends in the middle is renewed, and nothing has to be written again", async () => {
  await writes("In the middle");
  let refused = 0;
  await ada.page.route("**/api/v1/pins", (route) => {
    if (route.request().method() !== "POST" || refused) return route.continue();
    refused += 1;
    return route.fulfill({ status: 401, contentType: "application/problem+json", body: JSON.stringify({ status: 401, code: "unauthenticated" }) });
  });
  await publish().click();
  await ada.page.locator('p[data-state="published"]').waitFor();
  await ada.page.unroute("**/api/v1/pins");
  assert.equal(refused, 1);
  assert.equal((await pinsCalled("In the middle")).length, 1);
});

test("a sign-in that is over is asked for over the page, and the work goes on", async () => {
  await writes("Signed in again");
  await ada.page.evaluate(() => sessionStorage.removeItem("developer")); // nothing to sign in with by itself
  await ada.page.route("**/api/v1/pins/validate*", (route) => route.fulfill({ status: 401, contentType: "application/problem+json", body: "{}" }), { times: 1 });
  await ada.page.getByRole("button", { name: "Validate" }).click();
  const dialog = ada.page.getByRole("dialog");
  await dialog.getByText("Nothing you entered is lost").waitFor();
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await ada.page.locator("[data-ok]").waitFor();
  assert.equal(await ada.page.getByLabel("Title", { exact: true }).inputValue(), "Signed in again");
});

test("hostile texts are texts", async () => {
  const titles = ["<img src=x onerror=alert(1)>", "\u202Edlrow olleh", "</script><script>alert(1)</script>", "🥗".repeat(100), "{{constructor}}", "javascript:alert(1)"];
  let alerted = false;
  ada.page.on("dialog", (dialog) => ((alerted = true), dialog.dismiss()));
  for (const title of titles) {
    await stack.api("POST", "/api/v1/pins", { channel_id: channel, title, description: "😀".repeat(800), media: { kind: "image", url: `${stack.images}/salad.jpg` } });
  }
  await ada.goes("/app/publishing");
  for (const title of titles) {
    const row = ada.page.locator("ul.pins > li").filter({ has: ada.page.getByText(title, { exact: true }) });
    assert.equal(await row.count(), 1, title);
    await row.getByRole("button").click();
    await ada.page.getByRole("dialog").getByText("accepted").waitFor();
    assert.equal(await ada.page.getByRole("dialog").locator("img, script").count(), 0);
    await ada.page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  }
  await writes("<b>bold</b>");
  await ada.page.getByLabel("Link").fill("javascript:alert(1)");
  assert.equal(await ada.page.locator('a[href^="javascript:"]').count(), 0);
  await publish().click();
  await ada.page.getByRole("alert").waitFor();
  assert.equal(alerted, false);
});

test("what the API refuses is shown with what to do, at the field that is wrong", async () => {
  await writes("Not a link");
  await ada.page.getByLabel("Link").fill("nonsense");
  await publish().click();
  await ada.page.getByRole("alert").waitFor();
  const shown = await ada.page.getByRole("alert").innerText();
  assert.ok(shown.split("\n").filter(Boolean).length >= 2, shown);
  assert.equal(await ada.page.evaluate(() => document.activeElement?.getAttribute("name")), "link");
  assert.equal((await pinsCalled("Not a link")).length, 0);
});

test("somebody who is no admin sees no settings, and another tenant nothing of Ada's", async () => {
  const eve = await Person.at(chromium, stack.url);
  await eve.goes("/admin/api-integration/pinterest");
  await eve.signsIn("eve", false);
  await eve.page.getByText("Only admins can change these settings.").waitFor();
  assert.equal(await eve.page.getByRole("link", { name: "Pinterest integration" }).count(), 0);
  await eve.page.getByRole("link", { name: "Channels" }).click();
  await eve.page.getByText("No accounts connected yet.").waitFor();
  await eve.leaves();
});

test("tokens are kept nowhere but in the page's memory", async () => {
  const kept = await ada.page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie]));
  assert.doesNotMatch(kept, /eyJ/);
});

test("a file of one's own is uploaded with progress, and published", async () => {
  const png = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
  await ada.page.getByLabel("or upload a file").setInputFiles({ name: "dot.png", mimeType: "image/png", buffer: png });
  await ada.page.getByText("dot.png", { exact: true }).first().waitFor();
  await ada.page.getByLabel("Title", { exact: true }).fill("My own file");
  await publish().click();
  await ada.page.locator('p[data-state="published"]').waitFor();
  const [pin] = await pinsCalled("My own file");
  assert.ok(pin.media.media_id);
});

test("a carousel and a video are written as well", async () => {
  await ada.page.getByLabel("Media type").selectOption("carousel");
  await ada.page.getByLabel("Public URL").nth(0).fill(`${stack.images}/1.jpg`);
  await ada.page.getByLabel("Public URL").nth(1).fill(`${stack.images}/2.jpg`);
  await ada.page.locator('[name="title"]').fill("Two pictures");
  await publish().click();
  await ada.page.locator('p[data-state="published"]').waitFor();
  assert.equal((await pinsCalled("Two pictures"))[0].media.items.length, 2);

  await ada.page.getByLabel("Media type").selectOption("video");
  await ada.page.getByLabel("Public URL").fill(`${stack.images}/1.mp4`);
  await ada.page.getByLabel("Seconds from the start").fill("2");
  await ada.page.locator('[name="title"]').fill("A video");
  await publish().click();
  await ada.page.locator('p[data-state="waiting"]').waitFor();
  assert.equal((await pinsCalled("A video"))[0].media.cover.frame_seconds, 2);
});

test("the Sandbox has no numbers, and the page says so", async () => {
  await ada.goes("/app/numbers");
  await ada.page.locator('[data-code="analytics_not_in_sandbox"]').waitFor();
});

test("what the API refuses is told in Turkish to whoever reads Turkish", async () => {
  const ayse = await Person.at(chromium, stack.url, { locale: "tr-TR" });
  await ayse.goes("/app/channels");
  await ayse.page.locator("form button.main").click();
  await ayse.page.locator(".channel").waitFor();
  await ayse.goes("/app/numbers");
  await ayse.page.getByText("Pinterest'in Sandbox'ında analiz verisi yoktur.").waitFor();
  await ayse.leaves();
});

test("a long list keeps its order and the place of whoever reads it, while it changes", async () => {
  const later = new Date(Date.now() + 300 * 86_400_000).toISOString();
  for (let at = 0; at < 120; at += 1) {
    await stack.api("POST", "/api/v1/pins", { channel_id: channel, title: `Long ${at}`, media: { kind: "image", url: `${stack.images}/salad.jpg` }, publish_at: later });
  }
  await ada.page.reload();
  await ada.ready();
  await ada.page.getByLabel("Filter by state").selectOption("scheduled");
  const titles = () => ada.page.locator("ul.pins > li .name").allTextContents();
  const row = (/** @type {string} */ title) => ada.page.locator("ul.pins > li").filter({ has: ada.page.getByText(title, { exact: true }) });
  const newestFirst = Array.from({ length: 120 }, (_, at) => `Long ${119 - at}`);
  await row("A video").waitFor({ state: "detached" });
  assert.deepEqual(await titles(), newestFirst);
  await row("Long 100").getByRole("button").click();
  const dialog = ada.page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Cancel Pin" }).click();
  await ada.page.getByRole("dialog").last().getByRole("button", { name: "Cancel Pin" }).click();
  await row("Long 100").waitFor({ state: "detached" });
  assert.deepEqual(await titles(), newestFirst.filter((title) => title !== "Long 100"));
  await dialog.getByRole("button", { name: "Close" }).click();
  await stack.api("POST", "/api/v1/pins", { channel_id: channel, title: "Soon", media: { kind: "image", url: `${stack.images}/salad.jpg` }, publish_at: new Date(Date.now() + 80_000).toISOString() });
  await ada.goes("/app/publishing");
  await row("Soon").getByRole("button").focus();
  await stack.advance(100);
  await row("Soon").getByText("Published").waitFor();
  assert.equal(await ada.page.evaluate(() => document.activeElement?.textContent), "Soon");
});
