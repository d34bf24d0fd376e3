// @ts-check
/**
 * The Pins that the page has loaded: newest first, or those of some days. While some of them are changing, their state is
 * polled.
 */

import { callApi } from "./api.js";

const PAGE_SIZE = 200;
/** The pause before the first poll. It grows while nothing changes. */
const MIN_POLL_MS = 1500;
const MAX_POLL_MS = 30_000;
const POLL_GROWTH = 1.5;
/** A scheduled Pin is polled from this long before its time. */
const POLL_AHEAD_MS = 90_000;
/** The longest delay that a browser's timer accepts: 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Up to so many Pins are polled one by one. For more, the newest page of the list is read instead. */
const MAX_SINGLE_POLLS = 10;

/** The Pins of one channel, or of all, perhaps only those of some days. */
export class PinStore {
  /** @type {Map<string, Pin>} */
  #pins = new Map();
  /** Undefined before the first page is loaded, null after the last. @type {string | null | undefined} */
  #cursor = undefined;
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** @type {PinFilter} */
  #filter;
  /** How many Pins the server cannot read. */
  unreadable = 0;
  #signal;
  #pollDelay = MIN_POLL_MS;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {PinFilter} filter
   * @param {AbortSignal} signal
   */
  constructor(filter, signal) {
    this.#filter = { ...filter };
    this.#signal = signal;
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
    const onVisible = () => {
      if (!document.hidden) this.pollSoon();
    };
    document.addEventListener("visibilitychange", onVisible, { signal });
  }

  /**
   * Calls `listener` after each change.
   * @param {() => void} listener
   * @returns {() => void} ends the subscription
   */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** The Pins that match the filter, newest first. */
  list() {
    const { channel, state } = this.#filter;
    return [...this.#pins.values()]
      .filter((pin) => (!channel || pin.channel_id === channel) && (!state || pin.state === state))
      .sort((a, b) => (a.id < b.id ? 1 : -1)); // ids sort by time
  }

  /** Whether there are pages that have not been loaded. */
  get hasMore() {
    return this.#cursor !== null;
  }

  /** Loads the next page. */
  async loadMore() {
    const page = await this.#readPage(this.#cursor);
    this.#cursor = page.next;
    this.unreadable += page.unreadable?.length ?? 0;
    this.put(...page.items);
  }

  /** Loads all remaining pages. */
  async loadAll() {
    while (this.hasMore && !this.#signal.aborted) await this.loadMore();
  }

  /**
   * Adds or updates Pins.
   * @param {...Pin} pins
   */
  put(...pins) {
    const before = JSON.stringify(pins.map(({ id }) => this.#pins.get(id)));
    for (const pin of pins) this.#pins.set(pin.id, pin);
    if (before === JSON.stringify(pins)) return this.#schedulePoll();
    for (const listener of this.#listeners) listener();
    this.pollSoon();
  }

  /** Starts again with the shortest pause between polls. */
  pollSoon() {
    this.#pollDelay = MIN_POLL_MS;
    this.#schedulePoll();
  }

  /**
   * @param {string | null} [cursor]
   * @param {string} [from] in place of the first of the days
   */
  #readPage(cursor, from) {
    const { channel, state, days } = this.#filter;
    const query = new URLSearchParams({
      limit: String(PAGE_SIZE),
      ...(channel ? { channel_id: channel } : {}),
      ...(state ? { state } : {}),
      ...(days ? { sort: "publish_at", from: from ?? days.from, to: days.to } : {}),
      ...(cursor ? { cursor } : {}),
    });
    return callApi("GET", `/api/v1/pins?${query}`, { signal: this.#signal });
  }

  /**
   * The time from which a Pin can change, in milliseconds.
   * @param {Pin} pin
   */
  #changesFrom({ state, publish_at: publishAt }) {
    if (state === "sending" || state === "waiting") return 0;
    return state === "scheduled" ? Date.parse(publishAt) - POLL_AHEAD_MS : Infinity;
  }

  #changingPins() {
    return [...this.#pins.values()].filter((pin) => this.#changesFrom(pin) <= Date.now());
  }

  #schedulePoll() {
    clearTimeout(this.#timer);
    if (this.#signal.aborted || document.hidden) return;
    if (this.#changingPins().length) {
      this.#timer = setTimeout(() => this.#poll(), this.#pollDelay);
      this.#pollDelay = Math.min(this.#pollDelay * POLL_GROWTH, MAX_POLL_MS);
      return;
    }
    const nextChange = Math.min(...[...this.#pins.values()].map((pin) => this.#changesFrom(pin)));
    if (nextChange === Infinity) return;
    this.#timer = setTimeout(() => this.pollSoon(), Math.min(nextChange - Date.now(), MAX_TIMER_MS));
  }

  async #poll() {
    try {
      this.put(...(await this.#readChangingPins()));
    } catch {
      this.#schedulePoll(); // no error is shown, because the user did not ask for this request
    }
  }

  /** @returns {Promise<Pin[]>} */
  async #readChangingPins() {
    const changing = this.#changingPins();
    if (changing.length > MAX_SINGLE_POLLS) {
      const [first] = changing.map(({ publish_at: at }) => at).sort();
      return (await this.#readPage(null, first)).items;
    }
    return Promise.all(
      changing.map(({ id }) => callApi("GET", `/api/v1/pins/${id}`, { signal: this.#signal })),
    );
  }
}
