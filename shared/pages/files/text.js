// @ts-check
/** What is shown, in the reader's language: texts, dates, numbers. */

/**
 * What a problem of the API is called may be said in other words than its own, which are English.
 * @typedef {typeof import("./en.js").default & { [problem: `problem.${string}`]: string }} Texts
 */
/** @typedef {keyof Texts} Key */

/** @type {Record<string, string>} */
export const languages = { en: "English", tr: "Türkçe" };

/** The language that was chosen here, else the browser's, else English. */
export const language = (() => {
  const wanted = [localStorage.getItem("language") ?? "", ...navigator.languages];
  return wanted.map((one) => one.slice(0, 2)).find((one) => one in languages) ?? "en";
})();
document.documentElement.lang = language;
/** Dates and numbers as they are written where the reader lives. */
export const locale = navigator.languages.find((one) => one.startsWith(language)) ?? language;

/** @type {Texts} */
const texts = language === "tr" ? (await import("./tr.js")).default : (await import("./en.js")).default;

/** @param {string} chosen */
export function choose(chosen) {
  localStorage.setItem("language", chosen);
  location.reload();
}

/**
 * A text, with its blanks filled.
 * @param {Key} key
 * @param {Record<string, string | number>} [blanks]
 */
export function t(key, blanks = {}) {
  return texts[key].replaceAll(/\{(\w+)\}/g, (_, name) => String(blanks[name] ?? ""));
}

/**
 * A text about a count, in the form that the count needs.
 * @param {"boards.more" | "boards.found" | "bulk.send" | "timeline.dropped"} key
 * @param {number} count
 */
export function plural(key, count) {
  const form = new Intl.PluralRules(language).select(count) === "one" ? "one" : "other";
  return t(`${key}.${form}`, { count: number(count) });
}

/**
 * A text that there may be, for what comes from the API.
 * @param {string} key
 * @param {string} otherwise
 */
export function known(key, otherwise) {
  return key in texts ? t(/** @type {Key} */ (key)) : otherwise;
}

/** @type {Intl.DateTimeFormatOptions} */
const MOMENT = { dateStyle: "medium", timeStyle: "short" };

/**
 * A moment, by this browser's clock or in a zone.
 * @param {string} instant
 * @param {Intl.DateTimeFormatOptions} [how]
 */
export function moment(instant, how = MOMENT) {
  return new Intl.DateTimeFormat(locale, how).format(new Date(instant));
}

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

/**
 * How far away a moment is: "in 3 days", "2 minutes ago".
 * @param {string} instant
 */
export function away(instant) {
  const seconds = (Date.parse(instant) - Date.now()) / 1000;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(Math.round(seconds / size), unit);
}

/** @param {number} value */
export function number(value) {
  return new Intl.NumberFormat(locale).format(value);
}

/** @param {number} part */
export function percent(part) {
  return new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }).format(part);
}

/** @param {number} bytes */
export function megabytes(bytes) {
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(bytes / 1e6)} MB`;
}

/** How many characters a text has by the server's rule: Unicode scalar values. */
export const length = (/** @type {string} */ text) => [...text].length;
