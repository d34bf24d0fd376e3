// @ts-check
/** Pins as a list. What nobody sees costs nothing, by `content-visibility` in the style. */

import { h, theirs } from "./dom.js";
import { known, moment, t } from "./text.js";

/** @typedef {import("./pins.js").Pin} Pin */
/** @typedef {{ open: (pin: Pin) => void, names: Map<string, string> }} Shown what a row needs: names of channels, and what a press does */

/** So many rows are a list of their own, with a room of its own: a browser looks at each room before each frame. */
const GROUP = 50;
/** About how high a row is, until it has been seen. */
const ROW = 3;

/**
 * @param {HTMLElement} place
 * @param {Pin[]} pins
 * @param {Shown} shown
 */
export function showList(place, pins, shown) {
  const rows = new Map([...place.querySelectorAll("[data-pin]")].map((row) => [row.getAttribute("data-pin"), row]));
  const next = pins.map((pin) => {
    const before = rows.get(pin.id);
    const version = JSON.stringify([pin.state, pin.reason, pin.retry_at, pin.publish_at, pin.title, pin.board_id]);
    return before?.getAttribute("data-version") === version ? before : row(pin, version, shown);
  });
  const focused = document.activeElement?.closest("[data-pin]")?.getAttribute("data-pin");
  const there = place.querySelectorAll("ul");
  const groups = Array.from({ length: Math.ceil(next.length / GROUP) }, (_, at) => {
    const group = there[at] ?? h("ul", { class: "pins" });
    const its = next.slice(at * GROUP, (at + 1) * GROUP);
    arrange(group, its);
    group.style.containIntrinsicHeight = `auto ${its.length * ROW}rem`;
    return group;
  });
  arrange(place, groups);
  if (focused) /** @type {HTMLElement | null} */ (place.querySelector(`[data-pin="${focused}"] button`))?.focus({ preventScroll: true });
}

/**
 * Makes `wanted` all that an element holds. What is in its place already is not touched: focus and scroll stay.
 * @param {Element} element
 * @param {Element[]} wanted
 */
function arrange(element, wanted) {
  const kept = new Set(wanted);
  for (const one of [...element.children]) if (!kept.has(one)) one.remove();
  wanted.forEach((one, at) => {
    if (element.children[at] !== one) element.insertBefore(one, element.children[at] ?? null);
  });
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
