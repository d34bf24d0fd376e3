// @ts-check
/** Connected accounts: connect, choose a board, see how each is, connect again, disconnect. */

import { all, call } from "./api.js";
import { boardPicker } from "./boards.js";
import { button, dialog, fill, h, theirs } from "./dom.js";
import { outcome, problem, soon, sure } from "./parts.js";
import { away, known, moment, t } from "./text.js";

const DAY = 86_400_000;

/** @typedef {{ id: string, environment: string, account: { username: string | null }, status: string, cause: string | null, detail: string | null, default_board: { pinterest_board_id: string, name: string } | null, missing_scopes: string[], access_expires_at: string, refresh_expires_at: string | null, connected_at: string }} Channel */

/** @type {import("./app.js").Page} */
export default async function page(main, signal) {
  const list = h("div", { class: "cards" }, soon(5));
  const { place, of } = outcome();
  const connect = button("Connect", () => of(start), { class: "main" });
  fill(main, h("div", { class: "row between" }, h("h1", {}, t("channels.title")), connect), h("p", { class: "lead" }, t("channels.about")), place, list);

  const load = async () => {
    try {
      const channels = await all("/api/v1/channels", signal);
      fill(list, channels.length ? channels.map((one) => card(one, load)) : h("p", { class: "empty" }, t("channels.none")));
    } catch (error) {
      if (!signal.aborted) fill(list, problem(error, load));
    }
  };
  const returned = await claim(of);
  await load();
  if (returned) chooseBoard(returned, load, true); // over a page that is ready
}

/** Sends the browser to Pinterest. */
async function start() {
  const { authorize_url: address } = await call("POST", "/api/v1/auth/pinterest/start", { body: { return_to: "/app/channels" } });
  location.assign(address);
  await new Promise(() => {}); // the page ends here
}

/**
 * Takes what Pinterest's way back has left in the address: a ticket for the new connection, or what went wrong.
 * @param {ReturnType<typeof outcome>["of"]} of
 * @returns {Promise<Channel | undefined>}
 */
async function claim(of) {
  const left = new URLSearchParams(location.hash.slice(1));
  const [ticket, error] = [left.get("connection"), left.get("error")];
  if (!ticket && !error) return undefined;
  history.replaceState(null, "", location.pathname); // a ticket is good once: not for the history
  if (error) {
    await of(async () => {}, () => h("div", { class: "bad box", role: "alert", "data-code": error }, h("p", {}, known(`connect.${error}`, t("connect.failed", { code: error })))));
    return undefined;
  }
  return of(() => call("POST", "/api/v1/connections/claim", { body: { connection: ticket } }), (channel) => t("channels.connected", { name: channel.account.username ?? channel.id }));
}

/**
 * @param {Channel} channel
 * @param {() => Promise<void>} changed
 */
function card(channel, changed) {
  const { place, of } = outcome();
  const name = channel.account.username ?? channel.id;
  const board = channel.default_board;
  const forget = async () => {
    if (!(await sure(t("channels.disconnect"), t("channels.disconnect.means", { name }), t("channels.disconnect")))) return;
    await of(() => call("DELETE", `/api/v1/channels/${channel.id}`));
    await changed();
  };
  return h(
    "article",
    { class: "card channel", "data-channel": channel.id },
    h("div", { class: "row between" }, h("h2", {}, theirs(name)), h("span", { class: `tag ${channel.environment}` }, channel.environment === "sandbox" ? "Sandbox" : "Production")),
    health(channel),
    h(
      "p",
      {},
      t("channels.board"),
      ": ",
      board ? h("strong", {}, theirs(board.name)) : h("em", {}, t("channels.board.none")),
    ),
    h(
      "div",
      { class: "row" },
      channel.status === "connected" && !channel.missing_scopes.length ? null : button(t("channels.reconnect"), () => of(start), { class: "main" }),
      button(t(board ? "channels.board.change" : "channels.board.choose"), () => chooseBoard(channel, changed, false)),
      h("a", { class: "button", href: `/app/publishing?channel=${channel.id}` }, t("channels.publish")),
      h("a", { class: "button", href: `/app/numbers?channel=${channel.id}` }, t("analytics.title")),
      button(t("channels.disconnect"), forget, { class: "plain" }),
    ),
    place,
  );
}

/**
 * How a channel is, in words.
 * @param {Channel} channel
 */
function health(channel) {
  const { status, cause, detail, missing_scopes: missing, access_expires_at: access, refresh_expires_at: refresh } = channel;
  const ends = refresh ? Date.parse(refresh) - Date.now() : Infinity;
  const clocks = h(
    "dl",
    {},
    h("dt", {}, t("channels.access")),
    h("dd", {}, moment(access), " ", h("span", { class: "hint" }, away(access))),
    h("dt", {}, t("channels.refresh")),
    h("dd", {}, refresh ? [moment(refresh), " ", h("span", { class: "hint" }, away(refresh))] : t("channels.refresh.unknown")),
  );
  const say = (/** @type {string} */ kind, /** @type {string} */ text) => h("p", { class: `${kind} box` }, text);
  return [
    status === "connected"
      ? missing.length
        ? say("warning", t("channels.missing", { scopes: missing.join(", ") }))
        : ends < 7 * DAY
          ? say("warning", t("channels.expiring"))
          : say("good", t("channels.healthy"))
      : say("bad", known(`cause.${cause}`, detail ?? "")),
    status === "connected" ? clocks : null,
  ];
}

/**
 * @param {Channel} channel
 * @param {() => Promise<void>} changed
 * @param {boolean} first whether the account has just been connected
 */
async function chooseBoard(channel, changed, first) {
  await dialog(t(first ? "channels.board.first" : "channels.board.change"), (close) => [
    h("p", {}, t("channels.board.about")),
    boardPicker(channel.id, channel.default_board?.pinterest_board_id ?? null, async (board) => {
      await call("PATCH", `/api/v1/channels/${channel.id}`, { body: { default_board_id: board.pinterest_board_id } });
      close();
    }),
    h("div", { class: "row" }, button(t(first ? "later" : "cancel"), close)),
  ]);
  await changed();
}
