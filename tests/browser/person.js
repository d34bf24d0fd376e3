// @ts-check
/** A browser, and a person who uses the console in it. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/**
 * The console's policy forbids scripts and markup from texts. Axe needs both, so it gets a Trusted Types
 * policy.
 */
const ALLOW_AXE =
  "trustedTypes.defaultPolicy ?? trustedTypes.createPolicy('default', { createScript: (text) => text, createHTML: (text) => text });";
/** The rules of axe that pages are checked against. */
const AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** Turns off Chromium's own background traffic. */
const QUIET = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
];

/** @returns {Promise<import("playwright-core").Browser>} */
export function launchBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [...QUIET, "--no-sandbox"],
  });
}

/** A person with a browser context of their own. */
export class Person {
  /** What the browser reported: policy violations, script errors, missing files. @type {string[]} */
  consoleErrors = [];

  /**
   * @param {import("playwright-core").BrowserContext} context
   * @param {import("playwright-core").Page} page
   * @param {string} url
   */
  constructor(context, page, url) {
    this.context = context;
    this.page = page;
    this.url = url;
    page.on("pageerror", (error) => this.consoleErrors.push(String(error)));
    page.on("console", (message) => {
      const { url: source } = message.location();
      const isApiProblem = source.includes("/api/v1/"); // the page shows it
      if (message.type() === "error" && source.startsWith(url) && !isApiProblem) {
        this.consoleErrors.push(`${message.text()} ${source}`);
      }
    });
  }

  /**
   * @param {import("playwright-core").Browser} browser
   * @param {string} url
   * @param {import("playwright-core").BrowserContextOptions} [options]
   */
  static async open(browser, url, options = {}) {
    const context = await browser.newContext({
      locale: "en-GB",
      timezoneId: "Europe/Istanbul",
      viewport: { width: 1200, height: 800 },
      ...options,
    });
    context.setDefaultTimeout(15_000);
    return new Person(context, await context.newPage(), url);
  }

  /** @param {string} path */
  async visit(path) {
    await this.page.goto(this.url + path);
    await this.waitUntilReady();
  }

  /** Waits until the page has loaded its content. */
  async waitUntilReady() {
    await this.page.waitForSelector("#main[data-ready]");
    await this.page.waitForFunction(() => !document.querySelector("#main .skeleton"));
  }

  /** Uses the development sign-in. */
  async signIn(name = "ada", admin = true) {
    await this.page.getByLabel("Name").fill(name);
    await this.page.getByLabel("Can change the integration settings").setChecked(admin);
    await this.page.locator("main").getByRole("button", { name: "Sign in" }).click();
    await this.page.getByRole("button", { name: "Sign out" }).waitFor();
    await this.waitUntilReady();
  }

  /** Approves the connection at the simulated Pinterest. */
  async approveAtPinterest() {
    await this.page.waitForURL(/\/oauth\//);
    await this.page.getByRole("button", { name: /allow|give access/i }).click();
    await this.page.waitForURL(/\/app\/channels/);
    await this.waitUntilReady();
  }

  /** What axe finds on the page as it is (WCAG 2.2 AA), one line each. @returns {Promise<string[]>} */
  async accessibilityViolations() {
    await this.page.evaluate(ALLOW_AXE + AXE);
    const { violations } = await this.page.evaluate(
      (rules) => /** @type {any} */ (window).axe.run({ runOnly: rules }),
      AXE_RULES,
    );
    return violations.flatMap((/** @type {any} */ { id, nodes }) =>
      nodes.map((/** @type {any} */ node) => `${id}: ${node.target.join(" ")}: ${node.failureSummary}`),
    );
  }

  async close() {
    await this.context.close();
  }
}
