// @ts-check
/** Errors and hostile input: no input is lost, no Pin is sent twice, no text becomes markup. */

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { launchBrowser, Person } from "./person.js";
import { Stack } from "./stack.js";

/** @type {Stack} */
let stack;
/** @type {import("playwright-core").Browser} */
let chromium;
/** @type {Person} */
let ada;
/** @type {string} */
let channelId;

const pinsTitled = async (/** @type {string} */ title) =>
  (await stack.api("GET", "/api/v1/pins?limit=200")).items.filter(
    (/** @type {any} */ pin) => pin.title === title,
  );

before(async () => {
  stack = await Stack.start();
  chromium = await launchBrowser();
  await stack.api("PUT", "/api/v1/admin/integrations/pinterest", {
    app_id: "1234567",
    app_secret: "simulated-app-secret",
    status: "enabled",
  });
  ada = await Person.open(chromium, stack.url);
  await ada.visit("/app/channels");
  await ada.signIn();
  await ada.page.getByRole("button", { name: "Connect", exact: true }).click();
  await ada.approveAtPinterest();
  await ada.page.getByRole("button", { name: "Recipes" }).click();
  await ada.page.getByText("Default board: Recipes").waitFor();
  channelId = (await stack.api("GET", "/api/v1/channels")).items[0].id;
});

beforeEach(async () => {
  await ada.page.evaluate(() => sessionStorage.removeItem("draft"));
  await ada.visit("/app/publishing");
});

after(async () => {
  await chromium?.close();
  await stack?.stop();
});

/** @param {string} title */
async function fillPin(title, page = ada.page) {
  await page.getByLabel("Public URL").fill(`${stack.images}/salad.jpg`);
  await page.getByLabel("Title", { exact: true }).fill(title);
}

const publishButton = (page = ada.page) => page.getByRole("button", { name: "Publish", exact: true });

test("a lost response is retried with the same key and creates one Pin", async () => {
  await fillPin("Lost answer");
  const keys = new Set();
  let attempts = 0;
  await ada.page.route("**/api/v1/pins", async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    keys.add(route.request().headers()["idempotency-key"]);
    await route.fetch(); // the Pin is created
    attempts += 1;
    if (attempts < 3) return route.abort("connectionreset"); // but the response is lost
    return route.continue();
  });
  await publishButton().click();
  await ada.page.locator('p[data-state="published"]').waitFor();
  await ada.page.unroute("**/api/v1/pins");
  assert.equal(keys.size, 1);
  assert.equal((await pinsTitled("Lost answer")).length, 1);
});

test("an unknown outcome locks the form, and sending again creates one Pin", async () => {
  await fillPin("Offline");
  await ada.page.route("**/api/v1/pins", async (route) => {
    if (route.request().method() === "POST") await route.fetch();
    return route.abort("connectionreset");
  });
  await publishButton().click();
  await ada.page.getByText("The Pin is sent only once").waitFor();
  assert.equal(await ada.page.getByLabel("Title", { exact: true }).isDisabled(), true);
  await ada.page.unroute("**/api/v1/pins");
  // A reload keeps the text and its key.
  await ada.visit("/app/publishing");
  assert.equal(await ada.page.getByLabel("Title", { exact: true }).inputValue(), "Offline");
  await publishButton().click();
  await ada.page.locator('p[data-state="published"]').waitFor();
  assert.equal((await pinsTitled("Offline")).length, 1);
});

test("a double click creates one Pin, and so does a copy of the tab", async () => {
  await fillPin("Twice");
  await publishButton().dblclick();
  await ada.page.locator('p[data-state="published"]').waitFor();
  assert.equal((await pinsTitled("Twice")).length, 1);

  await ada.visit("/app/publishing");
  await fillPin("Two tabs");
  const [copy] = await Promise.all([
    ada.context.waitForEvent("page"),
    ada.page.evaluate(() => void window.open(location.href)),
  ]);
  await copy.waitForSelector("#main[data-ready]");
  assert.equal(
    await copy.getByLabel("Title", { exact: true }).inputValue(),
    "Two tabs",
    "a copy of the tab has the draft",
  );
  for (const page of [ada.page, copy]) {
    await publishButton(page).click();
    await page.locator('p[data-state="published"]').waitFor();
    assert.equal(
      await page.evaluate(() => sessionStorage.getItem("draft")),
      null,
      "the draft is deleted after sending",
    );
  }
  await copy.close();
  assert.equal((await pinsTitled("Two tabs")).length, 1);
});

test("a double click creates one board", async () => {
  await ada.visit("/app/channels");
  await ada.page.getByRole("button", { name: "Change board" }).click();
  let requests = 0;
  ada.page.on("request", (request) => {
    if (request.method() === "POST" && request.url().endsWith("/boards")) requests += 1;
  });
  await ada.page.getByLabel("New board").fill("Clicked twice");
  await ada.page.getByRole("button", { name: "Create board" }).dblclick();
  await ada.page.getByText("Default board: Clicked twice").waitFor();
  assert.equal(requests, 1);
});

for (const kind of ["report", "error"])
  test(`a late ${kind} about another file does not replace the current report`, async () => {
    /** @type {() => void} */
    let release = () => {};
    /** @type {Promise<void>} */
    const released = new Promise((resolve) => {
      release = resolve;
    });
    await ada.page.route(
      "**/api/v1/pins/bulk*",
      async (route) => {
        const response = await route.fetch();
        await released;
        await (kind === "report" ? route.fulfill({ response }) : route.fulfill({ response, status: 500 }));
      },
      { times: 1 },
    );
    await ada.page.getByText("Bulk upload").click();
    const chooseFile = (/** @type {number} */ rows) =>
      ada.page.getByLabel("File", { exact: true }).setInputFiles({
        name: `${rows}.jsonl`,
        mimeType: "application/x-ndjson",
        buffer: Buffer.from("{}\n".repeat(rows)),
      });
    const firstRequest = ada.page.waitForRequest("**/api/v1/pins/bulk*");
    await chooseFile(1);
    const firstResponse = (await firstRequest).response();
    await chooseFile(3);
    const lines = ada.page.locator("[data-line]");
    await lines.nth(2).waitFor();
    release();
    await (await firstResponse)?.finished();
    await ada.page.evaluate(
      () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
    );
    assert.equal(await lines.count(), 3);
    assert.equal(await ada.page.locator(".bulk .outcome").innerText(), "");
  });

test("unprocessed rows are reported with the reason and can be sent again", async () => {
  const rows = [
    "Title,Media URL,Pinterest board",
    `To the default,${stack.images}/1.jpg,`,
    `To a name,${stack.images}/2.jpg,Recipes`,
  ].join("\n");
  let requests = 0;
  ada.page.on("request", (request) => {
    if (request.url().endsWith("dry_run=false")) requests += 1;
  });
  await stack.fault({ operation: "list_boards", kind: "status_500_before", times: 1000 });
  await ada.page.getByText("Bulk upload").click();
  await ada.page
    .getByLabel("File", { exact: true })
    .setInputFiles({ name: "pins.csv", mimeType: "text/csv", buffer: Buffer.from(rows) });
  await ada.page.getByRole("button", { name: "Send 2 Pins" }).click();
  await ada.page
    .getByRole("status")
    .filter({ hasText: "1 already accepted · 1 not processed yet" })
    .waitFor();
  assert.equal(requests, 2, "the page stops after a call that processed no row");
  assert.match(
    await ada.page.locator('[data-line="3"]').innerText(),
    /reported an error of its own with status 500/,
  );
  assert.equal((await pinsTitled("To the default")).length, 1);

  await fetch(`${stack.pinterest}/sim/faults`, { method: "DELETE" });
  await ada.page.getByRole("button", { name: "Send 1 Pin" }).click();
  await ada.page.getByRole("status").filter({ hasText: "1 already accepted · 1 accepted" }).waitFor();
  assert.equal((await pinsTitled("To a name")).length, 1);
});

test("an expired token is renewed during a request, and the input is kept", async () => {
  await fillPin("In the middle");
  let refused = 0;
  await ada.page.route("**/api/v1/pins", (route) => {
    if (route.request().method() !== "POST" || refused) return route.continue();
    refused += 1;
    return route.fulfill({
      status: 401,
      contentType: "application/problem+json",
      body: JSON.stringify({ status: 401, code: "unauthenticated" }),
    });
  });
  await publishButton().click();
  await ada.page.locator('p[data-state="published"]').waitFor();
  await ada.page.unroute("**/api/v1/pins");
  assert.equal(refused, 1);
  assert.equal((await pinsTitled("In the middle")).length, 1);
});

test("an expired session asks for sign-in over the page, and the work continues", async () => {
  await fillPin("Signed in again");
  await ada.page.evaluate(() => sessionStorage.removeItem("developer")); // so that the page cannot sign in by itself
  await ada.page.route(
    "**/api/v1/pins/validate*",
    (route) => route.fulfill({ status: 401, contentType: "application/problem+json", body: "{}" }),
    { times: 1 },
  );
  await ada.page.getByRole("button", { name: "Validate" }).click();
  const dialog = ada.page.getByRole("dialog");
  await dialog.getByText("Nothing you entered is lost").waitFor();
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await ada.page.locator("[data-ok]").waitFor();
  assert.equal(await ada.page.getByLabel("Title", { exact: true }).inputValue(), "Signed in again");
});

test("hostile texts stay texts", async () => {
  const titles = [
    "<img src=x onerror=alert(1)>",
    "\u202Edlrow olleh",
    "</script><script>alert(1)</script>",
    "🥗".repeat(100),
    "{{constructor}}",
    "javascript:alert(1)",
  ];
  let dialogOpened = false;
  ada.page.on("dialog", (dialog) => {
    dialogOpened = true;
    dialog.dismiss();
  });
  for (const title of titles) {
    await stack.api("POST", "/api/v1/pins", {
      channel_id: channelId,
      title,
      description: "😀".repeat(800),
      media: { kind: "image", url: `${stack.images}/salad.jpg` },
    });
  }
  await ada.visit("/app/publishing");
  for (const title of titles) {
    const row = ada.page.locator("ul.pins > li").filter({ has: ada.page.getByText(title, { exact: true }) });
    assert.equal(await row.count(), 1, title);
    await row.getByRole("button").click();
    await ada.page.getByRole("dialog").getByText("accepted").waitFor();
    assert.equal(await ada.page.getByRole("dialog").locator("img, script").count(), 0);
    await ada.page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  }
  await fillPin("<b>bold</b>");
  await ada.page.getByLabel("Link").fill("javascript:alert(1)");
  assert.equal(await ada.page.locator('a[href^="javascript:"]').count(), 0);
  await publishButton().click();
  await ada.page.getByRole("alert").waitFor();
  assert.equal(dialogOpened, false);
});

test("an API problem says what to do, and focuses the invalid field", async () => {
  await fillPin("Not a link");
  await ada.page.getByLabel("Link").fill("nonsense");
  await publishButton().click();
  await ada.page.getByRole("alert").waitFor();
  const text = await ada.page.getByRole("alert").innerText();
  assert.ok(text.split("\n").filter(Boolean).length >= 2, text);
  assert.equal(await ada.page.evaluate(() => document.activeElement?.getAttribute("name")), "link");
  assert.equal((await pinsTitled("Not a link")).length, 0);
});

test("only admins see the settings, and only its tenant sees a channel", async () => {
  const eve = await Person.open(chromium, stack.url);
  await eve.visit("/admin/api-integration/pinterest");
  await eve.signIn("eve", false);
  await eve.page.getByText("Only admins can change these settings.").waitFor();
  assert.equal(await eve.page.getByRole("link", { name: "Pinterest integration" }).count(), 0);
  await eve.page.getByRole("link", { name: "Channels" }).click();
  await eve.page.getByText("No accounts connected yet.").waitFor();
  await eve.close();
});

test("tokens are kept in memory only", async () => {
  const stored = await ada.page.evaluate(() =>
    JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie]),
  );
  assert.doesNotMatch(stored, /eyJ/);
});

test("a local file is uploaded and published", async () => {
  const png = Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "base64",
  );
  await ada.page
    .getByLabel("or upload a file")
    .setInputFiles({ name: "dot.png", mimeType: "image/png", buffer: png });
  await ada.page.getByText("dot.png", { exact: true }).first().waitFor();
  await ada.page.getByLabel("Title", { exact: true }).fill("My own file");
  await publishButton().click();
  await ada.page.locator('p[data-state="published"]').waitFor();
  const [pin] = await pinsTitled("My own file");
  assert.ok(pin.media.media_id);
});

test("a carousel and a video are published", async () => {
  await ada.page.getByLabel("Media type").selectOption("carousel");
  await ada.page.getByLabel("Public URL").nth(0).fill(`${stack.images}/1.jpg`);
  await ada.page.getByLabel("Public URL").nth(1).fill(`${stack.images}/2.jpg`);
  await ada.page.locator('[name="title"]').fill("Two pictures");
  await publishButton().click();
  await ada.page.locator('p[data-state="published"]').waitFor();
  assert.equal((await pinsTitled("Two pictures"))[0].media.items.length, 2);

  await ada.page.getByLabel("Media type").selectOption("video");
  await ada.page.getByLabel("Public URL").fill(`${stack.images}/1.mp4`);
  await ada.page.getByLabel("Seconds from the start").fill("2");
  await ada.page.locator('[name="title"]').fill("A video");
  await publishButton().click();
  await ada.page.locator('p[data-state="waiting"]').waitFor();
  assert.equal((await pinsTitled("A video"))[0].media.cover.frame_seconds, 2);
});

test("the analytics page explains that the Sandbox has no data", async () => {
  await ada.visit("/app/analytics");
  await ada.page.locator('[data-code="analytics_not_in_sandbox"]').waitFor();
});

test("API problems are shown in Turkish", async () => {
  const ayse = await Person.open(chromium, stack.url, { locale: "tr-TR" });
  await ayse.visit("/app/channels");
  await ayse.page.locator("form button.main").click();
  await ayse.page.locator(".channel").waitFor();
  await ayse.visit("/app/analytics");
  await ayse.page.getByText("Pinterest'in Sandbox'ında analiz verisi yoktur.").waitFor();
  await ayse.close();
});

test("a long list keeps its order and focus while it changes", async () => {
  const publishAt = new Date(Date.now() + 300 * 86_400_000).toISOString();
  for (let index = 0; index < 120; index += 1) {
    await stack.api("POST", "/api/v1/pins", {
      channel_id: channelId,
      title: `Long ${index}`,
      media: { kind: "image", url: `${stack.images}/salad.jpg` },
      publish_at: publishAt,
    });
  }
  await ada.page.reload();
  await ada.waitUntilReady();
  await ada.page.getByLabel("Filter by state").selectOption("scheduled");
  const titles = () => ada.page.locator("ul.pins > li .name").allTextContents();
  const row = (/** @type {string} */ title) =>
    ada.page.locator("ul.pins > li").filter({ has: ada.page.getByText(title, { exact: true }) });
  const newestFirst = Array.from({ length: 120 }, (_, index) => `Long ${119 - index}`);
  await row("A video").waitFor({ state: "detached" });
  assert.deepEqual(await titles(), newestFirst);
  await row("Long 100").getByRole("button").click();
  const dialog = ada.page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Cancel Pin" }).click();
  await ada.page.getByRole("dialog").last().getByRole("button", { name: "Cancel Pin" }).click();
  await row("Long 100").waitFor({ state: "detached" });
  assert.deepEqual(
    await titles(),
    newestFirst.filter((title) => title !== "Long 100"),
  );
  await dialog.getByRole("button", { name: "Close" }).click();
  await stack.api("POST", "/api/v1/pins", {
    channel_id: channelId,
    title: "Soon",
    media: { kind: "image", url: `${stack.images}/salad.jpg` },
    publish_at: new Date(Date.now() + 80_000).toISOString(),
  });
  await ada.visit("/app/publishing");
  await row("Soon").getByRole("button").focus();
  await stack.advance(100);
  await row("Soon").getByText("Published").waitFor();
  assert.equal(await ada.page.evaluate(() => document.activeElement?.textContent), "Soon");
});
