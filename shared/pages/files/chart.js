// @ts-check
/** A line chart of one metric by day. A day without data is a gap, never zero. */

import { h, svg } from "./dom.js";
import { formatTime, t } from "./text.js";

const SIZE = { width: 720, height: 220, left: 52, right: 8, top: 12, bottom: 26 };

/**
 * @param {string} name of the metric
 * @param {ChartDay[]} days
 * @param {FormatValue} format
 */
export function lineChart(name, days, format) {
  const { width, height, left, right, top, bottom } = SIZE;
  const plotWidth = width - left - right;
  const plotHeight = height - top - bottom;
  const maximum = roundUp(Math.max(0, ...days.map(({ value }) => value ?? 0)));
  const step = plotWidth / Math.max(1, days.length - 1);
  const x = (/** @type {number} */ index) => left + index * step;
  const y = (/** @type {number} */ value) => height - bottom - (value * plotHeight) / maximum;

  const grid = [0, maximum / 2, maximum].flatMap((value) => [
    svg("line", { class: "grid", x1: left, x2: width - right, y1: y(value), y2: y(value) }),
    svg("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, format(value)),
  ]);
  const lastIndex = days.length - 1;
  /** @type {[number, string][]} */
  const labels = [
    [0, "start"],
    [Math.floor(lastIndex / 2), "middle"],
    [lastIndex, "end"],
  ];
  const dates = labels.map(([index, anchor]) =>
    svg("text", { x: x(index), y: height - 8, "text-anchor": anchor }, formatDay(days[index].date)),
  );
  const gap = (/** @type {number} */ index) => {
    const start = Math.max(left, x(index) - step / 2);
    const end = Math.min(width - right, x(index) + step / 2);
    return svg("rect", { class: "gap", x: start, y: top, width: end - start, height: plotHeight });
  };
  const gaps = days.map(({ value }, index) => (value === null ? gap(index) : null));
  const lines = segments(days).map((indexes) => {
    const points = indexes.map((index) => [x(index), y(days[index].value ?? 0)]);
    return points.length === 1
      ? svg("circle", { cx: points[0][0], cy: points[0][1], r: 3 })
      : svg("polyline", { class: "line", points: points.join(" ") });
  });
  const attributes = {
    class: "chart",
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    "aria-label": t("analytics.chart", { name }),
  };
  const hasGaps = days.some(({ value }) => value === null);
  return h(
    "figure",
    { class: "bare" },
    svg("svg", attributes, grid, gaps, lines, dates),
    hasGaps ? h("figcaption", { class: "hint" }, t("analytics.gaps")) : null,
  );
}

/**
 * The exact values of all metrics as a table.
 * @param {ChartColumn[]} columns
 */
export function dataTable(columns) {
  const rows = columns[0].days.map(({ date, status }, index) => {
    const note = status && status !== "READY" ? h("span", { class: "hint" }, ` ${status}`) : null;
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, formatDay(date), note),
      columns.map(({ days, format }) => valueCell(days[index].value, format)),
    );
  });
  const headings = [
    h("th", { scope: "col" }, t("analytics.day")),
    ...columns.map(({ name }) => h("th", { scope: "col", class: "number" }, name)),
  ];
  return h(
    "details",
    {},
    h("summary", {}, t("analytics.table")),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "group", "aria-label": t("analytics.table") },
      h("table", {}, h("thead", {}, h("tr", {}, headings)), h("tbody", {}, rows)),
    ),
  );
}

/**
 * A table cell with a number, or with "no data".
 * @param {number | null} value
 * @param {FormatValue} format
 */
export function valueCell(value, format) {
  const content = value === null ? h("span", { class: "hint" }, t("analytics.none")) : format(value);
  return h("td", { class: "number" }, content);
}

/** @param {string} date a day in UTC, as Pinterest counts them */
function formatDay(date) {
  return formatTime(`${date}T00:00:00Z`, { dateStyle: "medium", timeZone: "UTC" });
}

/**
 * The indexes of consecutive days with data: one array for each line.
 * @param {ChartDay[]} days
 */
function segments(days) {
  /** @type {number[][]} */
  const all = [[]];
  days.forEach(({ value }, index) => {
    if (value === null) all.push([]);
    else all[all.length - 1].push(index);
  });
  return all.filter((indexes) => indexes.length);
}

/**
 * The next round number: 1, 2 or 5 times a power of ten.
 * @param {number} value
 */
function roundUp(value) {
  const unit = 10 ** Math.floor(Math.log10(value || 1));
  return ([1, 2, 5, 10].find((factor) => factor * unit >= value) ?? 10) * unit;
}
