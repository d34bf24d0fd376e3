// @ts-check
/** The publishing page: write a Pin, upload many, and follow them in a list or a calendar. */

import { callApi, fetchAll, NetworkError, newIdempotencyKey, Problem } from "./api.js";
import { bulkUpload } from "./bulk.js";
import { pinCalendar } from "./calendar.js";
import { composer } from "./composer.js";
import { announce, button, externalLink, fill, h, select } from "./dom.js";
import { createRequest, deleteDraft, emptyDraft, loadDraft, saveDraft } from "./draft.js";
import { renderList, stateName } from "./list.js";
import { openPin } from "./pin.js";
import { PinStore } from "./pins.js";
import { formatTime, t, textOr } from "./text.js";
import { problemBox, skeleton } from "./widgets.js";

const STATES = ["scheduled", "sending", "waiting", "published", "needs_review", "failed", "cancelled"];

/** @type {Page} */
export default async function page(main, signal) {
  const heading = h("h1", {}, t("publishing.title"));
  fill(main, heading, skeleton(12));
  /** @type {Channel[]} */
  const channels = await fetchAll("/api/v1/channels", signal);
  if (!channels.length) {
    const channelsLink = h("a", { href: "/app/channels" }, t("channels.title"));
    fill(main, heading, h("p", { class: "empty" }, t("publishing.nobody"), " ", channelsLink));
    return;
  }
  const requestedChannel = new URLSearchParams(location.search).get("channel") ?? "";
  const filterChannel = channels.some(({ id }) => id === requestedChannel) ? requestedChannel : "";
  const selectedChannel = filterChannel || channels[0].id;
  const pins = pinsSection(channels, { channel: filterChannel, state: "" }, signal);
  const composerContainer = h("div", {});
  showComposer(composerContainer, channels, selectedChannel, pins);
  fill(
    main,
    heading,
    h(
      "section",
      { class: "card", "aria-label": t("compose.title") },
      h("h2", {}, t("compose.title")),
      composerContainer,
    ),
    h(
      "details",
      { class: "card" },
      h("summary", {}, t("bulk.title")),
      bulkUpload(channels, selectedChannel, pins.reload),
    ),
    pins.element,
  );
  await pins.reload();
}

/**
 * Shows the form for a new Pin, with the draft that this tab has saved or empty.
 * @param {HTMLElement} container
 * @param {Channel[]} channels
 * @param {string} channelId
 * @param {PinsSection} pins
 * @param {Node | string} [message] about the Pin that was sent before
 */
function showComposer(container, channels, channelId, pins, message = "") {
  const stored = loadDraft();
  const saved = stored && channels.some(({ id }) => id === stored.draft.channel) ? stored : null;
  // The idempotency key of this draft: a lost response, a reload, a second click or a copy of the tab sends
  // it once.
  let key = saved?.key ?? newIdempotencyKey();
  const onChange = (/** @type {Draft} */ draft) => {
    key = newIdempotencyKey(); // a changed draft is a new request
    saveDraft(draft, key);
  };
  const validate = (/** @type {Draft} */ draft) =>
    callApi("POST", "/api/v1/pins/validate?fetch_media=true", { body: createRequest(draft) });
  const send = async (/** @type {Draft} */ draft) => {
    try {
      const pin = await callApi("POST", "/api/v1/pins", { body: createRequest(draft), key });
      deleteDraft();
      pins.store.put(pin);
      showComposer(container, channels, draft.channel, pins, sentMessage(pin));
      return null;
    } catch (error) {
      if (error instanceof NetworkError) error.fix = t("compose.network");
      // Nothing was created: the next request is a new one.
      else if (error instanceof Problem && error.status < 500) key = newIdempotencyKey();
      saveDraft(draft, key);
      if (error instanceof Problem && error.pinId) await pins.reload();
      throw error;
    }
  };
  const draft = saved?.draft ?? emptyDraft(channelId);
  fill(container, message, composer({ channels, draft, send, sendLabel: t("publish"), validate, onChange }));
}

/**
 * The state of a Pin that was just sent, and announces it.
 * @param {Pin} pin
 */
function sentMessage(pin) {
  const isWaiting = pin.state === "waiting";
  const explanation = isWaiting
    ? textOr(`reason.${pin.reason}`, pin.reason ?? "")
    : formatTime(pin.published_at ?? pin.publish_at);
  announce(`${stateName(pin.state)} ${explanation}`);
  return h(
    "p",
    { class: `${isWaiting ? "warning" : "good"} box`, role: "status", "data-state": pin.state },
    h("strong", {}, stateName(pin.state)),
    " · ",
    explanation,
    pin.pinterest_pin_url ? [" · ", externalLink(pin.pinterest_pin_url, t("pin.open"))] : null,
  );
}

/**
 * The Pins, as a list or as a calendar.
 * @param {Channel[]} channels
 * @param {PinFilter} filter
 * @param {AbortSignal} signal
 */
function pinsSection(channels, filter, signal) {
  const channelNames = new Map(channels.map(({ id, account }) => [id, account.username ?? id]));
  let store = new PinStore(filter, signal);
  /** Aborted when the filter changes. */
  let storeAbort = new AbortController();
  let showsCalendar = false;
  const errorContainer = h("div", {});
  const list = h("div", {});
  const unreadableHint = h("p", { class: "hint" });

  /**
   * Runs an action, and shows its error above the Pins.
   * @param {() => Promise<unknown>} action
   */
  const run = async (action) => {
    fill(errorContainer);
    try {
      await action();
    } catch (error) {
      // Other Pins may be wanted meanwhile: nobody misses these.
      const isAbandoned = error instanceof DOMException && error.name === "AbortError";
      if (!signal.aborted && !isAbandoned) fill(errorContainer, problemBox(error));
    }
  };

  const open = (/** @type {Pin} */ pin) => openPin(pin.id, store, channels);
  const move = (/** @type {Pin} */ pin, /** @type {string} */ local) =>
    run(async () => {
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      const body = { publish_at: { local, time_zone: zone } };
      const moved = await callApi("PATCH", `/api/v1/pins/${pin.id}`, { body });
      store.put(moved);
      announce(t("pin.moved", { time: formatTime(moved.publish_at) }));
    });
  const calendar = pinCalendar({ open, move, turn: () => reload() });

  const moreButton = button(t("pins.more"), () => run(() => store.loadMore()), {
    class: "more",
    hidden: true,
  });
  const moreObserver = new IntersectionObserver((entries) => {
    if (entries.some(({ isIntersecting }) => isIntersecting) && !moreButton.hidden) moreButton.click();
  });

  const show = () => {
    const pins = store.list();
    if (showsCalendar) calendar.show(pins);
    else renderList(list, pins, { open, channelNames });
    moreButton.hidden = showsCalendar || !store.hasMore;
    // Observing again reports a button that is still visible, so that the next page is loaded as well.
    moreObserver.unobserve(moreButton);
    moreObserver.observe(moreButton);
    const { unreadable } = store;
    fill(unreadableHint, unreadable ? t("pins.unreadable", { count: unreadable }) : "");
    const isEmpty = !pins.length && !store.hasMore;
    if (isEmpty && !showsCalendar) fill(list, h("p", { class: "empty" }, t("pins.none")));
  };
  const load = () =>
    run(async () => {
      await (showsCalendar ? store.loadAll() : store.loadMore());
      show();
    });
  const reload = () => {
    storeAbort.abort();
    storeAbort = new AbortController();
    const wanted = showsCalendar ? { ...filter, days: calendar.days() } : filter;
    store = new PinStore(wanted, AbortSignal.any([signal, storeAbort.signal]));
    store.subscribe(show);
    return load();
  };

  /**
   * @param {"channel" | "state"} name
   * @param {[string, string][]} options
   */
  const filterSelect = (name, options) => {
    const element = select([["", t(`pins.any.${name}`)], ...options], filter[name], {
      "aria-label": t(`pins.by.${name}`),
      onchange: () => {
        filter[name] = element.value;
        reload();
      },
    });
    return element;
  };

  const view = h("div", {}, list, moreButton);
  const viewButton = button(t("calendar"), async () => {
    showsCalendar = !showsCalendar;
    viewButton.textContent = t(showsCalendar ? "pins.list" : "calendar");
    fill(view, ...(showsCalendar ? [calendar.element] : [list, moreButton]));
    await reload();
  });
  const stateOptions = STATES.map((state) => /** @type {[string, string]} */ ([state, stateName(state)]));
  const element = h(
    "section",
    { class: "card", "aria-label": t("pins.title") },
    h(
      "div",
      { class: "row between" },
      h("h2", {}, t("pins.title")),
      h(
        "div",
        { class: "row" },
        channels.length > 1 ? filterSelect("channel", [...channelNames]) : null,
        filterSelect("state", stateOptions),
        viewButton,
      ),
    ),
    errorContainer,
    unreadableHint,
    view,
  );
  fill(list, skeleton(6));
  return {
    element,
    get store() {
      return store;
    },
    reload,
  };
}
