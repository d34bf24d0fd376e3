// @ts-check
/**
 * Connected accounts: connect, choose a default board, see the connection status, reconnect and disconnect.
 */

import { callApi, fetchAll } from "./api.js";
import { boardPicker } from "./boards.js";
import { button, dialog, fill, h, isolate } from "./dom.js";
import { formatTime, relativeTime, t, textOr } from "./text.js";
import { confirmDialog, outcomeArea, problemBox, skeleton } from "./widgets.js";

/** The page warns when the refresh token expires sooner than this. */
const EXPIRY_WARNING_MS = 7 * 86_400_000;

/** @type {Page} */
export default async function page(main, signal) {
  const list = h("div", { class: "cards" }, skeleton(5));
  const outcome = outcomeArea();
  const connectButton = button("Connect", () => outcome.run(connectAccount), { class: "main" });
  fill(
    main,
    h("div", { class: "row between" }, h("h1", {}, t("channels.title")), connectButton),
    h("p", { class: "lead" }, t("channels.about")),
    outcome.element,
    list,
  );

  const load = async () => {
    try {
      const channels = await fetchAll("/api/v1/channels", signal);
      const cards = channels.map((channel) => channelCard(channel, load));
      fill(list, cards.length ? cards : h("p", { class: "empty" }, t("channels.none")));
    } catch (error) {
      if (!signal.aborted) fill(list, problemBox(error, load));
    }
  };
  const newChannel = await claimConnection(outcome);
  await load();
  // Only now, so that the page behind the dialog is complete.
  if (newChannel) chooseBoard(newChannel, load, true);
}

/** Sends the browser to Pinterest's consent page. */
async function connectAccount() {
  const body = { return_to: "/app/channels" };
  const { authorize_url: address } = await callApi("POST", "/api/v1/auth/pinterest/start", { body });
  location.assign(address);
  await new Promise(() => {}); // the browser leaves the page
}

/**
 * Reads the result of Pinterest's consent page from the address: a ticket for a new connection, or an error.
 * @param {OutcomeArea} outcome
 * @returns {Promise<Channel | undefined>}
 */
async function claimConnection(outcome) {
  const result = new URLSearchParams(location.hash.slice(1));
  const ticket = result.get("connection");
  const error = result.get("error");
  if (!ticket && !error) return undefined;
  history.replaceState(null, "", location.pathname); // the ticket works once and must not stay in the history
  if (error) {
    fill(outcome.element, connectError(error));
    return undefined;
  }
  return outcome.run(
    () => callApi("POST", "/api/v1/connections/claim", { body: { connection: ticket } }),
    (channel) => t("channels.connected", { name: channelName(channel) }),
  );
}

/** @param {string} code */
function connectError(code) {
  const message = textOr(`connect.${code}`, t("connect.failed", { code }));
  return h("div", { class: "bad box", role: "alert", "data-code": code }, h("p", {}, message));
}

/** @param {Channel} channel */
function channelName(channel) {
  return channel.account.username ?? channel.id;
}

/**
 * @param {Channel} channel
 * @param {() => Promise<void>} onChange
 */
function channelCard(channel, onChange) {
  const outcome = outcomeArea();
  const name = channelName(channel);
  const board = channel.default_board;
  const isHealthy = channel.status === "connected" && !channel.missing_scopes.length;
  const disconnect = async () => {
    const label = t("channels.disconnect");
    if (!(await confirmDialog(label, t("channels.disconnect.means", { name }), label))) return;
    await outcome.run(() => callApi("DELETE", `/api/v1/channels/${channel.id}`));
    await onChange();
  };
  const environment = channel.environment === "sandbox" ? "Sandbox" : "Production";
  return h(
    "article",
    { class: "card channel", "data-channel": channel.id },
    h(
      "div",
      { class: "row between" },
      h("h2", {}, isolate(name)),
      h("span", { class: `tag ${channel.environment}` }, environment),
    ),
    connectionStatus(channel),
    h(
      "p",
      {},
      t("channels.board"),
      ": ",
      board ? h("strong", {}, isolate(board.name)) : h("em", {}, t("channels.board.none")),
    ),
    h(
      "div",
      { class: "row" },
      isHealthy
        ? null
        : button(t("channels.reconnect"), () => outcome.run(connectAccount), { class: "main" }),
      button(t(board ? "channels.board.change" : "channels.board.choose"), () =>
        chooseBoard(channel, onChange, false),
      ),
      h("a", { class: "button", href: `/app/publishing?channel=${channel.id}` }, t("channels.publish")),
      h("a", { class: "button", href: `/app/analytics?channel=${channel.id}` }, t("analytics.title")),
      button(t("channels.disconnect"), disconnect, { class: "plain" }),
    ),
    outcome.element,
  );
}

/** @param {Channel} channel */
function connectionStatus(channel) {
  const message = statusMessage(channel);
  return [
    h("p", { class: `${message.level} box` }, message.text),
    channel.status === "connected" ? tokenExpiry(channel) : null,
  ];
}

/**
 * @param {Channel} channel
 * @returns {{ level: "good" | "warning" | "bad", text: string }}
 */
function statusMessage(channel) {
  const { status, cause, detail, missing_scopes: missing, refresh_expires_at: refreshExpiresAt } = channel;
  if (status !== "connected") return { level: "bad", text: textOr(`cause.${cause}`, detail ?? "") };
  if (missing.length)
    return { level: "warning", text: t("channels.missing", { scopes: missing.join(", ") }) };
  const timeLeft = refreshExpiresAt ? Date.parse(refreshExpiresAt) - Date.now() : Infinity;
  if (timeLeft < EXPIRY_WARNING_MS) return { level: "warning", text: t("channels.expiring") };
  return { level: "good", text: t("channels.healthy") };
}

/** @param {Channel} channel */
function tokenExpiry({ access_expires_at: access, refresh_expires_at: refresh }) {
  const expiry = (/** @type {string} */ time) => [
    formatTime(time),
    " ",
    h("span", { class: "hint" }, relativeTime(time)),
  ];
  return h(
    "dl",
    {},
    h("dt", {}, t("channels.access")),
    h("dd", {}, expiry(access)),
    h("dt", {}, t("channels.refresh")),
    h("dd", {}, refresh ? expiry(refresh) : t("channels.refresh.unknown")),
  );
}

/**
 * @param {Channel} channel
 * @param {() => Promise<void>} onChange
 * @param {boolean} isNew whether the account has just been connected
 */
async function chooseBoard(channel, onChange, isNew) {
  await dialog(t(isNew ? "channels.board.first" : "channels.board"), (close) => {
    const saveBoard = async (/** @type {Board} */ board) => {
      const body = { default_board_id: board.pinterest_board_id };
      await callApi("PATCH", `/api/v1/channels/${channel.id}`, { body });
      close();
    };
    return [
      h("p", {}, t("channels.board.about")),
      boardPicker(channel.id, channel.default_board?.pinterest_board_id ?? null, saveBoard),
      h("div", { class: "row" }, button(t(isNew ? "later" : "cancel"), close)),
    ];
  });
  await onChange();
}
