// @ts-check
/** The analytics of a channel or a Pin, as Pinterest reports them. */

import { callApi, fetchAll, Problem } from "./api.js";
import { dataTable, lineChart, valueCell } from "./chart.js";
import { externalLink, field, fill, h, isolate, select } from "./dom.js";
import { formatNumber, formatPercent, formatTime, t, textOr } from "./text.js";
import { problemBox, skeleton } from "./widgets.js";

const DAY_MS = 86_400_000;
const PERIODS_DAYS = [7, 30, 89];
const MAX_TOP_PINS = 10;

/** @type {Page} */
export default async function page(main, signal) {
  fill(main, h("h1", {}, t("analytics.title")), skeleton(12));
  /** @type {Channel[]} */
  const channels = await fetchAll("/api/v1/channels", signal);
  if (!channels.length) {
    const channelsLink = h("a", { href: "/app/channels" }, t("channels.title"));
    const empty = h("p", { class: "empty" }, t("publishing.nobody"), " ", channelsLink);
    fill(main, h("h1", {}, t("analytics.title")), empty);
    return;
  }
  const query = new URLSearchParams(location.search);
  const pinId = query.get("pin");
  const channel = select(
    channels.map(({ id, account }) => [id, account.username ?? id]),
    query.get("channel") ?? channels[0].id,
    { onchange: () => load() },
  );
  if (!channel.value) channel.value = channels[0].id;
  const period = select(
    PERIODS_DAYS.map((count) => [String(count), t("analytics.days", { count })]),
    "30",
    { onchange: () => load() },
  );
  const container = h("div", { class: "analytics" });
  fill(
    main,
    h("h1", {}, t(pinId ? "analytics.pin" : "analytics.title")),
    h(
      "div",
      { class: "pair" },
      pinId ? null : field(t("pin.channel"), channel),
      field(t("analytics.period"), period),
    ),
    container,
  );

  /** Aborted when another channel or period is selected: the response to the old request is not shown. */
  let loadAbort = new AbortController();
  async function load() {
    loadAbort.abort();
    loadAbort = new AbortController();
    const loadSignal = AbortSignal.any([signal, loadAbort.signal]);
    fill(container, h("section", { class: "card" }, skeleton(10)));
    const dates = new URLSearchParams(lastDays(Number(period.value)));
    const resource = pinId
      ? `/api/v1/pins/${encodeURIComponent(pinId)}`
      : `/api/v1/channels/${channel.value}`;
    try {
      const report = await callApi("GET", `${resource}/analytics?${dates}`, { signal: loadSignal });
      if (loadSignal.aborted) return;
      if (pinId) return fill(container, reportCard(report));
      const topPins = h("section", { class: "card" }, skeleton(6));
      fill(container, reportCard(report), topPins);
      await showTopPins(topPins, channel.value, dates, loadSignal);
    } catch (error) {
      if (loadSignal.aborted) return;
      const isFinal = error instanceof Problem && error.status === 409;
      fill(container, problemBox(error, isFinal ? undefined : load));
    }
  }
  await load();
}

/**
 * The first and the last of so many days that end today, in UTC.
 * @param {number} count
 */
function lastDays(count) {
  const dateOf = (/** @type {number} */ time) => new Date(time).toISOString().slice(0, 10);
  return { from: dateOf(Date.now() - (count - 1) * DAY_MS), to: dateOf(Date.now()) };
}

/**
 * Totals, a chart of one metric, and a table of all.
 * @param {AnalyticsReport} report
 */
function reportCard({ summary, rows, lifetime, read_at: readAt }) {
  const metrics = Object.keys(summary);
  const daysOf = (/** @type {string} */ metric) =>
    rows.map((row) => ({ date: row.date, status: row.data_status, value: row.metrics[metric] }));
  const chart = h("div", {});
  const metricSelect = select(
    metrics.map((metric) => [metric, metricName(metric)]),
    metrics[0],
    { onchange: () => drawChart() },
  );
  const drawChart = () => {
    const metric = metricSelect.value;
    fill(chart, lineChart(metricName(metric), daysOf(metric), metricFormat(metric)));
  };
  drawChart();
  const columns = metrics.map((metric) => ({
    name: metricName(metric),
    days: daysOf(metric),
    format: metricFormat(metric),
  }));
  const totals = [...Object.entries(summary), ...Object.entries(lifetime ?? {})];
  return h(
    "section",
    { class: "card" },
    h(
      "dl",
      { class: "tiles" },
      totals.map(([metric, value]) => tile(metric, value)),
    ),
    field(t("analytics.metric"), metricSelect),
    chart,
    dataTable(columns),
    h("p", { class: "hint" }, t("analytics.read", { time: formatTime(readAt) })),
  );
}

/**
 * @param {string} metric
 * @param {number | null} value
 */
function tile(metric, value) {
  const shown =
    value === null
      ? h("dd", { class: "hint" }, t("analytics.none"))
      : h("dd", {}, metricFormat(metric)(value));
  return h("div", {}, h("dt", {}, metricName(metric)), shown);
}

/**
 * @param {HTMLElement} card
 * @param {string} channelId
 * @param {URLSearchParams} dates
 * @param {AbortSignal} signal
 */
async function showTopPins(card, channelId, dates, signal) {
  const heading = h("h2", {}, t("analytics.best"));
  try {
    const path = `/api/v1/channels/${channelId}/top-pins?${dates}&limit=${MAX_TOP_PINS}`;
    const { items } = await callApi("GET", path, { signal });
    if (signal.aborted) return;
    fill(
      card,
      heading,
      items.length ? topPinsTable(channelId, items) : h("p", { class: "hint" }, t("pins.none")),
    );
  } catch (error) {
    if (!signal.aborted) fill(card, heading, problemBox(error));
  }
}

/**
 * @param {string} channelId
 * @param {any[]} pins
 */
function topPinsTable(channelId, pins) {
  const metrics = Object.keys(pins[0].metrics ?? {});
  const pinLinks = (/** @type {any} */ pin) => [
    externalLink(pin.pinterest_pin_url, isolate(pin.pinterest_pin_id)),
    " ",
    pin.pin_id
      ? h("a", { href: `/app/analytics?channel=${channelId}&pin=${pin.pin_id}` }, t("analytics.pin"))
      : null,
  ];
  const rows = pins.map((pin) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, pinLinks(pin)),
      metrics.map((metric) => valueCell(pin.metrics[metric], metricFormat(metric))),
    ),
  );
  const headings = [
    h("th", { scope: "col" }, t("pin")),
    ...metrics.map((metric) => h("th", { scope: "col", class: "number" }, metricName(metric))),
  ];
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "group", "aria-label": t("analytics.best") },
    h("table", {}, h("thead", {}, h("tr", {}, headings)), h("tbody", {}, rows)),
  );
}

/** @param {string} metric */
function metricName(metric) {
  return textOr(`metric.${metric}`, metric.toLowerCase().replaceAll("_", " "));
}

/** @param {string} metric */
function metricFormat(metric) {
  return metric.endsWith("_RATE") ? formatPercent : formatNumber;
}
