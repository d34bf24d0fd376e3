// @ts-check
/** Choosing a board: search among those that there are, or make one. */

import { call } from "./api.js";
import { announce, button, field, fill, form, h, theirs } from "./dom.js";
import { outcome, problem, soon } from "./parts.js";
import { plural, t } from "./text.js";

/** @typedef {{ pinterest_board_id: string, name: string, privacy: string, sections: { pinterest_section_id: string, name: string }[] }} Board */

/** How many boards stand in the list at once; the search finds the others. */
const SHOWN = 60;

/** @type {Map<string, Promise<Board[]>>} */
const known = new Map();

/**
 * All boards of a channel. Pinterest is asked once for as long as this page is open, or again on wish.
 * @param {string} channel
 * @param {boolean} [anew]
 * @returns {Promise<Board[]>}
 */
export function boards(channel, anew = false) {
  let list = anew ? undefined : known.get(channel);
  if (!list) {
    list = call("GET", `/api/v1/channels/${channel}/boards?sections=true`).then((page) => page.items);
    known.set(channel, list);
    list.catch(() => known.delete(channel));
  }
  return list;
}

/**
 * A list of boards to pick from, with a search, and a way to make a new one.
 * @param {string} channel
 * @param {string | null} chosen the board that is chosen now
 * @param {(board: Board) => Promise<unknown> | void} pick
 */
export function boardPicker(channel, chosen, pick) {
  const place = h("div", {}, soon(4));
  const { place: said, of } = outcome();
  const load = async () => {
    try {
      fill(place, ...choice(await boards(channel), load));
    } catch (error) {
      fill(place, problem(error, load));
    }
  };

  /**
   * @param {Board[]} all
   * @param {() => Promise<void>} reload
   */
  const choice = (all, reload) => {
    const search = h("input", { type: "search", autocomplete: "off" });
    const list = h("ul", { class: "bare boards", "aria-label": t("boards") });
    const show = () => {
      const wanted = search.value.trim().toLocaleLowerCase();
      const found = all.filter((board) => board.name.toLocaleLowerCase().includes(wanted));
      fill(list, found.slice(0, SHOWN).map(row), found.length > SHOWN ? h("li", { class: "hint" }, plural("boards.more", found.length - SHOWN)) : null);
      if (wanted) announce(plural("boards.found", found.length));
    };
    const row = (/** @type {Board} */ board) => {
      const choose = button("", () => of(async () => pick(board)), { "aria-pressed": String(board.pinterest_board_id === chosen) });
      fill(choose, theirs(board.name), board.privacy === "PUBLIC" ? null : h("span", { class: "hint" }, board.privacy));
      return h("li", {}, choose);
    };
    search.addEventListener("input", show);
    show();
    const name = h("input", { maxlength: 180, autocomplete: "off" });
    const make = () =>
      of(async () => {
        const board = await call("POST", `/api/v1/channels/${channel}/boards`, { body: { name: name.value } });
        await boards(channel, true);
        await pick(board);
        await reload();
      });
    return [
      field(t("boards.search"), search),
      all.length ? list : h("p", { class: "hint" }, t("boards.none")),
      form(make, { class: "row end" }, field(t("boards.new"), name), h("button", {}, t("boards.create"))),
    ];
  };

  load();
  return h("div", { class: "picker" }, place, said);
}
