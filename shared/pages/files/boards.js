// @ts-check
/** Boards: loading them, searching, choosing one, and creating a new one. */

import { callApi } from "./api.js";
import { announce, button, field, fill, form, h, isolate } from "./dom.js";
import { plural, t } from "./text.js";
import { outcomeArea, problemBox, skeleton } from "./widgets.js";

/** Boards that the picker shows at once. The search finds the others. */
const MAX_SHOWN = 60;

/** Boards by channel, as loaded since the console was opened. @type {Map<string, Promise<Board[]>>} */
const boardsByChannel = new Map();

/**
 * All boards of a channel. They are loaded once, or again with `reload`.
 * @param {string} channelId
 * @param {boolean} [reload]
 * @returns {Promise<Board[]>}
 */
export function loadBoards(channelId, reload = false) {
  const loaded = boardsByChannel.get(channelId);
  if (loaded && !reload) return loaded;
  const boards = callApi("GET", `/api/v1/channels/${channelId}/boards?sections=true`).then(
    (page) => page.items,
  );
  boardsByChannel.set(channelId, boards);
  boards.catch(() => boardsByChannel.delete(channelId));
  return boards;
}

/**
 * A list of boards with a search and a form for a new board.
 * @param {string} channelId
 * @param {string | null} selectedId
 * @param {(board: Board) => Promise<unknown> | void} onSelect
 */
export function boardPicker(channelId, selectedId, onSelect) {
  const container = h("div", {}, skeleton(4));
  const outcome = outcomeArea();

  const load = async () => {
    try {
      const boards = await loadBoards(channelId);
      fill(container, boardSearch(boards), createBoardForm());
    } catch (error) {
      fill(container, problemBox(error, load));
    }
  };

  /** @param {Board} board */
  const boardItem = (board) => {
    const choose = button("", () => outcome.run(async () => onSelect(board)), {
      "aria-pressed": String(board.pinterest_board_id === selectedId),
    });
    const privacy = board.privacy === "PUBLIC" ? null : h("span", { class: "hint" }, board.privacy);
    fill(choose, isolate(board.name), privacy);
    return h("li", {}, choose);
  };

  /** @param {Board[]} boards */
  const boardSearch = (boards) => {
    const search = h("input", { type: "search", autocomplete: "off" });
    const list = h("ul", { class: "bare boards", "aria-label": t("boards") });
    const showMatches = () => {
      const query = search.value.trim().toLocaleLowerCase();
      const matches = boards.filter((board) => board.name.toLocaleLowerCase().includes(query));
      const hidden = matches.length - MAX_SHOWN;
      fill(
        list,
        matches.slice(0, MAX_SHOWN).map(boardItem),
        hidden > 0 ? h("li", { class: "hint" }, plural("boards.more", hidden)) : null,
      );
      if (query) announce(plural("boards.found", matches.length));
    };
    search.addEventListener("input", showMatches);
    showMatches();
    return [
      field(t("boards.search"), search),
      boards.length ? list : h("p", { class: "hint" }, t("boards.none")),
    ];
  };

  const createBoardForm = () => {
    const name = h("input", { maxlength: 180, autocomplete: "off" });
    const createBoard = () =>
      outcome.run(async () => {
        const board = await callApi("POST", `/api/v1/channels/${channelId}/boards`, {
          body: { name: name.value },
        });
        await loadBoards(channelId, true);
        await onSelect(board);
        await load();
      });
    return form(
      createBoard,
      { class: "row end" },
      field(t("boards.new"), name),
      h("button", {}, t("boards.create")),
    );
  };

  load();
  return h("div", { class: "picker" }, container, outcome.element);
}
