// @ts-check
/** Texts, dates and numbers in the user's language. */

/** @type {Record<string, string>} */
export const languages = { en: "English", tr: "Türkçe" };

/** The language that the user selected, else the browser's, else English. */
export const language = (() => {
  const preferred = [localStorage.getItem("language") ?? "", ...navigator.languages];
  return preferred.map((tag) => tag.slice(0, 2)).find((code) => code in languages) ?? "en";
})();
document.documentElement.lang = language;
/** The locale for dates and numbers: the browser's regional variant of the language, if it has one. */
export const locale = navigator.languages.find((tag) => tag.startsWith(language)) ?? language;

/** @type {Texts} */
const texts = language === "tr" ? (await import("./tr.js")).default : (await import("./en.js")).default;

/** @param {string} code */
export function setLanguage(code) {
  localStorage.setItem("language", code);
  location.reload();
}

/**
 * The text of a key, with its placeholders replaced.
 * @param {TextKey} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  return texts[key].replaceAll(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/**
 * A text about a count, in its singular or plural form.
 * @param {PluralKey} key
 * @param {number} count
 */
export function plural(key, count) {
  const form = new Intl.PluralRules(language).select(count) === "one" ? "one" : "other";
  return t(`${key}.${form}`, { count: formatNumber(count) });
}

/**
 * The text of a key that comes from the API, or the fallback if there is none.
 * @param {string} key
 * @param {string} fallback
 */
export function textOr(key, fallback) {
  return key in texts ? t(/** @type {TextKey} */ (key)) : fallback;
}

/** @type {Intl.DateTimeFormatOptions} */
const DATE_AND_TIME = { dateStyle: "medium", timeStyle: "short" };

/**
 * An instant as a date and time, in the browser's time zone unless `options` name another.
 * @param {string} instant
 * @param {Intl.DateTimeFormatOptions} [options]
 */
export function formatTime(instant, options = DATE_AND_TIME) {
  return new Intl.DateTimeFormat(locale, options).format(new Date(instant));
}

/** @type {[Intl.RelativeTimeFormatUnit, number][]} units and their length in seconds */
const UNITS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

/**
 * An instant relative to now: "in 3 days", "2 minutes ago".
 * @param {string} instant
 */
export function relativeTime(instant) {
  const seconds = (Date.parse(instant) - Date.now()) / 1000;
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(Math.round(seconds / length), unit);
}

/** @param {number} value */
export function formatNumber(value) {
  return new Intl.NumberFormat(locale).format(value);
}

/** @param {number} ratio */
export function formatPercent(ratio) {
  return new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }).format(ratio);
}

/** @param {number} bytes */
export function formatMegabytes(bytes) {
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(bytes / 1e6)} MB`;
}

/**
 * The number of characters as the server counts them: Unicode scalar values.
 * @param {string} text
 */
export function characterCount(text) {
  return [...text].length;
}
