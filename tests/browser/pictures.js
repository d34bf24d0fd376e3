// @ts-check
/** Takes the screenshots of docs/, and measures how fast pages and lists are: `tests/browser/run pictures`. */

import { mkdir } from "node:fs/promises";
import { launchBrowser, Person } from "./person.js";
import { seedData, Stack } from "./stack.js";

const DOCS = new URL("../../docs/", import.meta.url).pathname;
/** The numbers of Pins at which a list is measured. */
const LIST_SIZES = [200, 5000];
/** Pins of one bulk request. */
const BATCH_SIZE = 500;
/** Frames that one measurement of scrolling takes. */
const FRAMES = 200;
/** The age of the Pins on the screenshots: old enough for analytics. */
const AGE_DAYS = 25;
const DAY_SECONDS = 86_400;
/** @type {[string, string, import("playwright-core").BrowserContextOptions][]} */
const SCREENSHOTS = [
  ["settings", "/admin/api-integration/pinterest", {}],
  ["channels", "/app/channels", {}],
  ["publishing", "/app/publishing", {}],
  ["publishing-dark", "/app/publishing", { colorScheme: "dark", locale: "tr-TR" }],
  ["numbers", "/app/analytics", {}],
  ["reference", "/api-reference", {}],
];

await mkdir(DOCS, { recursive: true });
const stack = await Stack.start();
const chromium = await launchBrowser();
try {
  const ada = await Person.open(chromium, stack.url);
  await seedData(stack, ada, "production");
  await ada.close();
  await measurePages();
  await stack.advance(AGE_DAYS * DAY_SECONDS);
  for (const [name, path, options] of SCREENSHOTS) await takeScreenshot(name, path, options);
  await measureLists();
} finally {
  await chromium.close();
  await stack.stop();
}

/**
 * @param {string} name
 * @param {string} path
 * @param {import("playwright-core").BrowserContextOptions} options
 */
async function takeScreenshot(name, path, options) {
  const ada = await Person.open(chromium, stack.url, options);
  await ada.context.clock.install({ time: Date.now() + AGE_DAYS * DAY_SECONDS * 1000 });
  await signIn(ada);
  await ada.visit(path);
  if (path === "/app/publishing") await fillPin(ada);
  await ada.page.waitForLoadState("networkidle");
  await ada.page.screenshot({ path: `${DOCS}${name}.png` });
  await ada.close();
}

/**
 * Signs in, in any language.
 * @param {Person} ada
 */
async function signIn(ada) {
  await ada.visit("/app/channels");
  await ada.page.locator("form button.main").click();
  await ada.page.locator(".channel").waitFor();
}

/** @param {Person} ada */
async function fillPin(ada) {
  const fill = (/** @type {string} */ selector, /** @type {string} */ text) =>
    ada.page.locator(selector).first().fill(text);
  await fill('.slot input[type="url"]', `${stack.images}/salad.svg`);
  await fill('[name="title"]', "Green salad");
  await fill('[name="description"]', "Ten minutes, one bowl: leaves, lemon, and what the garden has.");
  await fill('[name="link"]', "https://www.example.com/salad");
  await ada.page.evaluate(() => scrollTo(0, 0));
}

/** Measures how soon each page paints, and how soon it shows its main content. */
async function measurePages() {
  const ada = await Person.open(chromium, stack.url);
  await signIn(ada);
  for (const path of new Set(SCREENSHOTS.map(([, path]) => path))) {
    await ada.visit(path);
    const { paint, ready } = await ada.page.evaluate(() => {
      const timeOf = (/** @type {string} */ name) =>
        performance.getEntriesByName(name)[0]?.startTime.toFixed();
      return { paint: timeOf("first-contentful-paint"), ready: timeOf("ready") };
    });
    console.log(`${path}: first paint after ${paint} ms, main content after ${ready} ms`);
  }
  await ada.close();
}

/** Measures how smoothly short and long lists of Pins scroll. */
async function measureLists() {
  const mary = await Person.open(chromium, stack.url);
  await mary.visit("/app/channels");
  await mary.signIn("mary", false);
  await mary.page.getByRole("button", { name: "Connect", exact: true }).click();
  await mary.approveAtPinterest();
  await mary.page.getByRole("button", { name: "Travel" }).click();
  await mary.page.getByText("Default board: Travel").waitFor();
  await schedulePins("mary", Math.max(...LIST_SIZES));
  await mary.visit("/app/publishing");
  const start = Date.now();
  const scrollUntil = (/** @type {number} */ count) => {
    if (document.querySelectorAll("ul.pins > li").length >= count) return true;
    scrollTo(0, document.body.scrollHeight);
    return false;
  };
  for (const count of LIST_SIZES) {
    await mary.page.waitForFunction(scrollUntil, count, { polling: 100, timeout: 120_000 });
    const seconds = ((Date.now() - start) / 1000).toFixed(1);
    console.log(`${count} Pins: in the list after ${seconds} s; ${await scrollTimes(mary.page)}`);
  }
  await mary.close();
}

/**
 * Schedules Pins with bulk requests.
 * @param {string} user
 * @param {number} count
 */
async function schedulePins(user, count) {
  const { token } = await stack.post("/dev/token", { sub: user });
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/x-ndjson" };
  const request = async (/** @type {string} */ path, /** @type {RequestInit} */ options = {}) => {
    const response = await fetch(stack.url + path, { ...options, headers });
    return response.json();
  };
  const channelId = (await request("/api/v1/channels")).items[0].id;
  const publishAt = new Date(Date.now() + 300 * DAY_SECONDS * 1000).toISOString();
  const row = (/** @type {number} */ number) =>
    JSON.stringify({
      channel_id: channelId,
      title: `Pin ${number}`,
      media: { kind: "image", url: `${stack.images}/${number}.jpg` },
      publish_at: publishAt,
    });
  for (let first = 0; first < count; first += BATCH_SIZE) {
    const body = Array.from({ length: BATCH_SIZE }, (_, index) => row(first + index)).join("\n");
    let remaining = Infinity;
    while (remaining) {
      const previous = remaining;
      const { rows } = await request("/api/v1/pins/bulk", { method: "POST", body });
      const failed = rows.filter((/** @type {any} */ { status }) => status === "not_done");
      remaining = failed.length;
      if (remaining >= previous) throw new Error(`${remaining} rows remain: ${JSON.stringify(failed[0])}`);
    }
  }
}

/**
 * How long frames take while a list is scrolled.
 * @param {import("playwright-core").Page} page
 */
async function scrollTimes(page) {
  const times = await page.evaluate(async (count) => {
    /** @returns {Promise<number>} */
    const nextFrame = () => new Promise(requestAnimationFrame);
    const all = [];
    let last = await nextFrame();
    for (let index = 0; index < count; index += 1) {
      scrollBy(0, index % 20 < 10 ? -600 : 600); // up and down again, so that a short list is long enough
      const now = await nextFrame();
      all.push(now - last);
      last = now;
    }
    return all.sort((a, b) => a - b);
  }, FRAMES);
  const quantile = (/** @type {number} */ part) => times[Math.floor((times.length - 1) * part)].toFixed();
  return `of ${FRAMES} frames of scrolling, the median takes ${quantile(0.5)} ms, 95 % at most ${quantile(0.95)} ms, the longest ${quantile(1)} ms`;
}
