// @ts-check
/** Pictures of the pages for the documentation, and how soon the pages are there: `tests/browser/run pictures`. */

import { mkdir } from "node:fs/promises";
import { browser, Person } from "./people.js";
import { furnish, Stack } from "./stack.js";

const DOCS = new URL("../../docs/", import.meta.url).pathname;
/** How many Pins a short list has, and a long one. */
const FEW = 200;
const MANY = 5000;
/** So old are the Pins in the pictures: they have numbers. */
const DAYS = 25;
/** @type {[string, string, import("playwright-core").BrowserContextOptions][]} */
const PICTURES = [
  ["settings", "/admin/api-integration/pinterest", {}],
  ["channels", "/app/channels", {}],
  ["publishing", "/app/publishing", {}],
  ["publishing-dark", "/app/publishing", { colorScheme: "dark", locale: "tr-TR" }],
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
  await many();
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

/** How soon each page paints, and shows what one came for. */
async function times() {
  const ada = await Person.at(chromium, stack.url);
  await signIn(ada);
  for (const path of new Set(PICTURES.map(([, path]) => path))) {
    await ada.goes(path);
    const { paint, ready } = await ada.page.evaluate(() => {
      const at = (/** @type {string} */ name) => performance.getEntriesByName(name)[0]?.startTime.toFixed();
      return { paint: at("first-contentful-paint"), ready: at("ready") };
    });
    console.log(`${path}: first paint after ${paint} ms, what one came for after ${ready} ms`);
  }
  await ada.leaves();
}

/** How smooth a list of very many Pins is. */
async function many() {
  const { token } = await stack.post("/dev/token", { sub: "many" });
  const ask = (/** @type {string} */ path, /** @type {RequestInit} */ options = {}) =>
    fetch(stack.url + path, { ...options, headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/x-ndjson" } }).then((answer) => answer.json());
  const mary = await Person.at(chromium, stack.url);
  await mary.goes("/app/channels");
  await mary.signsIn("many", false);
  await mary.page.getByRole("button", { name: "Connect", exact: true }).click();
  await mary.allows();
  await mary.page.getByRole("button", { name: "Travel" }).click();
  await mary.page.getByText("Default board: Travel").waitFor();
  const channel = (await ask("/api/v1/channels")).items[0].id;
  const later = new Date(Date.now() + 300 * 86_400_000).toISOString();
  const row = (/** @type {number} */ number) => JSON.stringify({ channel_id: channel, title: `Pin ${number}`, media: { kind: "image", url: `${stack.images}/${number}.jpg` }, publish_at: later });
  for (let from = 0; from < MANY; from += 500) {
    const body = Array.from({ length: 500 }, (_, at) => row(from + at)).join("\n");
    let left = Infinity;
    while (left) {
      const before = left;
      const { rows } = await ask("/api/v1/pins/bulk", { method: "POST", body });
      left = rows.filter((/** @type {any} */ { status }) => status === "not_done").length;
      if (left >= before) throw new Error(`${left} rows are left: ${JSON.stringify(rows.find((/** @type {any} */ { code }) => code))}`);
    }
  }
  await mary.goes("/app/publishing");
  const began = Date.now();
  const down = (/** @type {number} */ most) => {
    if (document.querySelectorAll("ul.pins > li").length >= most) return true;
    scrollTo(0, document.body.scrollHeight);
    return false;
  };
  for (const count of [FEW, MANY]) {
    await mary.page.waitForFunction(down, count, { polling: 100, timeout: 120_000 });
    console.log(`${count} Pins: in the list after ${((Date.now() - began) / 1000).toFixed(1)} s; ${await smoothness(mary.page)}`);
  }
  await mary.leaves();
}

/**
 * How long frames take while somebody scrolls up a list.
 * @param {import("playwright-core").Page} page
 */
async function smoothness(page) {
  const frames = await page.evaluate(async () => {
    /** @returns {Promise<number>} */
    const frame = () => new Promise(requestAnimationFrame);
    const all = [];
    for (let at = 0, last = await frame(); at < 200; at += 1) {
      scrollBy(0, at % 20 < 10 ? -600 : 600); // there and back again: a short list too is long enough
      const now = await frame();
      all.push(now - last);
      last = now;
    }
    return all.sort((one, other) => one - other);
  });
  const part = (/** @type {number} */ of) => frames[Math.floor((frames.length - 1) * of)].toFixed();
  return `of 200 frames of scrolling half take ${part(0.5)} ms, 19 of 20 ${part(0.95)} ms, the longest ${part(1)} ms`;
}
