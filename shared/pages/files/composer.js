// @ts-check
/** The form of a Pin: for a new one, and for one that is to be changed. */

import { Problem, Unheard } from "./api.js";
import { boards } from "./boards.js";
import { button, field, fill, h, newId, select } from "./dom.js";
import { MOST, tooLong } from "./draft.js";
import { counter, mediaFields } from "./media.js";
import { outcome, problem } from "./parts.js";
import { preview } from "./preview.js";
import { known, t } from "./text.js";

/** @typedef {import("./draft.js").Draft} Draft */
/** @typedef {import("./channels.js").Channel} Channel */

/**
 * @typedef {object} Wanted
 * @property {Channel[]} channels among which one may choose: one, for a Pin that is there
 * @property {Draft} draft
 * @property {(draft: Draft) => Promise<string | Node | null>} send
 * @property {string} label of the button that sends
 * @property {(draft: Draft) => Promise<any>} [validate]
 * @property {(draft: Draft) => void} [changed]
 */

/** @param {Wanted} wanted */
export function composer({ channels, draft, send, label, validate, changed = () => {} }) {
  const seen = preview();
  const said = outcome();
  const touched = () => {
    seen.show(draft);
    changed(draft);
  };

  const channel = select(channels.map(({ id, account }) => [id, account.username ?? id]), draft.channel, {
    onchange: () => {
      Object.assign(draft, { channel: channel.value, board: "", section: "" });
      showBoards();
      touched();
    },
  });
  const boardPlace = h("div", { class: "pair" });
  const showBoards = () => boardFields(boardPlace, channels, draft, touched);

  const text = (/** @type {"title" | "link"} */ name, attributes = {}) => {
    const input = h("input", { value: draft[name], name, ...attributes, oninput: () => ((draft[name] = input.value), touched()) });
    return field(t(`pin.${name}`), input, counter(input, MOST[name]));
  };
  const area = (/** @type {"description" | "alt"} */ name, rows = 3) => {
    const input = h("textarea", { rows, value: draft[name], name, oninput: () => ((draft[name] = input.value), touched()) });
    return field(t(`pin.${name}`), input, counter(input, MOST[name]));
  };

  const submit = h("button", { class: "main" }, label);
  const all = h(
    "fieldset",
    { class: "bare" },
    channels.length > 1 ? field(t("pin.channel"), channel) : null,
    boardPlace,
    mediaFields(draft, touched),
    text("title"),
    area("description"),
    text("link", { type: "url", placeholder: "https://" }),
    area("alt", 2),
    whenFields(draft, touched, Boolean(validate)),
    h("div", { class: "row" }, submit, validate ? button(t("validate"), () => said.of(() => validate(draft), checks)) : null),
  );
  const form = h("form", { class: "composer", novalidate: true, onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), go()) }, all, said.place);

  let sending = false;
  const go = async () => {
    if (sending) return; // a second press while the first is under way
    const long = Object.keys(MOST).find((name) => tooLong(/** @type {keyof typeof MOST} */ (name), draft[/** @type {keyof typeof MOST} */ (name)]));
    if (long) return point(form, long);
    sending = true;
    all.disabled = true;
    submit.setAttribute("aria-busy", "true");
    try {
      fill(said.place, (await send(draft)) ?? "");
      all.disabled = false;
    } catch (error) {
      // Nobody knows whether it was done: the very same is sent again, or the person says that this is another Pin.
      const unknown = error instanceof Unheard;
      const other = button(t("compose.other"), () => ((all.disabled = false), touched(), fill(said.place)));
      fill(said.place, problem(error, unknown ? go : undefined), unknown ? other : null);
      all.disabled = unknown;
      if (error instanceof Problem && error.field) point(form, error.field === "alt_text" ? "alt" : error.field);
    } finally {
      sending = false;
      submit.removeAttribute("aria-busy");
    }
  };

  showBoards();
  seen.show(draft);
  return h("div", { class: "compose" }, form, seen.element);
}

/**
 * Takes the person to the field that is wrong.
 * @param {HTMLElement} form
 * @param {string} name
 */
function point(form, name) {
  const input = form.querySelector(`[name="${CSS.escape(name)}"]`);
  if (input instanceof HTMLElement) input.focus();
}

/**
 * @param {HTMLElement} place
 * @param {Channel[]} channels
 * @param {Draft} draft
 * @param {() => void} changed
 */
async function boardFields(place, channels, draft, changed) {
  const own = channels.find(({ id }) => id === draft.channel)?.default_board;
  const board = select([["", own ? t("pin.board.default", { name: own.name }) : t("pin.board.none")]], "", { name: "board_id" });
  const section = select([["", t("pin.section.none")]], "");
  fill(place, field(t("pin.board"), board), field(t("pin.section"), section));
  if (!draft.channel) return;
  try {
    const all = await boards(draft.channel);
    const showSections = () => {
      const chosen = all.find((one) => one.pinterest_board_id === (draft.board || own?.pinterest_board_id));
      const options = (chosen?.sections ?? []).map((one) => h("option", { value: one.pinterest_section_id }, one.name));
      fill(section, h("option", { value: "" }, t("pin.section.none")), ...options);
      section.value = draft.section;
      section.disabled = !options.length;
    };
    board.append(...all.map((one) => h("option", { value: one.pinterest_board_id }, one.name)));
    board.value = draft.board;
    board.addEventListener("change", () => (Object.assign(draft, { board: board.value, section: "" }), showSections(), changed()));
    section.addEventListener("change", () => ((draft.section = section.value), changed()));
    showSections();
  } catch (error) {
    place.append(problem(error, () => boardFields(place, channels, draft, changed)));
  }
}

/**
 * @param {Draft} draft
 * @param {() => void} changed
 * @param {boolean} canBeNow
 */
function whenFields(draft, changed, canBeNow) {
  const zones = [...new Set([draft.zone, ...Intl.supportedValuesOf("timeZone"), "UTC"])];
  const local = h("input", { type: "datetime-local", name: "publish_at", value: draft.local, oninput: () => ((draft.local = local.value), changed()) });
  const zone = select(zones.map((one) => [one, one.replaceAll("_", " ")]), draft.zone, { onchange: () => ((draft.zone = zone.value), changed()) });
  const time = h("div", { class: "pair", hidden: !draft.later }, field(t("pin.local"), local), field(t("pin.zone"), zone));
  if (!canBeNow) return h("fieldset", { class: "slot" }, h("legend", {}, t("pin.when")), time);
  const group = newId();
  const choice = (/** @type {boolean} */ later, /** @type {string} */ label) =>
    h(
      "label",
      { class: "check" },
      h("input", { type: "radio", name: group, checked: draft.later === later, onchange: () => ((draft.later = later), (time.hidden = !later), changed()) }),
      label,
    );
  return h("fieldset", { class: "slot" }, h("legend", {}, t("pin.when")), choice(false, t("pin.now")), choice(true, t("pin.later")), time);
}

/**
 * What `validate` has looked at, check by check.
 * @param {{ ok: boolean, checks: { check: string, ok: boolean, code: string | null, detail: string | null, fix: string | null }[] }} told
 */
function checks({ ok, checks: all }) {
  return h(
    "div",
    { class: `${ok ? "good" : "bad"} box`, role: "status", "data-ok": ok },
    h("p", {}, h("strong", {}, t(ok ? "validate.ok" : "validate.not"))),
    h(
      "ul",
      { class: "checks" },
      all.map((one) =>
        h(
          "li",
          { class: one.ok ? "good" : "bad" },
          h("span", { "aria-hidden": "true" }, one.ok ? "✓ " : "✗ "),
          h("span", { class: "unseen" }, t(one.ok ? "validate.passed" : "validate.failed")),
          known(`check.${one.check}`, one.check),
          one.detail ? [": ", one.detail] : null,
          one.fix && !one.ok ? h("p", { class: "hint" }, one.fix) : null,
        ),
      ),
    ),
  );
}

