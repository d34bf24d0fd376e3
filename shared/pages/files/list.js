// @ts-check
/** Pins as a list. Rows that nobody sees cost nothing: see `content-visibility` in the style. */

import { fill, h, theirs } from "./dom.js";
import { known, moment, t } from "./text.js";

/** @typedef {import("./pins.js").Pin} Pin */
/** @typedef {{ open: (pin: Pin) => void, names: Map<string, string> }} Shown what a row needs: names of channels, and what a press does */

/**
 * @param {HTMLElement} place
 * @param {Pin[]} pins
 * @param {Shown} shown
 */
export function showList(place, pins, shown) {
  /** @type {Map<string, Element>} */
  const rows = new Map([...place.children].map((row) => [row.getAttribute("data-pin") ?? "", row]));
  const next = pins.map((pin) => {
    const there = rows.get(pin.id);
    const version = JSON.stringify([pin.state, pin.reason, pin.retry_at, pin.publish_at, pin.title, pin.board_id]);
    return there?.getAttribute("data-version") === version ? there : row(pin, version, shown);
  });
  // Only what changed is touched: focus and scroll stay where they are. A further page is only added.
  const there = [...place.children];
  if (there.every((one, at) => one === next[at])) return place.append(...next.slice(there.length));
  const focused = document.activeElement?.closest("[data-pin]")?.getAttribute("data-pin");
  fill(place, ...next);
  if (focused) /** @type {HTMLElement | null} */ (place.querySelector(`[data-pin="${focused}"] button`))?.focus({ preventScroll: true });
}

/**
 * @param {Pin} pin
 * @param {string} version
 * @param {Shown} shown
 */
function row(pin, version, { open, names }) {
  return h(
    "li",
    { "data-pin": pin.id, "data-state": pin.state, "data-version": version },
    h("button", { type: "button", class: "plain name", onclick: () => open(pin) }, theirs(titleOf(pin))),
    h("span", { class: "hint" }, theirs(names.get(pin.channel_id))),
    state(pin),
    h("time", { datetime: pin.published_at ?? pin.publish_at, class: "hint" }, moment(pin.published_at ?? pin.publish_at)),
  );
}

/**
 * What people call a Pin.
 * @param {Pin} pin
 */
export function titleOf(pin) {
  return pin.title || pin.description?.slice(0, 60) || t("preview.untitled");
}

/**
 * The state in words: with what it waits for, or why it failed.
 * @param {Pin} pin
 */
export function state(pin) {
  const until = pin.retry_at ? ` · ${t("pin.until", { time: moment(pin.retry_at) })}` : "";
  const why = pin.reason ? ` · ${known(`reason.${pin.reason}`, pin.reason)}${until}` : pin.error ? ` · ${pin.error.detail}` : "";
  return h("span", { class: "state" }, h("b", { class: `tag ${pin.state}` }, known(`state.${pin.state}`, pin.state)), why);
}
