// @ts-check
/** The list of Pins. Rows outside the viewport cost nothing: see `content-visibility` in the style sheet. */

import { h, isolate } from "./dom.js";
import { formatTime, t, textOr } from "./text.js";

/**
 * Rows per `<ul>`. The browser skips whole groups outside the viewport, so few large groups are cheaper than
 * many.
 */
const GROUP_SIZE = 50;
/** The estimated height of a row that has not been rendered yet. */
const ROW_HEIGHT_REM = 3;

/**
 * Shows `pins` in `container`, and reuses the rows that have not changed.
 * @param {HTMLElement} container
 * @param {Pin[]} pins
 * @param {RowOptions} options
 */
export function renderList(container, pins, options) {
  const oldRows = new Map(
    [...container.querySelectorAll("[data-pin]")].map((row) => [row.getAttribute("data-pin"), row]),
  );
  const rows = pins.map((pin) => {
    const oldRow = oldRows.get(pin.id);
    const version = JSON.stringify([
      pin.state,
      pin.reason,
      pin.retry_at,
      pin.publish_at,
      pin.title,
      pin.board_id,
    ]);
    return oldRow?.getAttribute("data-version") === version ? oldRow : pinRow(pin, version, options);
  });
  const focusedPin = document.activeElement?.closest("[data-pin]")?.getAttribute("data-pin");
  const oldGroups = container.querySelectorAll("ul");
  const groups = Array.from({ length: Math.ceil(rows.length / GROUP_SIZE) }, (_, index) => {
    const group = oldGroups[index] ?? h("ul", { class: "pins" });
    const groupRows = rows.slice(index * GROUP_SIZE, (index + 1) * GROUP_SIZE);
    reconcile(group, groupRows);
    group.style.containIntrinsicHeight = `auto ${groupRows.length * ROW_HEIGHT_REM}rem`;
    return group;
  });
  reconcile(container, groups);
  if (focusedPin) {
    /** @type {HTMLElement | null} */
    const focusedButton = container.querySelector(`[data-pin="${focusedPin}"] button`);
    focusedButton?.focus({ preventScroll: true });
  }
}

/**
 * Makes `children` the only children of an element. A child that is already in its place is not touched, so
 * it keeps focus and scroll position.
 * @param {Element} element
 * @param {Element[]} children
 */
function reconcile(element, children) {
  const wanted = new Set(children);
  for (const child of [...element.children]) if (!wanted.has(child)) child.remove();
  children.forEach((child, index) => {
    const current = element.children[index] ?? null;
    if (current !== child) element.insertBefore(child, current);
  });
}

/**
 * @param {Pin} pin
 * @param {string} version
 * @param {RowOptions} options
 */
function pinRow(pin, version, { open, channelNames }) {
  const time = pin.published_at ?? pin.publish_at;
  return h(
    "li",
    { "data-pin": pin.id, "data-state": pin.state, "data-version": version },
    h("button", { type: "button", class: "plain name", onclick: () => open(pin) }, isolate(pinTitle(pin))),
    h("span", { class: "hint" }, isolate(channelNames.get(pin.channel_id))),
    stateLabel(pin),
    h("time", { datetime: time, class: "hint" }, formatTime(time)),
  );
}

/**
 * A short name of a Pin.
 * @param {Pin} pin
 */
export function pinTitle(pin) {
  return pin.title || pin.description?.slice(0, 60) || t("preview.untitled");
}

/**
 * The state of a Pin, with what it waits for or why it failed.
 * @param {Pin} pin
 */
export function stateLabel(pin) {
  return h(
    "span",
    { class: "state" },
    h("b", { class: `tag ${pin.state}` }, stateName(pin.state)),
    explanation(pin),
  );
}

/** @param {string} state */
export function stateName(state) {
  return textOr(`state.${state}`, state);
}

/** @param {Pin} pin */
function explanation(pin) {
  if (pin.reason) {
    const until = pin.retry_at ? ` · ${t("pin.until", { time: formatTime(pin.retry_at) })}` : "";
    return ` · ${textOr(`reason.${pin.reason}`, pin.reason)}${until}`;
  }
  return pin.error ? ` · ${pin.error.detail}` : "";
}
