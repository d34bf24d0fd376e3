// @ts-check
/** The main workflow in one browser: from the settings to a published Pin, and on. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launchBrowser, Person } from "./person.js";
import { Stack } from "./stack.js";

/** @type {Stack} */
let stack;
/** @type {import("playwright-core").Browser} */
let chromium;
/** @type {Person} */
let ada;

before(async () => {
  stack = await Stack.start();
  chromium = await launchBrowser();
  ada = await Person.open(chromium, stack.url);
  await ada.context.clock.install(); // it runs by itself, and is moved together with the clock of the stack
});

after(async () => {
  await chromium?.close();
  await stack?.stop();
});

const pins = () => ada.page.locator("ul.pins > li");
const pin = (/** @type {string} */ title) => pins().filter({ hasText: title });

/**
 * @param {string} title
 * @param {{ later?: string }} [when]
 */
async function fillPin(title, { later } = {}) {
  const { page } = ada;
  await page.getByLabel("Public URL").fill(`${stack.images}/salad.jpg`);
  await page.getByLabel("Title", { exact: true }).fill(title);
  await page.getByLabel("Description").fill("Ten minutes, one bowl.");
  await page.getByLabel("Link").fill("https://www.example.com/salad");
  if (later) {
    await page.getByLabel("Later").check();
    await page.getByLabel("Date and time").fill(later);
  }
}

test("an admin saves and tests the credentials", async () => {
  const { page } = ada;
  await ada.visit("/admin/api-integration/pinterest");
  await ada.signIn();
  await page.getByText("Pinterest is simulated on this machine").waitFor();
  await page.getByLabel("App ID").fill("1234567");
  await page.getByLabel("App Secret").fill("wrong");
  await page.getByLabel("Enable").check();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Settings saved.").waitFor();
  await page.getByRole("button", { name: "Test credentials" }).click();
  await page.locator('[data-result="wrong_app_id_or_secret"]').waitFor();

  await page.getByLabel("App Secret").fill("simulated-app-secret");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Settings saved.").waitFor();
  assert.equal(await page.getByLabel("App Secret").inputValue(), "", "a secret is not shown again");
  await page.getByRole("button", { name: "Test credentials" }).click();
  await page.locator('[data-result="ok"]').waitFor();
  await page.getByText("Running", { exact: true }).waitFor();
  await page.getByText(`${stack.url}/api/v1/auth/pinterest/callback`).waitFor();
});

test("a user connects an account and chooses a board", async () => {
  const { page } = ada;
  await page.getByRole("link", { name: "Channels" }).click();
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await ada.approveAtPinterest();
  await page.getByRole("heading", { name: /Choose a default board/ }).waitFor();
  await page.getByLabel("Search").fill("rec");
  await page.getByRole("button", { name: "Recipes" }).click();
  await page.getByText("Connected. Renews automatically.").waitFor();
  await page.getByText("Default board: Recipes").waitFor();
  assert.equal(new URL(page.url()).hash, "", "the ticket does not stay in the address");
});

test("a Pin is validated and published", async () => {
  const { page } = ada;
  await page.getByRole("link", { name: "Publishing" }).click();
  await ada.waitUntilReady();
  await fillPin("Green salad");
  await page.getByRole("button", { name: "Validate" }).click();
  await page.locator("[data-ok]").waitFor();
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.locator('[data-state="published"]').first().waitFor();
  await pin("Green salad").getByText("Published").waitFor();
  assert.equal(
    await page.getByLabel("Title", { exact: true }).inputValue(),
    "",
    "the form is empty for the next Pin",
  );
});

test("character counters count as the server does", async () => {
  const { page } = ada;
  await fillPin("🥗".repeat(101));
  await page.getByText("101 / 100").waitFor();
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("name")), "title");
  await page.getByLabel("Title", { exact: true }).fill("🥗".repeat(100));
  await page.getByText("100 / 100").waitFor();
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await pin("🥗").getByText("Published").waitFor();
});

test("a Pin is scheduled, moved in the calendar, edited, and published on time", async () => {
  const { page } = ada;
  const tomorrow = new Date(Date.now() + 86_400_000).toLocaleDateString("sv-SE", {
    timeZone: "Europe/Istanbul",
  });
  await fillPin("Bean salad", { later: `${tomorrow}T09:30` });
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await pin("Bean salad").getByText("Scheduled").waitFor();

  await page.getByRole("button", { name: "Calendar" }).click();
  const chip = page.locator(".chip", { hasText: "Bean salad" });
  const lastDay = page.getByRole("gridcell").last();
  const isLastDay = (await lastDay.getAttribute("data-day")) === tomorrow;
  if (isLastDay || !(await chip.count())) await page.getByRole("button", { name: "Next month" }).click();
  const day = (await lastDay.getAttribute("data-day")) ?? "";
  await chip.dragTo(lastDay);
  await page.locator(`[data-day="${day}"] .chip`).waitFor();
  await chip.focus();
  await page.keyboard.press("Alt+ArrowLeft");
  await page.locator(`[data-day="${day}"]:not(:has(.chip))`).waitFor();
  await page.getByText(/Moved to .*9:30/).waitFor();
  await page.getByRole("button", { name: "List", exact: true }).click();

  await pin("Bean salad").getByRole("button").click();
  await page.getByRole("button", { name: "Edit or reschedule" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Title", { exact: true }).fill("Bean salad, with mint");
  await dialog.getByLabel("Date and time").fill(`${tomorrow}T09:30`);
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("Edited").first().waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  await pin("Bean salad, with mint").getByText("Scheduled").waitFor();

  await stack.advance(3 * 86_400);
  await page.clock.fastForward(3 * 86_400_000); // the clock of the page
  await pin("Bean salad, with mint").getByText("Published").waitFor();
});

test("a bulk file is checked, and problems are reported row by row", async () => {
  const { page } = ada;
  await page.reload();
  await ada.waitUntilReady();
  await page.getByText("Bulk upload").click();
  const rows = [
    "title,media_url,publish_at",
    `Row one,${stack.images}/1.jpg,`,
    "Row two,not an address,",
    `Row three,${stack.images}/3.jpg,${new Date(Date.now() + 30 * 86_400_000).toISOString()}`,
    `${"x".repeat(101)},${stack.images}/4.jpg,`,
  ].join("\n");
  await page
    .getByLabel("File", { exact: true })
    .setInputFiles({ name: "pins.csv", mimeType: "text/csv", buffer: Buffer.from(rows) });
  await page.getByRole("status").filter({ hasText: "2 valid · 2 rejected" }).waitFor();
  assert.deepEqual(
    await page.locator("[data-line]").evaluateAll((rows) => rows.map((row) => row.getAttribute("data-line"))),
    ["3", "5"],
  );
  await page.getByRole("button", { name: "Send 2 Pins" }).click();
  await page.getByRole("status").filter({ hasText: "2 accepted · 2 rejected" }).waitFor();
  await pin("Row one").getByText("Published").waitFor();
  await pin("Row three").getByText("Scheduled").waitFor();
});

test("a revoked account is reconnected, and its waiting Pin is published", async () => {
  const { page } = ada;
  await stack.post("/sim/revoke", { account: "demo_account" }, stack.pinterest);
  await fillPin("Waiting salad");
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.locator('p[data-state="waiting"]').waitFor();
  await stack.advance(3600);
  await page.getByRole("link", { name: "Channels" }).click();
  await page.getByText(/no longer accepts this account's tokens/).waitFor();
  await page.getByRole("button", { name: "Reconnect" }).click();
  await ada.approveAtPinterest();
  await page.getByRole("button", { name: "Later" }).click();
  await page.getByText("Connected. Renews automatically.").waitFor();
  await stack.advance(120);
  await page.getByRole("link", { name: "Publishing" }).click();
  await pin("Waiting salad").getByText("Published").waitFor();
});

test("a Pin shows its history and can be cancelled before it is sent", async () => {
  const { page } = ada;
  await ada.visit("/app/publishing");
  await pin("Row three").getByRole("button").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("accepted").waitFor();
  await dialog.getByRole("button", { name: "Cancel Pin" }).click();
  await page.getByRole("dialog").last().getByRole("button", { name: "Cancel Pin" }).click();
  await dialog.getByText("cancelled").first().waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  await pin("Row three").getByText("Cancelled").waitFor();
});

test("a person who finds a lost Pin at Pinterest says so", async () => {
  const { page } = ada;
  await stack.post("/sim/policy", { listing: { created_at: "omit" } }, stack.pinterest);
  await stack.fault({ operation: "create_pin", kind: "cut_after", times: 1 });
  await fillPin("Lost salad");
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.locator('p[data-state="waiting"]').waitFor();
  for (const seconds of [20, 60, 280]) await stack.advance(seconds);
  await pin("Lost salad").getByText("Needs review").waitFor();
  await pin("Lost salad").getByRole("button").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("differs in: date").waitFor();
  assert.deepEqual(await ada.accessibilityViolations(), []);
  await dialog.getByRole("button", { name: "This is it" }).first().click();
  await dialog.getByText("Published").first().waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  await pin("Lost salad").getByText("Published").waitFor();
});

test("disconnecting explains its effects and removes the channel", async () => {
  const { page } = ada;
  await page.getByRole("link", { name: "Channels" }).click();
  await page.getByRole("button", { name: "Disconnect" }).click();
  await page.getByText(/are deleted immediately/).waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
  await page.getByText("No accounts connected yet.").waitFor();
});

test("the browser reported no errors", () => {
  assert.deepEqual(ada.consoleErrors, []);
});
