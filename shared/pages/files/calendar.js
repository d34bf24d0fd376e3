// @ts-check
/** Pins of a month, each on its day. What is scheduled is dragged to another day, or moved there with Alt and the arrow keys. */

import { button, fill, h, theirs } from "./dom.js";
import { localTime } from "./draft.js";
import { state, titleOf } from "./list.js";
import { locale, moment, t } from "./text.js";

/** @typedef {import("./pins.js").Pin} Pin */

/** So many Pins of a day are shown; the others are counted. */
const SHOWN = 4;

/**
 * A calendar, and how to bring it up to date.
 * @param {{ open: (pin: Pin) => void, move: (pin: Pin, local: string) => Promise<void> }} acts
 */
export function calendar({ open, move }) {
  const today = new Date();
  let month = new Date(today.getFullYear(), today.getMonth(), 1);
  /** @type {Pin[]} */
  let pins = [];
  const title = h("h3", { "aria-live": "polite" });
  const grid = h("div", { class: "calendar", role: "grid", "aria-label": t("calendar") });
  const turn = (/** @type {number} */ by) => {
    month = new Date(month.getFullYear(), month.getMonth() + by, 1);
    show();
  };
  const element = h(
    "div",
    {},
    h("div", { class: "row between" }, button(t("calendar.previous"), () => turn(-1)), title, button(t("calendar.next"), () => turn(1))),
    h("p", { class: "hint" }, t("calendar.hint")),
    grid,
  );

  function show() {
    title.textContent = new Intl.DateTimeFormat(locale, { month: "long", year: "numeric" }).format(month);
    /** @type {Map<string, Pin[]>} */
    const days = new Map();
    for (const pin of pins) {
      const day = localTime(pin.published_at ?? pin.publish_at).slice(0, 10);
      days.set(day, [...(days.get(day) ?? []), pin]);
    }
    const first = weekStart(month);
    const names = Array.from({ length: 7 }, (_, at) => new Intl.DateTimeFormat(locale, { weekday: "short" }).format(plus(first, at)));
    const weeks = Math.ceil((Math.round((+plus(new Date(month.getFullYear(), month.getMonth() + 1, 1), 0) - +first) / 86_400_000)) / 7);
    const head = h("div", { role: "row" }, names.map((name) => h("span", { role: "columnheader" }, name)));
    const rows = Array.from({ length: weeks }, (_, week) =>
      h("div", { role: "row" }, Array.from({ length: 7 }, (_, at) => day(plus(first, week * 7 + at), days))),
    );
    fill(grid, head, ...rows);
  }

  /**
   * @param {Date} date
   * @param {Map<string, Pin[]>} days
   */
  function day(date, days) {
    const key = localTime(date.getTime()).slice(0, 10);
    const all = (days.get(key) ?? []).sort((one, other) => Date.parse(one.publish_at) - Date.parse(other.publish_at));
    const cell = h(
      "div",
      {
        role: "gridcell",
        "data-day": key,
        class: date.getMonth() === month.getMonth() ? "" : "other",
        ondragover: (/** @type {DragEvent} */ event) => event.preventDefault(),
        ondrop: (/** @type {DragEvent} */ event) => {
          event.preventDefault();
          const pin = pins.find(({ id }) => id === event.dataTransfer?.getData("text/plain"));
          if (pin) shift(pin, key);
        },
      },
      h("span", { class: "day" }, h("span", { class: "unseen" }, new Intl.DateTimeFormat(locale, { dateStyle: "full" }).format(date)), h("span", { "aria-hidden": "true" }, date.getDate())),
      all.slice(0, SHOWN).map((pin) => chip(pin, date)),
      all.length > SHOWN ? h("span", { class: "hint" }, t("calendar.more", { count: all.length - SHOWN })) : null,
    );
    return cell;
  }

  /**
   * @param {Pin} pin
   * @param {Date} date
   */
  function chip(pin, date) {
    const movable = pin.state === "scheduled";
    const time = moment(pin.published_at ?? pin.publish_at, { timeStyle: "short" });
    const press = (/** @type {KeyboardEvent} */ event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }[event.key];
      if (!event.altKey || !by || !movable) return;
      event.preventDefault();
      shift(pin, localTime(plus(date, by).getTime()).slice(0, 10));
    };
    return h(
      "button",
      {
        type: "button",
        class: `chip ${pin.state}`,
        "data-pin": pin.id,
        title: state(pin).textContent,
        draggable: movable ? "true" : null,
        onclick: () => open(pin),
        onkeydown: press,
        ondragstart: (/** @type {DragEvent} */ event) => event.dataTransfer?.setData("text/plain", pin.id),
      },
      time,
      " ",
      theirs(titleOf(pin)),
      h("span", { class: "unseen" }, ", ", state(pin)),
    );
  }

  /**
   * To another day, at the same time of day.
   * @param {Pin} pin
   * @param {string} day
   */
  async function shift(pin, day) {
    const local = `${day}T${localTime(pin.publish_at).slice(11)}`;
    if (local === localTime(pin.publish_at)) return;
    await move(pin, local);
    /** @type {HTMLElement | null} */ (grid.querySelector(`[data-pin="${pin.id}"]`))?.focus();
  }

  return {
    element,
    /** @param {Pin[]} all */
    show(all) {
      pins = all;
      show();
    },
  };
}

/**
 * @param {Date} date
 * @param {number} days
 */
const plus = (date, days) => new Date(date.getFullYear(), date.getMonth(), date.getDate() + days);

/**
 * The first day of the week in which a month begins, as weeks begin where the reader lives.
 * @param {Date} month
 */
function weekStart(month) {
  const weeks = /** @type {any} */ (new Intl.Locale(locale));
  const first = (weeks.getWeekInfo?.() ?? weeks.weekInfo)?.firstDay ?? 1; // 7 is Sunday
  return plus(month, -((month.getDay() - first + 7) % 7));
}
