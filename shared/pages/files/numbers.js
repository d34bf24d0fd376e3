// @ts-check
/** How a channel and its Pins do, by Pinterest's own numbers. */

import { all, call, Problem } from "./api.js";
import { chart, table, value } from "./chart.js";
import { field, fill, h, outward, select, theirs } from "./dom.js";
import { problem, soon } from "./parts.js";
import { known, moment, number, percent, t } from "./text.js";

const DAY = 86_400_000;
const PERIODS = [7, 30, 89];
/** So many of the best Pins are shown. */
const BEST = 10;

/** @typedef {{ from: string, to: string, summary: Record<string, number | null>, rows: { date: string, data_status: string | null, metrics: Record<string, number | null> }[], lifetime?: Record<string, number | null>, read_at: string }} Report */

/** @type {import("./app.js").Page} */
export default async function page(main, signal) {
  fill(main, h("h1", {}, t("analytics.title")), soon(12));
  /** @type {import("./channels.js").Channel[]} */
  const channels = await all("/api/v1/channels", signal);
  if (!channels.length) {
    fill(main, h("h1", {}, t("analytics.title")), h("p", { class: "empty" }, t("publishing.nobody"), " ", h("a", { href: "/app/channels" }, t("channels.title"))));
    return;
  }
  const wanted = new URLSearchParams(location.search);
  const pin = wanted.get("pin");
  const channel = select(channels.map(({ id, account }) => [id, account.username ?? id]), wanted.get("channel") ?? channels[0].id, { onchange: () => show() });
  if (!channel.value) channel.value = channels[0].id;
  const days = select(PERIODS.map((count) => [String(count), t("analytics.days", { count })]), "30", { onchange: () => show() });
  const place = h("div", { class: "numbers" });
  fill(
    main,
    h("h1", {}, t(pin ? "analytics.pin" : "analytics.title")),
    h("div", { class: "pair" }, pin ? null : field(t("pin.channel"), channel), field(t("analytics.period"), days)),
    place,
  );

  /** Ends the question before: its answer is not for what is chosen by now. */
  let asked = new AbortController();
  async function show() {
    asked.abort();
    asked = new AbortController();
    const current = AbortSignal.any([signal, asked.signal]);
    fill(place, h("section", { class: "card" }, soon(10)));
    const to = new Date().toISOString().slice(0, 10);
    const from = new Date(Date.now() - (Number(days.value) - 1) * DAY).toISOString().slice(0, 10);
    const period = new URLSearchParams({ from, to });
    const of = pin ? `/api/v1/pins/${encodeURIComponent(pin)}` : `/api/v1/channels/${channel.value}`;
    try {
      const report = await call("GET", `${of}/analytics?${period}`, { signal: current });
      if (current.aborted) return;
      fill(place, daily(report), pin ? null : h("section", { class: "card", id: "best" }, soon(6)));
      if (!pin) await showBest(channel.value, period, current);
    } catch (error) {
      if (!current.aborted) fill(place, problem(error, error instanceof Problem && error.status === 409 ? undefined : show));
    }
  }
  await show();
}

/** @param {Report} report */
function daily({ summary, rows, lifetime, read_at: at }) {
  const metrics = Object.keys(summary);
  const days = (/** @type {string} */ metric) => rows.map(({ date, data_status: status, metrics: counted }) => ({ date, status, value: counted[metric] }));
  const drawn = h("div", {});
  const chooser = select(metrics.map((metric) => [metric, name(metric)]), metrics[0], { onchange: () => draw() });
  const draw = () => fill(drawn, chart(name(chooser.value), days(chooser.value), shown(chooser.value)));
  draw();
  const sum = (/** @type {[string, number | null]} */ [metric, count]) => h("div", {}, h("dt", {}, name(metric)), h("dd", { class: count === null ? "hint" : "" }, count === null ? t("analytics.none") : shown(metric)(count)));
  return h(
    "section",
    { class: "card" },
    h("dl", { class: "tiles" }, Object.entries(summary).map(sum), Object.entries(lifetime ?? {}).map(sum)),
    field(t("analytics.metric"), chooser),
    drawn,
    table(metrics.map((metric) => ({ name: name(metric), days: days(metric), shown: shown(metric) }))),
    h("p", { class: "hint" }, t("analytics.read", { time: moment(at) })),
  );
}

/**
 * @param {string} channel
 * @param {URLSearchParams} period
 * @param {AbortSignal} signal
 */
async function showBest(channel, period, signal) {
  const place = /** @type {HTMLElement} */ (document.getElementById("best"));
  try {
    const { items } = await call("GET", `/api/v1/channels/${channel}/top-pins?${period}&limit=${BEST}`, { signal });
    if (signal.aborted) return;
    const metrics = Object.keys(items[0]?.metrics ?? {});
    const row = (/** @type {any} */ pin) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, outward(pin.pinterest_pin_url, theirs(pin.pinterest_pin_id)), pin.pin_id ? [" ", h("a", { href: `/app/numbers?channel=${channel}&pin=${pin.pin_id}` }, t("analytics.pin"))] : null),
        metrics.map((metric) => value(pin.metrics[metric], shown(metric))),
      );
    fill(
      place,
      h("h2", {}, t("analytics.best")),
      items.length
        ? h(
            "div",
            { class: "scroll", tabindex: "0", role: "group", "aria-label": t("analytics.best") },
            h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("pin")), metrics.map((metric) => h("th", { scope: "col", class: "number" }, name(metric))))), h("tbody", {}, items.map(row))),
          )
        : h("p", { class: "hint" }, t("pins.none")),
    );
  } catch (error) {
    if (!signal.aborted) fill(place, h("h2", {}, t("analytics.best")), problem(error));
  }
}

/** @param {string} metric */
const name = (metric) => known(`metric.${metric}`, metric.toLowerCase().replaceAll("_", " "));

/** @param {string} metric */
const shown = (metric) => (metric.endsWith("_RATE") ? percent : number);
