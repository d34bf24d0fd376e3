// @ts-check
/** One Pin: how it is, how it came there, and what can be done about it. */

import { call } from "./api.js";
import { composer } from "./composer.js";
import { button, dialog, fill, h, outward, theirs } from "./dom.js";
import { change, of as draftOf } from "./draft.js";
import { state, titleOf } from "./list.js";
import { outcome, problem, soon, sure } from "./parts.js";
import { known, moment, plural, t } from "./text.js";

/** @typedef {import("./pins.js").Pin} Pin */

/**
 * Opens a Pin over the page.
 * @param {string} id
 * @param {import("./pins.js").Pins} pins
 * @param {import("./channels.js").Channel[]} channels
 */
export async function openPin(id, pins, channels) {
  const place = h("div", {}, soon(6));
  let open = true;
  const show = async () => {
    try {
      const pin = await call("GET", `/api/v1/pins/${id}`);
      pins.put(pin);
      if (open) fill(place, ...detail(pin, pins, channels, show));
    } catch (error) {
      fill(place, problem(error, show));
    }
  };
  show();
  let seen = "";
  const leave = pins.onchange(() => {
    const pin = pins.list().find((one) => one.id === id);
    const now = pin ? JSON.stringify([pin.state, pin.reason, pin.timeline.length]) : seen;
    if (open && seen && now !== seen && !place.querySelector("form")) show(); // never under somebody's hands
    seen = now;
  });
  await dialog(t("pin"), (close) => [place, h("div", { class: "row" }, button(t("close"), close))], { class: "wide" });
  open = false;
  leave();
}

/**
 * @param {Pin} pin
 * @param {import("./pins.js").Pins} pins
 * @param {import("./channels.js").Channel[]} channels
 * @param {() => Promise<void>} changed
 */
function detail(pin, pins, channels, changed) {
  const { place, of } = outcome();
  const act = async (/** @type {string} */ method, /** @type {string} */ path) => {
    const after = await of(() => call(method, path));
    if (after) pins.put(after), await changed();
  };
  const cancel = async () => {
    if (await sure(t("pin.cancel"), t("pin.cancel.means", { title: titleOf(pin) }), t("pin.cancel"), t("pin.keep"))) await act("DELETE", `/api/v1/pins/${pin.id}`);
  };
  const edit = h("div", {});
  const unsent = pin.state === "scheduled" || pin.state === "waiting";
  return [
    h("p", { class: "title" }, theirs(titleOf(pin))),
    h("p", {}, state(pin)),
    pin.error ? h("div", { class: "bad box", "data-code": pin.error.code }, h("p", {}, known(`problem.${pin.error.code}`, pin.error.detail)), h("p", {}, known(`problem.${pin.error.code}.fix`, pin.error.fix))) : null,
    pin.pinterest_pin_url ? h("p", {}, outward(pin.pinterest_pin_url, t("pin.open"))) : null,
    h(
      "div",
      { class: "row" },
      pin.state === "scheduled" ? button(t("pin.edit"), () => fill(edit, editor(pin, pins, channels, changed))) : null,
      unsent ? button(t("pin.cancel"), cancel) : null,
      pin.state === "failed" ? button(t("pin.retry"), () => act("POST", `/api/v1/pins/${pin.id}/retry`), { class: "main" }) : null,
      pin.state === "published" ? h("a", { class: "button", href: `/app/numbers?channel=${pin.channel_id}&pin=${pin.id}` }, t("analytics.title")) : null,
    ),
    place,
    edit,
    h("h3", {}, t("timeline")),
    pin.timeline_dropped ? h("p", { class: "hint" }, plural("timeline.dropped", pin.timeline_dropped)) : null,
    h("ol", { class: "timeline" }, pin.timeline.map(entry)),
  ];
}

/** @param {any} line */
function entry({ at, event, detail, http_status: status, pinterest_code: code, request_id: id }) {
  const answered = [status && `HTTP ${status}`, code && t("timeline.code", { code }), id && t("timeline.request", { id })].filter(Boolean);
  return h(
    "li",
    {},
    h("time", { datetime: at }, moment(at, { dateStyle: "medium", timeStyle: "medium" })),
    " ",
    h("strong", {}, known(`event.${event}`, event)),
    detail ? [": ", theirs(known(`reason.${detail}`, detail))] : null,
    answered.length ? h("span", { class: "hint" }, ` ${answered.join(" · ")}`) : null,
  );
}

/**
 * @param {Pin} pin
 * @param {import("./pins.js").Pins} pins
 * @param {import("./channels.js").Channel[]} channels
 * @param {() => Promise<void>} changed
 */
function editor(pin, pins, channels, changed) {
  const before = draftOf(pin);
  return composer({
    channels: channels.filter(({ id }) => id === pin.channel_id),
    draft: draftOf(pin),
    label: t("save"),
    send: async (draft) => {
      pins.put(await call("PATCH", `/api/v1/pins/${pin.id}`, { body: change(draft, before) }));
      await changed();
      return null;
    },
  });
}
