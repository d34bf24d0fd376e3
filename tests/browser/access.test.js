// @ts-check
/** Every page for everyone: no barrier that axe knows, in both themes and languages, on a phone too. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { browser, Person } from "./people.js";
import { furnish, Stack } from "./stack.js";

const PAGES = ["/admin/api-integration/pinterest", "/app/channels", "/app/publishing", "/app/numbers", "/api-reference"];
const PHONE = { width: 360, height: 740 };

/** @type {Stack} */
let stack;
/** @type {import("playwright-core").Browser} */
let chromium;

before(async () => {
  stack = await Stack.start();
  chromium = await browser();
  const ada = await Person.at(chromium, stack.url);
  await furnish(stack, ada, "production");
  await ada.leaves();
});

after(async () => {
  await chromium?.close();
  await stack?.stop();
});

for (const locale of ["en-GB", "tr-TR"]) {
  for (const colorScheme of /** @type {("light" | "dark")[]} */ (["light", "dark"])) {
    test(`no barriers: ${locale}, ${colorScheme}`, async () => {
      const ada = await Person.at(chromium, stack.url, { locale, colorScheme });
      const barriers = [];
      await ada.page.goto(`${stack.url}/app/channels`);
      await ada.ready();
      barriers.push(...(await ada.barriers()).map((one) => `sign-in: ${one}`));
      await ada.page.locator("form button.main").click();
      await ada.page.locator(".channel").waitFor();
      for (const path of PAGES) {
        await ada.goes(path);
        await ada.page.locator("details").evaluateAll((all) => all.slice(0, 8).forEach((one) => /** @type {any} */ (one).open = true));
        barriers.push(...(await ada.barriers()).map((one) => `${path}: ${one}`));
        assert.equal(await ada.page.evaluate(() => document.documentElement.lang), locale.slice(0, 2));
      }
      assert.deepEqual(barriers, []);
      assert.deepEqual(ada.complaints, []);
      await ada.leaves();
    });
  }
}

test("dialogs and the calendar have no barriers either", async () => {
  const ada = await Person.at(chromium, stack.url);
  await ada.goes("/app/channels");
  await ada.signsIn();
  await ada.page.getByRole("button", { name: "Default board" }).click();
  await ada.page.getByRole("button", { name: "Recipes" }).waitFor();
  assert.deepEqual(await ada.barriers(), []);
  await ada.page.keyboard.press("Escape");
  await ada.goes("/app/publishing");
  await ada.page.getByRole("button", { name: "Calendar" }).click();
  await ada.page.locator(".chip").first().waitFor();
  assert.deepEqual(await ada.barriers(), []);
  await ada.page.getByRole("button", { name: "List", exact: true }).click();
  await ada.page.locator("ul.pins > li button").first().click();
  await ada.page.getByRole("dialog").getByText("accepted").waitFor();
  assert.deepEqual(await ada.barriers(), []);
  await ada.leaves();
});

test("on a phone nothing is cut off", async () => {
  const ada = await Person.at(chromium, stack.url, { viewport: PHONE });
  await ada.goes("/app/channels");
  await ada.signsIn();
  for (const path of PAGES) {
    await ada.goes(path);
    const wide = await ada.page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= PHONE.width, `${path} is ${wide} wide`);
  }
  await ada.leaves();
});

test("the story can be gone through by keyboard alone", async () => {
  const ada = await Person.at(chromium, stack.url);
  await ada.goes("/app/publishing");
  await ada.signsIn();
  const { page } = ada;
  const reach = async (/** @type {string} */ selector) => {
    for (let steps = 0; steps < 80; steps += 1) {
      if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`${selector} is not reached`);
  };
  await page.evaluate(() => /** @type {HTMLElement} */ (document.activeElement)?.blur());
  await reach(".skip");
  await reach('nav a[href="/app/publishing"]');
  await page.keyboard.press("Enter");
  await ada.ready();
  await reach('input[type="url"]');
  await page.keyboard.type(`${stack.images}/keys.jpg`);
  await reach('[name="title"]');
  await page.keyboard.type("By keyboard");
  await reach("form.composer button.main");
  await page.keyboard.press("Enter");
  await page.locator('p[data-state="published"]').waitFor();
  await ada.leaves();
});

test("numbers are drawn and stand in a table, and a day without data is none", async () => {
  const days = 20;
  await stack.advance(days * 86_400);
  const ada = await Person.at(chromium, stack.url);
  await ada.context.clock.install({ time: Date.now() + days * 86_400_000 });
  await ada.goes("/app/numbers");
  await ada.signsIn();
  await ada.page.locator("svg.chart polyline").waitFor();
  await ada.page.getByText("Grey: Pinterest has no data for the day.").waitFor();
  await ada.page.getByText("Show as table").click();
  assert.ok((await ada.page.getByRole("cell", { name: "no data" }).count()) > 0);
  await ada.page.getByRole("heading", { name: "Top Pins" }).waitFor();
  await ada.leaves();
});

test("nothing jumps while a page loads", async () => {
  const ada = await Person.at(chromium, stack.url);
  await ada.page.addInitScript(() => {
    const seen = /** @type {any} */ (window);
    seen.shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) seen.shift += /** @type {any} */ (entry).hadRecentInput ? 0 : /** @type {any} */ (entry).value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  await ada.goes("/app/channels");
  await ada.signsIn();
  for (const path of PAGES) {
    await ada.goes(path);
    const shift = await ada.page.evaluate(() => /** @type {any} */ (window).shift);
    assert.ok(shift < 0.1, `${path}: ${shift}`); // what web.dev calls good
  }
  await ada.leaves();
});

test("the numbers of one Pin are a click away from it", async () => {
  const ada = await Person.at(chromium, stack.url);
  await ada.goes("/app/publishing");
  await ada.signsIn();
  await ada.page.locator('ul.pins > li[data-state="published"] button').last().click();
  await ada.page.getByRole("dialog").getByRole("link", { name: "Analytics" }).click();
  await ada.page.getByRole("heading", { name: "Pin analytics" }).waitFor();
  await ada.page.locator("svg.chart").waitFor();
  assert.equal(await ada.page.getByRole("dialog").count(), 0);
  await ada.leaves();
});

test("numbers that come late are not shown for what was chosen meanwhile", async () => {
  const ada = await Person.at(chromium, stack.url);
  const { page } = ada;
  await page.addInitScript(() => {
    const { fetch } = window;
    /** @type {any} */ (window).late = new Promise((resolve) => Object.assign(window, { letGo: resolve }));
    window.fetch = async (address, options) => {
      const from = new URL(String(address), location.href).searchParams.get("from");
      const answer = await fetch(address, { ...options, signal: null });
      if (!from || Date.now() - Date.parse(from) < 80 * 86_400_000) return answer;
      const text = await answer.text();
      await /** @type {any} */ (window).late;
      return new Response(text, answer);
    };
  });
  await ada.goes("/app/numbers");
  await ada.signsIn();
  await page.getByLabel("Period").selectOption("89");
  await page.getByLabel("Period").selectOption("7");
  const rows = page.locator("details tbody tr");
  await page.waitForFunction(() => document.querySelectorAll("details tbody tr").length === 7);
  await page.evaluate(async () => {
    /** @type {any} */ (window).letGo();
    for (let frame = 0; frame < 5; frame += 1) await new Promise(requestAnimationFrame);
  });
  assert.equal(await rows.count(), 7);
  await ada.leaves();
});
