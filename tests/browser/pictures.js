// @ts-check
/** Pictures of the pages for the documentation, and how soon the pages are there: `tests/browser/run pictures`. */

import { mkdir } from "node:fs/promises";
import { browser, Person } from "./people.js";
import { furnish, Stack } from "./stack.js";

const DOCS = new URL("../../docs/", import.meta.url).pathname;
const PHONE = { width: 360, height: 740 };
/** So old are the Pins in the pictures: they have numbers. */
const DAYS = 25;
/** @type {[string, string, import("playwright-core").BrowserContextOptions][]} */
const PICTURES = [
  ["settings", "/admin/api-integration/pinterest", {}],
  ["channels", "/app/channels", {}],
  ["publishing", "/app/publishing", {}],
  ["publishing-dark", "/app/publishing", { colorScheme: "dark", locale: "tr-TR" }],
  ["publishing-phone", "/app/publishing", { viewport: PHONE, locale: "tr-TR" }],
  ["numbers", "/app/numbers", {}],
  ["reference", "/api-reference", {}],
];

await mkdir(DOCS, { recursive: true });
const stack = await Stack.start();
const chromium = await browser();
try {
  const first = await Person.at(chromium, stack.url);
  await furnish(stack, first, "production");
  await first.leaves();
  await times();
  await stack.advance(DAYS * 86_400);
  for (const [name, path, options] of PICTURES) {
    const ada = await Person.at(chromium, stack.url, options);
    await ada.context.clock.install({ time: Date.now() + DAYS * 86_400_000 });
    await signIn(ada);
    await ada.goes(path);
    if (path === "/app/publishing") await write(ada);
    await ada.page.waitForLoadState("networkidle");
    await ada.page.screenshot({ path: `${DOCS}${name}.png` });
    await ada.leaves();
  }
} finally {
  await chromium.close();
  await stack.stop();
}

/** @param {Person} ada */
async function signIn(ada) {
  await ada.goes("/app/channels");
  await ada.page.locator("form button.main").click();
  await ada.page.locator(".channel").waitFor();
}

/** @param {Person} ada */
async function write(ada) {
  await ada.page.locator('.slot input[type="url"]').first().fill(`${stack.images}/salad.svg`);
  await ada.page.locator('[name="title"]').fill("Green salad");
  await ada.page.locator('[name="description"]').fill("Ten minutes, one bowl: leaves, lemon, and what the garden has.");
  await ada.page.locator('[name="link"]').fill("https://www.example.com/salad");
  await ada.page.evaluate(() => scrollTo(0, 0));
}

/** How soon each page paints, and when all that it first loads is there. */
async function times() {
  const ada = await Person.at(chromium, stack.url);
  await signIn(ada);
  for (const path of new Set(PICTURES.map(([, path]) => path))) {
    await ada.goes(path);
    const { paint, loaded } = await ada.page.evaluate(() => {
      const [page] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
      return { paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime, loaded: page.loadEventEnd };
    });
    console.log(`${path}: first paint after ${paint?.toFixed()} ms, loaded after ${loaded.toFixed()} ms`);
  }
  await ada.leaves();
}
