// @ts-check
/** The dialog of one Pin: its state, its history, and the actions that its state allows. */

import { callApi } from "./api.js";
import { composer } from "./composer.js";
import { button, dialog, externalLink, fill, h, isolate } from "./dom.js";
import { draftFromPin, updateRequest } from "./draft.js";
import { pinTitle, stateLabel } from "./list.js";
import { formatTime, plural, t, textOr } from "./text.js";
import { confirmDialog, outcomeArea, problemBox, skeleton } from "./widgets.js";

/**
 * @param {string} id
 * @param {PinStore} store
 * @param {Channel[]} channels
 */
export async function openPin(id, store, channels) {
  const container = h("div", {}, skeleton(6));
  let isOpen = true;
  const load = async () => {
    try {
      const pin = await callApi("GET", `/api/v1/pins/${id}`);
      store.put(pin);
      if (isOpen) fill(container, ...pinDetails(pin, store, channels, load));
    } catch (error) {
      fill(container, problemBox(error, load));
    }
  };
  load();
  let shownVersion = "";
  const unsubscribe = store.subscribe(() => {
    const pin = store.list().find((candidate) => candidate.id === id);
    const version = pin ? JSON.stringify([pin.state, pin.reason, pin.timeline.length]) : shownVersion;
    const isEditing = container.querySelector("form") !== null;
    if (isOpen && shownVersion && version !== shownVersion && !isEditing) load();
    shownVersion = version;
  });
  const content = (/** @type {() => void} */ close) => [
    container,
    h("div", { class: "row" }, button(t("close"), close)),
  ];
  await dialog(t("pin"), content, { class: "wide" });
  isOpen = false;
  unsubscribe();
}

/**
 * @param {Pin} pin
 * @param {PinStore} store
 * @param {Channel[]} channels
 * @param {() => Promise<void>} onChange
 */
function pinDetails(pin, store, channels, onChange) {
  return [
    h("p", { class: "title" }, isolate(pinTitle(pin))),
    h("p", {}, stateLabel(pin)),
    pin.error ? pinError(pin.error) : null,
    pin.pinterest_pin_url ? h("p", {}, externalLink(pin.pinterest_pin_url, t("pin.open"))) : null,
    pin.ai_disclosures ? h("p", { class: "hint" }, disclosed(pin.ai_disclosures.values)) : null,
    pinActions(pin, store, channels, onChange),
    h("h3", {}, t("timeline")),
    pin.timeline_dropped ? h("p", { class: "hint" }, plural("timeline.dropped", pin.timeline_dropped)) : null,
    h("ol", { class: "timeline" }, pin.timeline.map(timelineEntry)),
  ];
}

/** @param {string[]} names */
function disclosed(names) {
  return `${t("pin.ai")}: ${names.map((name) => textOr(`ai.${name}`, name)).join(" · ")}`;
}

/** @param {PinError} error */
function pinError({ code, detail, fix }) {
  return h(
    "div",
    { class: "bad box", "data-code": code },
    h("p", {}, textOr(`problem.${code}`, detail)),
    h("p", {}, textOr(`problem.${code}.fix`, fix)),
  );
}

/**
 * @param {Pin} pin
 * @param {PinStore} store
 * @param {Channel[]} channels
 * @param {() => Promise<void>} onChange
 */
function pinActions(pin, store, channels, onChange) {
  const outcome = outcomeArea();
  const update = async (/** @type {string} */ method, /** @type {string} */ path) => {
    const updated = await outcome.run(() => callApi(method, path));
    if (!updated) return;
    store.put(updated);
    await onChange();
  };
  const retry = () => update("POST", `/api/v1/pins/${pin.id}/retry`);
  const cancel = async () => {
    const consequence = t("pin.cancel.means", { title: pinTitle(pin) });
    const confirmed = await confirmDialog(t("pin.cancel"), consequence, t("pin.cancel"), t("pin.keep"));
    if (confirmed) await update("DELETE", `/api/v1/pins/${pin.id}`);
  };
  const editor = h("div", {});
  const edit = () => fill(editor, pinEditor(pin, store, channels, onChange));
  const analyticsLink = () =>
    h(
      "a",
      { class: "button", href: `/app/analytics?channel=${pin.channel_id}&pin=${pin.id}` },
      t("analytics.title"),
    );
  return [
    h(
      "div",
      { class: "row" },
      pin.state === "scheduled" ? button(t("pin.edit"), edit) : null,
      pin.state === "scheduled" || pin.state === "waiting" ? button(t("pin.cancel"), cancel) : null,
      pin.state === "failed" ? button(t("pin.retry"), retry, { class: "main" }) : null,
      pin.state === "published" ? analyticsLink() : null,
    ),
    outcome.element,
    editor,
  ];
}

/** @param {TimelineEntry} entry */
function timelineEntry({
  at,
  event,
  detail,
  http_status: status,
  pinterest_code: code,
  request_id: requestId,
}) {
  const response = [
    status && `HTTP ${status}`,
    code && t("timeline.code", { code }),
    requestId && t("timeline.request", { id: requestId }),
  ].filter(Boolean);
  return h(
    "li",
    {},
    h("time", { datetime: at }, formatTime(at, { dateStyle: "medium", timeStyle: "medium" })),
    " ",
    h("strong", {}, textOr(`event.${event}`, event)),
    detail ? [": ", isolate(textOr(`reason.${detail}`, detail))] : null,
    response.length ? h("span", { class: "hint" }, ` ${response.join(" · ")}`) : null,
  );
}

/**
 * @param {Pin} pin
 * @param {PinStore} store
 * @param {Channel[]} channels
 * @param {() => Promise<void>} onChange
 */
function pinEditor(pin, store, channels, onChange) {
  const original = draftFromPin(pin);
  return composer({
    channels: channels.filter(({ id }) => id === pin.channel_id),
    draft: draftFromPin(pin),
    sendLabel: t("save"),
    send: async (draft) => {
      const body = updateRequest(draft, original);
      store.put(await callApi("PATCH", `/api/v1/pins/${pin.id}`, { body }));
      await onChange();
      return null;
    },
  });
}
