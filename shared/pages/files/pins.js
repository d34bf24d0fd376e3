// @ts-check
/** The Pins that the page knows, newest first, kept up to date for as long as something moves. */

import { call } from "./api.js";

/** @typedef {{ id: string, channel_id: string, board_id: string, title?: string, description?: string, state: string, reason: string | null, retry_at: string | null, publish_at: string, published_at: string | null, pinterest_pin_url: string | null, error: { code: string, detail: string, fix: string } | null, timeline: any[], timeline_dropped: number, media: any, [other: string]: any }} Pin */

const PAGE = 200;
/** How long to wait between two looks, in milliseconds: at first, and after nothing has happened for a while. */
const SOON = 1500;
const LATER = 30_000;
/** Something is due this soon: worth looking. */
const NEAR = 90_000;
/** The longest that a browser's timer takes: 24 days. */
const LONGEST = 2 ** 31 - 1;
/** So many Pins are looked at one by one; where more move, the newest page tells of most. */
const ONE_BY_ONE = 10;

/** A store of Pins of one channel, or of all. */
export class Pins {
  /** @type {Map<string, Pin>} */
  #known = new Map();
  /** @type {string | null | undefined} */
  #next = undefined;
  /** @type {Set<() => void>} */
  #listeners = new Set();
  #query;
  #signal;
  #wait = SOON;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {{ channel: string, state: string }} filter empty texts for all
   * @param {AbortSignal} signal
   */
  constructor({ channel, state }, signal) {
    this.#query = new URLSearchParams({ limit: String(PAGE), ...(channel ? { channel_id: channel } : {}), ...(state ? { state } : {}) });
    this.#signal = signal;
    this.wants = (/** @type {Pin} */ pin) => (!channel || pin.channel_id === channel) && (!state || pin.state === state);
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
    document.addEventListener("visibilitychange", () => !document.hidden && this.hurry(), { signal });
  }

  /**
   * Tells of every change, until what it answers is called.
   * @param {() => void} listener
   */
  onchange(listener) {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** All that are known and wanted, newest first: ids sort by time. */
  list() {
    return [...this.#known.values()].filter(this.wants).sort((one, other) => (one.id < other.id ? 1 : -1));
  }

  /** Whether there are more than those that are known. */
  get hasMore() {
    return this.#next !== null;
  }

  /** Reads the next page. */
  async more() {
    const query = new URLSearchParams(this.#query);
    if (this.#next) query.set("cursor", this.#next);
    const page = await call("GET", `/api/v1/pins?${query}`, { signal: this.#signal });
    this.#next = page.next;
    this.put(...page.items);
  }

  /** Reads all pages that are left. */
  async rest() {
    while (this.hasMore && !this.#signal.aborted) await this.more();
  }

  /** @param {...Pin} pins */
  put(...pins) {
    const before = JSON.stringify(pins.map((pin) => this.#known.get(pin.id)));
    for (const pin of pins) this.#known.set(pin.id, pin);
    if (before === JSON.stringify(pins)) return this.#later();
    for (const listener of this.#listeners) listener();
    this.hurry();
  }

  /** Looks again soon: something has happened, or is about to. */
  hurry() {
    this.#wait = SOON;
    this.#later();
  }

  /** When a Pin begins to move, as far as it is known. */
  #moves(/** @type {Pin} */ { state, publish_at: at }) {
    if (["sending", "waiting"].includes(state)) return 0;
    return state === "scheduled" ? Date.parse(at) - NEAR : Infinity;
  }

  #moving() {
    return [...this.#known.values()].filter((pin) => this.#moves(pin) <= Date.now());
  }

  #later() {
    clearTimeout(this.#timer);
    if (this.#signal.aborted || document.hidden) return;
    if (this.#moving().length) {
      this.#timer = setTimeout(() => this.#look(), this.#wait);
      this.#wait = Math.min(this.#wait * 1.5, LATER);
      return;
    }
    const first = Math.min(...[...this.#known.values()].map((pin) => this.#moves(pin)));
    if (first < Infinity) this.#timer = setTimeout(() => this.hurry(), Math.min(first - Date.now(), LONGEST));
  }

  async #look() {
    const moving = this.#moving();
    try {
      const seen =
        moving.length <= ONE_BY_ONE
          ? await Promise.all(moving.map(({ id }) => call("GET", `/api/v1/pins/${id}`, { signal: this.#signal })))
          : (await call("GET", `/api/v1/pins?${this.#query}`, { signal: this.#signal })).items;
      this.put(...seen);
    } catch {
      this.#later(); // a look that fails is made again; what people ask for themselves says what went wrong
    }
  }
}
