// @ts-check
/** Writing Pins, sending many at once, and seeing what becomes of them. */

import { all, call, newKey, Problem, Unheard } from "./api.js";
import { bulkUpload } from "./bulk.js";
import { calendar } from "./calendar.js";
import { composer } from "./composer.js";
import { announce, button, fill, h, outward, select } from "./dom.js";
import { body, empty, forget, remember, remembered } from "./draft.js";
import { showList } from "./list.js";
import { problem, soon } from "./parts.js";
import { openPin } from "./pin.js";
import { Pins } from "./pins.js";
import { known, moment, t } from "./text.js";

/** @typedef {import("./channels.js").Channel} Channel */
/** @typedef {import("./pins.js").Pin} Pin */

const STATES = ["scheduled", "sending", "waiting", "published", "failed", "cancelled"];

/** @type {import("./app.js").Page} */
export default async function page(main, signal) {
  fill(main, h("h1", {}, t("publishing.title")), soon(12));
  const channels = await all("/api/v1/channels", signal);
  if (!channels.length) {
    fill(main, h("h1", {}, t("publishing.title")), h("p", { class: "empty" }, t("publishing.nobody"), " ", h("a", { href: "/app/channels" }, t("channels.title"))));
    return;
  }
  const wanted = new URLSearchParams(location.search).get("channel") ?? "";
  const filter = { channel: channels.some(({ id }) => id === wanted) ? wanted : "", state: "" };
  const board = pinBoard(channels, filter, signal);
  const write = h("div", {});
  fresh(write, channels, filter.channel || channels[0].id, board);
  const many = h("details", { class: "card" }, h("summary", {}, t("bulk.title")), bulkUpload(channels, filter.channel || channels[0].id, board.reload));
  fill(
    main,
    h("h1", {}, t("publishing.title")),
    h("section", { class: "card", "aria-label": t("compose.title") }, h("h2", {}, t("compose.title")), write),
    many,
    board.element,
  );
  await board.reload();
}

/**
 * The form for a new Pin: as it was left in this tab, or empty.
 * @param {HTMLElement} place
 * @param {Channel[]} channels
 * @param {string} chosen
 * @param {ReturnType<typeof pinBoard>} board
 * @param {Node | string} [said] how the one before ended
 */
function fresh(place, channels, chosen, board, said = "") {
  const left = remembered();
  const draft = left && channels.some(({ id }) => id === left.draft.channel) ? left.draft : empty(chosen);
  /** The key under which this very Pin is sent: a lost answer, a reload, a second press or a copy of the tab sends it once. */
  let key = left?.key ?? newKey();
  const form = composer({
    channels,
    draft,
    label: t("publish"),
    changed: (changed) => {
      key = newKey(); // another Pin
      remember(changed, key);
    },
    validate: (checked) => call("POST", "/api/v1/pins/validate?fetch_media=true", { body: body(checked) }),
    send: async (sent) => {
      try {
        const pin = await call("POST", "/api/v1/pins", { body: body(sent), key });
        forget();
        board.pins.put(pin);
        fresh(place, channels, sent.channel, board, ended(pin));
        return null;
      } catch (error) {
        if (error instanceof Unheard) error.fix = t("compose.network");
        else if (error instanceof Problem && error.status < 500) key = newKey(); // certainly not done
        remember(sent, key);
        if (error instanceof Problem && error.pin) await board.reload();
        throw error;
      }
    },
  });
  fill(place, said, form);
}

/**
 * What became of a Pin, as the API answered.
 * @param {Pin} pin
 */
function ended(pin) {
  const text = pin.state === "waiting" ? known(`reason.${pin.reason}`, pin.reason ?? "") : moment(pin.published_at ?? pin.publish_at);
  announce(`${known(`state.${pin.state}`, pin.state)} ${text}`);
  return h(
    "p",
    { class: `${pin.state === "waiting" ? "warning" : "good"} box`, role: "status", "data-state": pin.state },
    h("strong", {}, known(`state.${pin.state}`, pin.state)),
    " · ",
    text,
    pin.pinterest_pin_url ? [" · ", outward(pin.pinterest_pin_url, t("pin.open"))] : null,
  );
}

/**
 * The Pins that there are: as a list, or as a month.
 * @param {Channel[]} channels
 * @param {{ channel: string, state: string }} filter
 * @param {AbortSignal} signal
 */
function pinBoard(channels, filter, signal) {
  const names = new Map(channels.map(({ id, account }) => [id, account.username ?? id]));
  let pins = new Pins(filter, signal);
  let asMonth = false;
  let dropped = new AbortController();
  const said = h("div", {});
  const list = h("div", {});
  const more = button(t("pins.more"), () => guarded(() => pins.more()), { class: "more", hidden: true });
  const inSight = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && !more.hidden && more.click());
  const open = (/** @type {Pin} */ pin) => openPin(pin.id, pins, channels);
  const month = calendar({
    open,
    move: async (pin, local) => {
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      await guarded(async () => {
        const after = await call("PATCH", `/api/v1/pins/${pin.id}`, { body: { publish_at: { local, time_zone: zone } } });
        pins.put(after);
        announce(t("pin.moved", { time: moment(after.publish_at) }));
      });
    },
  });
  const view = h("div", {}, list, more);

  const show = () => {
    const all = pins.list();
    if (asMonth) month.show(all);
    else showList(list, all, { open, names });
    more.hidden = asMonth || !pins.hasMore;
    inSight.unobserve(more); // whoever still sees it after a page wants the next one
    inSight.observe(more);
    const none = !all.length && !pins.hasMore;
    if (none && !asMonth) fill(list, h("p", { class: "empty" }, t("pins.none")));
  };
  /** @param {() => Promise<unknown>} act */
  const guarded = async (act) => {
    fill(said);
    try {
      await act();
    } catch (error) {
      if (!signal.aborted) fill(said, problem(error));
    }
  };
  const load = () => guarded(() => (asMonth ? pins.rest() : pins.more()).then(show));
  const anew = () => {
    dropped.abort();
    dropped = new AbortController();
    pins = new Pins(filter, AbortSignal.any([signal, dropped.signal]));
    pins.onchange(show);
    return load();
  };
  const choose = (/** @type {"channel" | "state"} */ name, /** @type {[string, string][]} */ options) => {
    const chooser = select([["", t(`pins.any.${name}`)], ...options], filter[name], {
      "aria-label": t(`pins.by.${name}`),
      onchange: () => ((filter[name] = chooser.value), anew()),
    });
    return chooser;
  };
  const switcher = button(t("calendar"), async () => {
    asMonth = !asMonth;
    switcher.textContent = t(asMonth ? "pins.list" : "calendar");
    fill(view, ...(asMonth ? [month.element] : [list, more]));
    show();
    if (asMonth) await load();
  });
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
        channels.length > 1 ? choose("channel", [...names]) : null,
        choose("state", STATES.map((state) => [state, known(`state.${state}`, state)])),
        switcher,
      ),
    ),
    said,
    view,
  );
  fill(list, soon(6));
  return {
    element,
    get pins() {
      return pins;
    },
    reload: anew,
  };
}
