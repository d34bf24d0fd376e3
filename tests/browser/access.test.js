// @ts-check
/** Accessibility and layout of every page, in both themes and languages, also on a phone. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launchBrowser, Person } from "./person.js";
import { seedData, Stack } from "./stack.js";

const PAGES = [
  "/admin/api-integration/pinterest",
  "/app/channels",
  "/app/publishing",
  "/app/analytics",
  "/api-reference",
];
const PHONE = { width: 360, height: 740 };

/** @type {Stack} */
let stack;
/** @type {import("playwright-core").Browser} */
let chromium;

before(async () => {
  stack = await Stack.start();
  chromium = await launchBrowser();
  const ada = await Person.open(chromium, stack.url);
  await seedData(stack, ada, "production");
  await ada.close();
});

after(async () => {
  await chromium?.close();
  await stack?.stop();
});

for (const locale of ["en-GB", "tr-TR"]) {
  for (const colorScheme of /** @type {("light" | "dark")[]} */ (["light", "dark"])) {
    test(`pages are accessible: ${locale}, ${colorScheme}`, async () => {
      const ada = await Person.open(chromium, stack.url, { locale, colorScheme });
      const violations = [];
      await ada.page.goto(`${stack.url}/app/channels`);
      await ada.waitUntilReady();
      violations.push(...(await ada.accessibilityViolations()).map((violation) => `sign-in: ${violation}`));
      await ada.page.locator("form button.main").click();
      await ada.page.locator(".channel").waitFor();
      for (const path of PAGES) {
        await ada.visit(path);
        await ada.page.locator("details").evaluateAll((elements) => {
          for (const element of elements.slice(0, 8)) element.setAttribute("open", "");
        });
        violations.push(...(await ada.accessibilityViolations()).map((violation) => `${path}: ${violation}`));
        assert.equal(await ada.page.evaluate(() => document.documentElement.lang), locale.slice(0, 2));
      }
      assert.deepEqual(violations, []);
      assert.deepEqual(ada.consoleErrors, []);
      await ada.close();
    });
  }
}

test("dialogs and the calendar are accessible", async () => {
  const ada = await Person.open(chromium, stack.url);
  await ada.visit("/app/channels");
  await ada.signIn();
  await ada.page.getByRole("button", { name: "Change board" }).click();
  await ada.page.getByRole("button", { name: "Recipes" }).waitFor();
  assert.deepEqual(await ada.accessibilityViolations(), []);
  await ada.page.keyboard.press("Escape");
  await ada.visit("/app/publishing");
  await ada.page.getByRole("button", { name: "Calendar" }).click();
  await ada.page.locator(".chip").first().waitFor();
  assert.deepEqual(await ada.accessibilityViolations(), []);
  await ada.page.getByRole("button", { name: "List", exact: true }).click();
  await ada.page.locator("ul.pins > li button").first().click();
  await ada.page.getByRole("dialog").getByText("accepted").waitFor();
  assert.deepEqual(await ada.accessibilityViolations(), []);
  await ada.close();
});

test("pages fit the width of a phone", async () => {
  const ada = await Person.open(chromium, stack.url, { viewport: PHONE });
  await ada.visit("/app/channels");
  await ada.signIn();
  for (const path of PAGES) {
    await ada.visit(path);
    const wide = await ada.page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= PHONE.width, `${path} is ${wide} wide`);
  }
  await ada.close();
});

test("a Pin can be published with the keyboard alone", async () => {
  const ada = await Person.open(chromium, stack.url);
  await ada.visit("/app/publishing");
  await ada.signIn();
  const { page } = ada;
  const reach = async (/** @type {string} */ selector) => {
    for (let steps = 0; steps < 80; steps += 1) {
      if (await page.evaluate((query) => document.activeElement?.matches(query), selector)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`${selector} is not reached`);
  };
  await page.evaluate(() => /** @type {HTMLElement} */ (document.activeElement)?.blur());
  await reach(".skip");
  await reach('nav a[href="/app/publishing"]');
  await page.keyboard.press("Enter");
  await ada.waitUntilReady();
  await reach('input[type="url"]');
  await page.keyboard.type(`${stack.images}/keys.jpg`);
  await reach('[name="title"]');
  await page.keyboard.type("By keyboard");
  await reach("form.composer button.main");
  await page.keyboard.press("Enter");
  await page.locator('p[data-state="published"]').waitFor();
  await ada.close();
});

test("analytics show a chart and a table, and days without data as gaps", async () => {
  const days = 20;
  await stack.advance(days * 86_400);
  const ada = await Person.open(chromium, stack.url);
  await ada.context.clock.install({ time: Date.now() + days * 86_400_000 });
  await ada.visit("/app/analytics");
  await ada.signIn();
  await ada.page.locator("svg.chart polyline").waitFor();
  await ada.page.getByText("Grey: Pinterest has no data for the day.").waitFor();
  await ada.page.getByText("Show as table").click();
  assert.ok((await ada.page.getByRole("cell", { name: "no data" }).count()) > 0);
  await ada.page.getByRole("heading", { name: "Top Pins" }).waitFor();
  await ada.close();
});

test("pages load without layout shifts", async () => {
  const ada = await Person.open(chromium, stack.url);
  await ada.page.addInitScript(() => {
    const metrics = /** @type {any} */ (window);
    metrics.shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries())
        metrics.shift += /** @type {any} */ (entry).hadRecentInput ? 0 : /** @type {any} */ (entry).value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  await ada.visit("/app/channels");
  await ada.signIn();
  for (const path of PAGES) {
    await ada.visit(path);
    const shift = await ada.page.evaluate(() => /** @type {any} */ (window).shift);
    assert.ok(shift < 0.1, `${path}: ${shift}`); // what web.dev calls good
  }
  await ada.close();
});

test("the dialog of a Pin links to its analytics", async () => {
  const ada = await Person.open(chromium, stack.url);
  await ada.visit("/app/publishing");
  await ada.signIn();
  await ada.page.locator('ul.pins > li[data-state="published"] button').last().click();
  await ada.page.getByRole("dialog").getByRole("link", { name: "Analytics" }).click();
  await ada.page.getByRole("heading", { name: "Pin analytics" }).waitFor();
  await ada.page.locator("svg.chart").waitFor();
  assert.equal(await ada.page.getByRole("dialog").count(), 0);
  await ada.close();
});

test("a late analytics response does not replace a newer one", async () => {
  const ada = await Person.open(chromium, stack.url);
  const { page } = ada;
  await page.addInitScript(() => {
    const { fetch } = window;
    const gate = Promise.withResolvers();
    Object.assign(window, { release: gate.resolve });
    window.fetch = async (address, options) => {
      const from = new URL(String(address), location.href).searchParams.get("from");
      const response = await fetch(address, { ...options, signal: null });
      if (!from || Date.now() - Date.parse(from) < 80 * 86_400_000) return response;
      const text = await response.text();
      await gate.promise;
      return new Response(text, response);
    };
  });
  await ada.visit("/app/analytics");
  await ada.signIn();
  await page.getByLabel("Period").selectOption("89");
  await page.getByLabel("Period").selectOption("7");
  const rows = page.locator("details tbody tr");
  await page.waitForFunction(() => document.querySelectorAll("details tbody tr").length === 7);
  await page.evaluate(async () => {
    /** @type {any} */ (window).release();
    for (let frame = 0; frame < 5; frame += 1) await new Promise(requestAnimationFrame);
  });
  assert.equal(await rows.count(), 7);
  await ada.close();
});
