// @ts-check
/** A line of numbers, day by day. A day without data is a gap, and never zero. */

import { h, svg } from "./dom.js";
import { moment, t } from "./text.js";

/** @typedef {{ date: string, value: number | null, status: string | null }} Day */

const SIZE = { width: 720, height: 220, left: 52, right: 8, top: 12, bottom: 26 };

/**
 * @param {string} name what is counted
 * @param {Day[]} days
 * @param {(count: number) => string} shown how a number is written
 */
export function chart(name, days, shown) {
  const { width, height, left, right, top, bottom } = SIZE;
  const most = ceiling(Math.max(0, ...days.map(({ value }) => value ?? 0)));
  const x = (/** @type {number} */ at) => left + (at * (width - left - right)) / Math.max(1, days.length - 1);
  const y = (/** @type {number} */ value) => height - bottom - (value * (height - top - bottom)) / most;
  const step = (width - left - right) / Math.max(1, days.length - 1);

  const grid = [0, most / 2, most].flatMap((value) => [
    svg("line", { class: "grid", x1: left, x2: width - right, y1: y(value), y2: y(value) }),
    svg("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, shown(value)),
  ]);
  const dates = [0, Math.floor((days.length - 1) / 2), days.length - 1].map((at, place) =>
    svg("text", { x: x(at), y: height - 8, "text-anchor": ["start", "middle", "end"][place] }, day(days[at].date)),
  );
  const gap = (/** @type {number} */ at) => {
    const [from, to] = [Math.max(left, x(at) - step / 2), Math.min(width - right, x(at) + step / 2)];
    return svg("rect", { class: "gap", x: from, y: top, width: to - from, height: height - top - bottom });
  };
  const gaps = days.map(({ value }, at) => (value === null ? gap(at) : null));
  const lines = runs(days).map((run) =>
    run.length === 1
      ? svg("circle", { cx: x(run[0]), cy: y(days[run[0]].value ?? 0), r: 3 })
      : svg("polyline", { class: "line", points: run.map((at) => `${x(at)},${y(days[at].value ?? 0)}`).join(" ") }),
  );
  return h(
    "figure",
    { class: "bare" },
    svg("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": t("analytics.chart", { name }) }, grid, gaps, lines, dates),
    days.some(({ value }) => value === null) ? h("figcaption", { class: "hint" }, t("analytics.gaps")) : null,
  );
}

/**
 * The same as a table, for those who want it exact.
 * @param {{ name: string, days: Day[], shown: (count: number) => string }[]} columns
 */
export function table(columns) {
  const rows = columns[0].days.map(({ date, status }, at) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, day(date), status && status !== "READY" ? h("span", { class: "hint" }, ` ${status}`) : null),
      columns.map(({ days, shown }) => value(days[at].value, shown)),
    ),
  );
  return h(
    "details",
    {},
    h("summary", {}, t("analytics.table")),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "group", "aria-label": t("analytics.table") },
      h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("analytics.day")), columns.map(({ name }) => h("th", { scope: "col", class: "number" }, name)))), h("tbody", {}, rows)),
    ),
  );
}

/**
 * A cell with a number, or with none.
 * @param {number | null} count
 * @param {(count: number) => string} shown
 */
export function value(count, shown) {
  return h("td", { class: "number" }, count === null ? h("span", { class: "hint" }, t("analytics.none")) : shown(count));
}

/** @param {string} date a day in UTC, as Pinterest counts */
const day = (date) => moment(`${date}T00:00:00Z`, { dateStyle: "medium", timeZone: "UTC" });

/**
 * Days that follow each other, each with data.
 * @param {Day[]} days
 */
function runs(days) {
  /** @type {number[][]} */
  const all = [[]];
  days.forEach(({ value }, at) => (value === null ? all.push([]) : /** @type {number[]} */ (all.at(-1)).push(at)));
  return all.filter((run) => run.length);
}

/**
 * The next round number: 1, 2 or 5 and noughts.
 * @param {number} most
 */
function ceiling(most) {
  const unit = 10 ** Math.floor(Math.log10(most || 1));
  return ([1, 2, 5, 10].find((times) => times * unit >= most) ?? 10) * unit;
}
