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
  const update = async (
    /** @type {string} */ method,
    /** @type {string} */ path,
    /** @type {object | undefined} */ body = undefined,
  ) => {
    const updated = await outcome.run(() => callApi(method, path, { body }));
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
  const resolve = (/** @type {object} */ found) => update("POST", `/api/v1/pins/${pin.id}/resolve`, found);
  const editor = h("div", {});
  const edit = () => fill(editor, pinEditor(pin, store, channels, onChange));
  const analyticsLink = () =>
    h(
      "a",
      { class: "button", href: `/app/analytics?channel=${pin.channel_id}&pin=${pin.id}` },
      t("analytics.title"),
    );
  return [
    pin.state === "needs_review" ? review(pin, resolve) : null,
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

/**
 * What is on the board and may be the Pin, and what a person can say of it.
 *
 * @param {Pin} pin
 * @param {(found: object) => Promise<void>} resolve
 */
function review(pin, resolve) {
  const id = h("input", { inputmode: "numeric", pattern: "[0-9]+", required: "" });
  const candidate = (/** @type {Candidate} */ found) =>
    h(
      "li",
      { class: "row" },
      externalLink(found.pinterest_pin_url, t("pin.open")),
      h(
        "span",
        { class: "hint" },
        found.created_at ? formatTime(found.created_at) : "",
        " ",
        t("review.differs", {
          what: found.differs.map((name) => textOr(`review.differs.${name}`, name)).join(", "),
        }),
      ),
      button(t("review.is"), () => resolve({ is: found.pinterest_pin_id })),
    );
  const resend = async () => {
    const consequence = t("review.resend.means");
    const confirmed = await confirmDialog(t("review.resend"), consequence, t("review.resend"));
    if (confirmed) await resolve({ resend: true });
  };
  const other = h(
    "form",
    { class: "row" },
    h("label", {}, t("review.id"), " ", id),
    h("button", {}, t("review.is")),
  );
  other.addEventListener("submit", (event) => {
    event.preventDefault();
    resolve({ is: id.value.trim() });
  });
  return h(
    "div",
    { class: "review" },
    pin.candidates.length ? h("ul", {}, pin.candidates.map(candidate)) : null,
    other,
    h("div", { class: "row" }, button(t("review.resend"), resend, { class: "main" })),
  );
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
