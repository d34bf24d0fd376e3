// @ts-check
/**
 * A calendar month of Pins. Scheduled Pins move to another day by dragging, or with Alt and the arrow keys.
 */

import { button, fill, h, isolate } from "./dom.js";
import { toLocalTime } from "./draft.js";
import { pinTitle, stateLabel } from "./list.js";
import { formatTime, locale, t } from "./text.js";

/** Pins that a day shows. The others are only counted. */
const MAX_PER_DAY = 4;
const DAYS_PER_WEEK = 7;
const DAY_MS = 86_400_000;
/** How late a Pin is published, unless its sender has said otherwise. */
const MAX_DAYS_LATE = 7;
/** How many days each arrow key moves a Pin. @type {Record<string, number>} */
const ARROW_KEY_DAYS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -DAYS_PER_WEEK, ArrowDown: DAYS_PER_WEEK };

/**
 * @param {object} handlers
 * @param {(pin: Pin) => void} handlers.open
 * @param {(pin: Pin, localTime: string) => Promise<void>} handlers.move
 * @param {() => void} handlers.turn called when another month is shown
 */
export function pinCalendar({ open, move, turn }) {
  let month = addMonths(new Date(), 0);
  /** @type {Pin[]} */
  let pins = [];
  const title = h("h3", { "aria-live": "polite" });
  const grid = h("div", { class: "calendar", role: "grid", "aria-label": t("calendar") });
  const showMonth = (/** @type {number} */ offset) => {
    month = addMonths(month, offset);
    render();
    turn();
  };
  const element = h(
    "div",
    {},
    h(
      "div",
      { class: "row between" },
      button(t("calendar.previous"), () => showMonth(-1)),
      title,
      button(t("calendar.next"), () => showMonth(1)),
    ),
    h("p", { class: "hint" }, t("calendar.hint")),
    grid,
  );

  function render() {
    title.textContent = new Intl.DateTimeFormat(locale, { month: "long", year: "numeric" }).format(month);
    const pinsByDay = groupByDay(pins);
    const firstDay = startOfWeek(month);
    const dayCount = Math.round((addMonths(month, 1).getTime() - firstDay.getTime()) / DAY_MS);
    const weekCount = Math.ceil(dayCount / DAYS_PER_WEEK);
    const weekday = new Intl.DateTimeFormat(locale, { weekday: "short" });
    const columnHeader = (/** @type {Date} */ date) =>
      h("span", { role: "columnheader" }, weekday.format(date));
    const weeks = Array.from({ length: weekCount }, (_, week) => {
      const days = weekDays(addDays(firstDay, week * DAYS_PER_WEEK));
      return h(
        "div",
        { role: "row" },
        days.map((date) => dayCell(date, pinsByDay)),
      );
    });
    fill(grid, h("div", { role: "row" }, weekDays(firstDay).map(columnHeader)), ...weeks);
  }

  /**
   * @param {Date} date
   * @param {Map<string, Pin[]>} pinsByDay
   */
  function dayCell(date, pinsByDay) {
    const day = toLocalTime(date.getTime()).slice(0, 10);
    const dayPins = (pinsByDay.get(day) ?? []).sort(
      (a, b) => Date.parse(a.publish_at) - Date.parse(b.publish_at),
    );
    const hiddenCount = dayPins.length - MAX_PER_DAY;
    const fullDate = new Intl.DateTimeFormat(locale, { dateStyle: "full" }).format(date);
    const onDrop = (/** @type {DragEvent} */ event) => {
      event.preventDefault();
      const id = event.dataTransfer?.getData("text/plain");
      const pin = pins.find((candidate) => candidate.id === id);
      if (pin) moveToDay(pin, day);
    };
    return h(
      "div",
      {
        role: "gridcell",
        "data-day": day,
        class: date.getMonth() === month.getMonth() ? "" : "other",
        ondragover: (/** @type {DragEvent} */ event) => event.preventDefault(),
        ondrop: onDrop,
      },
      h(
        "span",
        { class: "day" },
        h("span", { class: "visually-hidden" }, fullDate),
        h("span", { "aria-hidden": "true" }, date.getDate()),
      ),
      dayPins.slice(0, MAX_PER_DAY).map((pin) => pinChip(pin, date)),
      hiddenCount > 0 ? h("span", { class: "hint" }, t("calendar.more", { count: hiddenCount })) : null,
    );
  }

  /**
   * @param {Pin} pin
   * @param {Date} date
   */
  function pinChip(pin, date) {
    const movable = pin.state === "scheduled";
    const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
      const days = ARROW_KEY_DAYS[event.key];
      if (!event.altKey || !days || !movable) return;
      event.preventDefault();
      moveToDay(pin, toLocalTime(addDays(date, days).getTime()).slice(0, 10));
    };
    return h(
      "button",
      {
        type: "button",
        class: `chip ${pin.state}`,
        "data-pin": pin.id,
        title: stateLabel(pin).textContent,
        draggable: movable ? "true" : null,
        onclick: () => open(pin),
        onkeydown: onKeyDown,
        ondragstart: (/** @type {DragEvent} */ event) => event.dataTransfer?.setData("text/plain", pin.id),
      },
      formatTime(pin.published_at ?? pin.publish_at, { timeStyle: "short" }),
      " ",
      isolate(pinTitle(pin)),
      h("span", { class: "visually-hidden" }, ", ", stateLabel(pin)),
    );
  }

  /**
   * Moves a Pin to another day, at the same time of day.
   * @param {Pin} pin
   * @param {string} day
   */
  async function moveToDay(pin, day) {
    const currentTime = toLocalTime(pin.publish_at);
    const newTime = day + currentTime.slice(10);
    if (newTime === currentTime) return;
    await move(pin, newTime);
    /** @type {HTMLElement | null} */
    const chip = grid.querySelector(`[data-pin="${pin.id}"]`);
    chip?.focus();
  }

  return {
    element,
    /**
     * The times between which the Pins are that it shows. One that was late stands on the day when it was published.
     * @returns {{ from: string, to: string }}
     */
    days() {
      const from = addDays(startOfWeek(month), -MAX_DAYS_LATE);
      const to = addDays(addMonths(month, 1), DAYS_PER_WEEK);
      return { from: from.toISOString(), to: to.toISOString() };
    },
    /** @param {Pin[]} newPins */
    show(newPins) {
      pins = newPins;
      render();
    },
  };
}

/** @param {Pin[]} pins */
function groupByDay(pins) {
  /** @type {Map<string, Pin[]>} */
  const pinsByDay = new Map();
  for (const pin of pins) {
    const day = toLocalTime(pin.published_at ?? pin.publish_at).slice(0, 10);
    pinsByDay.set(day, [...(pinsByDay.get(day) ?? []), pin]);
  }
  return pinsByDay;
}

/**
 * @param {Date} date
 * @param {number} days
 */
function addDays(date, days) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days);
}

/**
 * The first day of a month, so many months after that of `date`.
 * @param {Date} date
 * @param {number} months
 */
function addMonths(date, months) {
  return new Date(date.getFullYear(), date.getMonth() + months, 1);
}

/** @param {Date} firstDay */
function weekDays(firstDay) {
  return Array.from({ length: DAYS_PER_WEEK }, (_, index) => addDays(firstDay, index));
}

/**
 * The first day of the week in which a month begins. Which weekday that is depends on the locale.
 * @param {Date} month
 */
function startOfWeek(month) {
  const localeInfo = /** @type {any} */ (new Intl.Locale(locale));
  const firstWeekday = (localeInfo.getWeekInfo?.() ?? localeInfo.weekInfo)?.firstDay ?? 1; // 7 is Sunday
  return addDays(month, -((month.getDay() - firstWeekday + DAYS_PER_WEEK) % DAYS_PER_WEEK));
}
