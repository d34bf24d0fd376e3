// @ts-check
/** Bulk upload: a file with many Pins is checked first, then sent, with a result for each row. */

import { callApi } from "./api.js";
import { announce, button, field, fill, h, select } from "./dom.js";
import { formatNumber, plural, t, textOr } from "./text.js";
import { outcomeArea } from "./widgets.js";

/**
 * @param {Channel[]} channels
 * @param {string} channelId the channel that is selected at first
 * @param {() => Promise<void>} onSent
 */
export function bulkUpload(channels, channelId, onSent) {
  const channel = select(
    channels.map(({ id, account }) => [id, account.username ?? id]),
    channelId,
  );
  const fileInput = h("input", { type: "file", accept: ".csv,.tsv,.txt,.jsonl,.ndjson" });
  const outcome = outcomeArea();
  const report = h("div", {});

  /**
   * Sends the file. Answers nothing if that failed, or if another file or channel was chosen in the meantime.
   * @param {boolean} dryRun
   * @returns {Promise<BulkRow[] | undefined>}
   */
  const sendFile = async (dryRun) => {
    const file = fileInput.files?.[0];
    if (!file) return undefined;
    const target = channel.value;
    const query = new URLSearchParams({ channel_id: target, dry_run: String(dryRun) });
    const type = /\.(jsonl|ndjson)$/i.test(file.name) ? "application/x-ndjson" : "text/csv";
    fill(report, h("progress", { "aria-label": t("bulk.reading") }));
    const result = await outcome.run(() =>
      callApi("POST", `/api/v1/pins/bulk?${query}`, { body: file, type }),
    );
    if (file !== fileInput.files?.[0] || target !== channel.value) return undefined;
    fill(report);
    return result?.rows;
  };

  const checkFile = async () => {
    const rows = await sendFile(true);
    if (rows) fill(report, ...rowReport(rows, sendAll));
  };

  const sendAll = async () => {
    fileInput.disabled = true;
    channel.disabled = true;
    let rows = await sendFile(false);
    let previousCount = rows?.length ?? 0;
    while (rows && unprocessedCount(rows) && unprocessedCount(rows) < previousCount) {
      previousCount = unprocessedCount(rows);
      rows = await sendFile(false);
    }
    fileInput.disabled = false;
    channel.disabled = false;
    if (!rows) return;
    fill(report, ...rowReport(rows, sendAll));
    await onSent();
  };

  const saveTemplate = async () => {
    const file = await callApi("GET", "/api/v1/pins/bulk/template.csv", { file: true });
    h("a", { href: URL.createObjectURL(file), download: "pins.csv" }).click();
  };

  fileInput.addEventListener("change", checkFile);
  channel.addEventListener("change", checkFile);
  const channelField = channels.length > 1 ? field(t("pin.channel"), channel) : null;
  return h(
    "div",
    { class: "bulk" },
    h("p", { class: "hint" }, t("bulk.about")),
    button(t("bulk.template"), () => outcome.run(saveTemplate)),
    h("div", { class: "pair" }, channelField, field(t("bulk.file"), fileInput)),
    outcome.element,
    report,
  );
}

/**
 * Rows that are left to the next call.
 * @param {BulkRow[]} rows
 */
function unprocessedCount(rows) {
  return rows.filter(({ status }) => status === "not_done").length;
}

/**
 * @param {BulkRow[]} rows
 * @param {() => Promise<void>} send
 */
function rowReport(rows, send) {
  const countOf = (/** @type {string} */ status) => rows.filter((row) => row.status === status).length;
  const statuses = [...new Set(rows.map(({ status }) => status))];
  const summary = statuses
    .map((status) => `${formatNumber(countOf(status))} ${textOr(`row.${status}`, status)}`)
    .join(" · ");
  announce(summary);
  const sendable = countOf("valid") + unprocessedCount(rows);
  const sendButton = sendable ? button(plural("bulk.send", sendable), send, { class: "main" }) : null;
  const failed = rows.filter(({ detail }) => detail);
  return [
    h("p", { class: `${failed.length ? "warning" : "good"} box`, role: "status" }, summary),
    failed.length ? failureTable(failed) : null,
    h("div", { class: "row" }, sendButton),
  ];
}

/** @param {BulkRow[]} rows */
function failureTable(rows) {
  const heading = (/** @type {string} */ text) => h("th", { scope: "col" }, text);
  const failure = (/** @type {BulkRow} */ row) => {
    const fieldName = row.field ? h("code", {}, row.field) : null;
    return h(
      "tr",
      { "data-line": row.line },
      h("td", {}, row.line),
      h("td", {}, fieldName, " ", textOr(`problem.${row.code}`, row.detail ?? "")),
      h("td", {}, textOr(`problem.${row.code}.fix`, row.fix ?? "")),
    );
  };
  return h(
    "table",
    { class: "report" },
    h("caption", { class: "visually-hidden" }, t("bulk.report")),
    h("thead", {}, h("tr", {}, heading(t("bulk.line")), heading(t("bulk.what")), heading(t("bulk.fix")))),
    h("tbody", {}, rows.map(failure)),
  );
}
