// @ts-check
/** A browser, and people in it: what they see is checked on every page that they come to. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Axe makes markup of texts, which the pages' policy forbids: it is allowed to, once. */
const ALLOW = "trustedTypes.defaultPolicy ?? trustedTypes.createPolicy('default', { createScript: (text) => text, createHTML: (text) => text });";
/** What Chromium would do by itself, and nobody asked for. */
const QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-quic", "--disable-sync", "--no-first-run"];

/** @returns {Promise<import("playwright-core").Browser>} */
export function browser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: [...QUIET, "--no-sandbox"] });
}

/** Somebody at a page of the stack. */
export class Person {
  /** What the browser complained about: what a policy forbids, errors of scripts, files that are not there. @type {string[]} */
  complaints = [];

  /**
   * @param {import("playwright-core").BrowserContext} context
   * @param {import("playwright-core").Page} page
   * @param {string} url
   */
  constructor(context, page, url) {
    this.context = context;
    this.page = page;
    this.url = url;
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (said) => {
      const { url: about } = said.location();
      const refusal = about.includes("/api/v1/"); // of the API: the page shows it
      if (said.type() === "error" && about.startsWith(url) && !refusal) this.complaints.push(`${said.text()} ${about}`);
    });
  }

  /**
   * @param {import("playwright-core").Browser} browser
   * @param {string} url
   * @param {import("playwright-core").BrowserContextOptions} [options]
   */
  static async at(browser, url, options = {}) {
    const context = await browser.newContext({ locale: "en-GB", timezoneId: "Europe/Istanbul", viewport: { width: 1200, height: 800 }, ...options });
    context.setDefaultTimeout(15_000);
    return new Person(context, await context.newPage(), url);
  }

  /** @param {string} path */
  async goes(path) {
    await this.page.goto(this.url + path);
    await this.ready();
  }

  /** Waits until the page shows what it is to show. */
  async ready() {
    await this.page.waitForSelector("#main[data-ready]");
    await this.page.waitForFunction(() => !document.querySelector("#main .soon"));
  }

  /** Signs in with the development sign-in. */
  async signsIn(name = "ada", admin = true) {
    await this.page.getByLabel("Name").fill(name);
    await this.page.getByLabel(/change the integration/).setChecked(admin);
    await this.page.locator("main").getByRole("button", { name: "Sign in" }).click();
    await this.page.getByRole("button", { name: "Sign out" }).waitFor();
    await this.ready();
  }

  /** Approves at the simulated Pinterest. */
  async allows() {
    await this.page.waitForURL(/\/oauth\//);
    await this.page.getByRole("button", { name: /allow|give access/i }).click();
    await this.page.waitForURL(/\/app\/channels/);
    await this.ready();
  }

  /** What is not accessible on the page as it is (axe, WCAG 2.2 AA), one line each. @returns {Promise<string[]>} */
  async barriers() {
    await this.page.evaluate(ALLOW + AXE);
    const { violations } = await this.page.evaluate(() => /** @type {any} */ (window).axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
    return violations.flatMap((/** @type {any} */ one) => one.nodes.map((/** @type {any} */ node) => `${one.id}: ${node.target.join(" ")}: ${node.failureSummary}`));
  }

  async leaves() {
    await this.context.close();
  }
}
