// @ts-check
/** Many Pins in one file: looked through first, then sent, with a report for each row. */

import { call } from "./api.js";
import { announce, button, field, fill, h, select } from "./dom.js";
import { outcome } from "./parts.js";
import { known, number, plural, t } from "./text.js";

/** @typedef {{ line: number, status: string, pin_id: string | null, code: string | null, field: string | null, detail: string | null, fix: string | null }} Row */

/**
 * @param {import("./channels.js").Channel[]} channels
 * @param {string} chosen
 * @param {() => Promise<void>} sent
 */
export function bulkUpload(channels, chosen, sent) {
  const channel = select(channels.map(({ id, account }) => [id, account.username ?? id]), chosen);
  const input = h("input", { type: "file", accept: ".csv,.jsonl,.ndjson,text/csv,application/x-ndjson" });
  const { place, of } = outcome();
  const report = h("div", {});

  /** @param {boolean} dryRun */
  const ask = async (dryRun) => {
    const file = input.files?.[0];
    if (!file) return undefined;
    const to = channel.value;
    const query = new URLSearchParams({ channel_id: to, dry_run: String(dryRun) });
    const type = /\.(jsonl|ndjson)$/i.test(file.name) ? "application/x-ndjson" : "text/csv";
    fill(report, h("progress", { "aria-label": t("bulk.reading") }));
    const done = await of(() => call("POST", `/api/v1/pins/bulk?${query}`, { body: file, type }));
    if (file !== input.files?.[0] || to !== channel.value) return undefined; // another file or channel was chosen meanwhile
    fill(report);
    return /** @type {{ rows: Row[] } | undefined} */ (done);
  };

  const look = async () => {
    const looked = await ask(true);
    if (looked) fill(report, ...shown(looked.rows, send));
  };
  // Sending the same file again makes nothing twice: what is not done yet is done by the next call. When a call gets no
  // further, something has to pass first: the report says what, and whoever reads it sends again.
  const send = async () => {
    input.disabled = channel.disabled = true;
    let done = await ask(false);
    let before = done?.rows.length ?? 0;
    while (done && left(done.rows) && left(done.rows) < before) {
      before = left(done.rows);
      done = await ask(false);
    }
    input.disabled = channel.disabled = false;
    if (!done) return;
    fill(report, ...shown(done.rows, send));
    await sent();
  };
  input.addEventListener("change", look);
  channel.addEventListener("change", look);
  return h(
    "div",
    { class: "bulk" },
    h("p", { class: "hint" }, t("bulk.about")),
    h("div", { class: "pair" }, channels.length > 1 ? field(t("pin.channel"), channel) : null, field(t("bulk.file"), input)),
    place,
    report,
  );
}

/**
 * How many rows are left to the next call.
 * @param {Row[]} rows
 */
function left(rows) {
  return rows.filter(({ status }) => status === "not_done").length;
}

/**
 * @param {Row[]} rows
 * @param {() => Promise<void>} send
 */
function shown(rows, send) {
  const count = (/** @type {string} */ status) => rows.filter((row) => row.status === status).length;
  const kinds = [...new Set(rows.map(({ status }) => status))];
  const summary = kinds.map((status) => `${number(count(status))} ${known(`row.${status}`, status)}`).join(" · ");
  announce(summary);
  const good = count("valid") + left(rows);
  const go = good ? button(plural("bulk.send", good), send, { class: "main" }) : null;
  const wrong = rows.filter(({ detail }) => detail);
  return [
    h("p", { class: `${wrong.length ? "warning" : "good"} box`, role: "status" }, summary),
    wrong.length
      ? h(
          "table",
          { class: "report" },
          h("caption", { class: "unseen" }, t("bulk.report")),
          h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("bulk.line")), h("th", { scope: "col" }, t("bulk.what")), h("th", { scope: "col" }, t("bulk.fix")))),
          h("tbody", {}, wrong.map((row) => h("tr", { "data-line": row.line }, h("td", {}, row.line), h("td", {}, row.field ? h("code", {}, row.field) : null, " ", known(`problem.${row.code}`, row.detail ?? "")), h("td", {}, known(`problem.${row.code}.fix`, row.fix ?? ""))))),
        )
      : null,
    h("div", { class: "row" }, go),
  ];
}
