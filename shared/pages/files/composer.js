// @ts-check
/** The form for a Pin, new or existing. */

import { NetworkError, Problem } from "./api.js";
import { loadBoards } from "./boards.js";
import { button, field, fill, h, newId, select } from "./dom.js";
import { AI_DISCLOSURES, isTooLong, MAX_LENGTHS } from "./draft.js";
import { characterCounter, mediaFields } from "./media.js";
import { pinPreview } from "./preview.js";
import { t, textOr } from "./text.js";
import { outcomeArea, problemBox } from "./widgets.js";

/** @param {ComposerOptions} options */
export function composer({ channels, draft, send, sendLabel, validate, onChange = () => {} }) {
  const preview = pinPreview();
  const outcome = outcomeArea();
  const draftChanged = () => {
    preview.show(draft);
    onChange(draft);
  };

  const boardContainer = h("div", { class: "pair" });
  const showBoards = () => showBoardFields(boardContainer, channels, draft, draftChanged);
  const channel = select(
    channels.map(({ id, account }) => [id, account.username ?? id]),
    draft.channel,
    {
      onchange: () => {
        Object.assign(draft, { channel: channel.value, board: "", section: "" });
        showBoards();
        draftChanged();
      },
    },
  );

  /**
   * @param {TextName} name
   * @param {HTMLInputElement | HTMLTextAreaElement} input
   */
  const textField = (name, input) => {
    input.name = name;
    input.value = draft[name];
    input.addEventListener("input", () => {
      draft[name] = input.value;
      draftChanged();
    });
    return field(t(`pin.${name}`), input, characterCounter(input, MAX_LENGTHS[name]));
  };

  const submitButton = h("button", { class: "main" }, sendLabel);
  const validateButton = validate
    ? button(t("validate"), () => outcome.run(() => validate(draft), validationResult))
    : null;
  const fields = h(
    "fieldset",
    { class: "bare" },
    channels.length > 1 ? field(t("pin.channel"), channel) : null,
    boardContainer,
    mediaFields(draft, draftChanged),
    textField("title", h("input")),
    textField("description", h("textarea", { rows: 3 })),
    textField("link", h("input", { type: "url", placeholder: "https://" })),
    textField("alt", h("textarea", { rows: 2 })),
    disclosureFields(draft, draftChanged),
    timeFields(draft, draftChanged, Boolean(validate)),
    h("div", { class: "row" }, submitButton, validateButton),
  );
  const onSubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    submit();
  };
  const attributes = { class: "composer", novalidate: true, onsubmit: onSubmit };
  const form = h("form", attributes, fields, outcome.element);

  let isSending = false;
  const submit = async () => {
    if (isSending) return;
    const names = /** @type {TextName[]} */ (Object.keys(MAX_LENGTHS));
    const tooLong = names.find((name) => isTooLong(name, draft[name]));
    if (tooLong) return focusField(form, tooLong);
    isSending = true;
    fields.disabled = true;
    submitButton.setAttribute("aria-busy", "true");
    try {
      fill(outcome.element, await send(draft));
      fields.disabled = false;
    } catch (error) {
      showError(error);
    } finally {
      isSending = false;
      submitButton.removeAttribute("aria-busy");
    }
  };

  /** @param {unknown} error */
  const showError = (error) => {
    if (error instanceof NetworkError) {
      // Nobody knows whether the Pin was created. The form stays locked, so that "Try again" sends exactly
      // the same request, until the user decides to write a different Pin.
      const writeOther = () => {
        fields.disabled = false;
        draftChanged();
        fill(outcome.element);
      };
      fill(outcome.element, problemBox(error, submit), button(t("compose.other"), writeOther));
      return;
    }
    fill(outcome.element, problemBox(error));
    fields.disabled = false;
    if (error instanceof Problem && error.field) {
      focusField(form, error.field === "alt_text" ? "alt" : error.field);
    }
  };

  showBoards();
  preview.show(draft);
  return h("div", { class: "compose" }, form, preview.element);
}

/**
 * @param {HTMLElement} form
 * @param {string} name
 */
function focusField(form, name) {
  const input = form.querySelector(`[name="${CSS.escape(name)}"]`);
  if (input instanceof HTMLElement) input.focus();
}

/**
 * Shows the fields for the board and its section. The boards come from Pinterest, so they appear a moment
 * later.
 * @param {HTMLElement} container
 * @param {Channel[]} channels
 * @param {Draft} draft
 * @param {() => void} onChange
 */
async function showBoardFields(container, channels, draft, onChange) {
  const defaultBoard = channels.find(({ id }) => id === draft.channel)?.default_board;
  const emptyLabel = defaultBoard ? t("pin.board.default", { name: defaultBoard.name }) : t("pin.board.none");
  const board = select([["", emptyLabel]], "", { name: "board_id" });
  const section = select([["", t("pin.section.none")]], "");
  fill(container, field(t("pin.board"), board), field(t("pin.section"), section));
  if (!draft.channel) return;
  try {
    const boards = await loadBoards(draft.channel);
    const showSections = () => {
      const boardId = draft.board || defaultBoard?.pinterest_board_id;
      const selected = boards.find(({ pinterest_board_id: id }) => id === boardId);
      const options = (selected?.sections ?? []).map(({ pinterest_section_id: id, name }) =>
        h("option", { value: id }, name),
      );
      fill(section, h("option", { value: "" }, t("pin.section.none")), ...options);
      section.value = draft.section;
      section.disabled = !options.length;
    };
    board.append(...boards.map(({ pinterest_board_id: id, name }) => h("option", { value: id }, name)));
    board.value = draft.board;
    board.addEventListener("change", () => {
      Object.assign(draft, { board: board.value, section: "" });
      showSections();
      onChange();
    });
    section.addEventListener("change", () => {
      draft.section = section.value;
      onChange();
    });
    showSections();
  } catch (error) {
    container.append(problemBox(error, () => showBoardFields(container, channels, draft, onChange)));
  }
}

/**
 * @param {Draft} draft
 * @param {() => void} onChange
 */
function disclosureFields(draft, onChange) {
  const choices = AI_DISCLOSURES.map((name) => {
    const box = h("input", {
      type: "checkbox",
      name,
      checked: draft.ai.includes(name),
      onchange: () => {
        draft.ai = AI_DISCLOSURES.filter((other) =>
          other === name ? box.checked : draft.ai.includes(other),
        );
        onChange();
      },
    });
    return h("label", { class: "check" }, box, textOr(`ai.${name}`, name));
  });
  return h("fieldset", { class: "slot" }, h("legend", {}, t("pin.ai")), choices);
}

/**
 * @param {Draft} draft
 * @param {() => void} onChange
 * @param {boolean} allowNow whether the Pin may be published at once
 */
function timeFields(draft, onChange, allowNow) {
  const localTime = h("input", {
    type: "datetime-local",
    name: "publish_at",
    value: draft.local,
    oninput: () => {
      draft.local = localTime.value;
      onChange();
    },
  });
  const zones = [...new Set([draft.zone, ...Intl.supportedValuesOf("timeZone"), "UTC"])];
  const zone = select(
    zones.map((name) => [name, name.replaceAll("_", " ")]),
    draft.zone,
    {
      onchange: () => {
        draft.zone = zone.value;
        onChange();
      },
    },
  );
  const scheduleFields = h(
    "div",
    { class: "pair", hidden: !draft.later },
    field(t("pin.local"), localTime),
    field(t("pin.zone"), zone),
  );
  const legend = h("legend", {}, t("pin.when"));
  if (!allowNow) return h("fieldset", { class: "slot" }, legend, scheduleFields);
  const groupName = newId();
  const choice = (/** @type {boolean} */ later, /** @type {string} */ label) => {
    const onChoose = () => {
      draft.later = later;
      scheduleFields.hidden = !later;
      onChange();
    };
    const radio = h("input", {
      type: "radio",
      name: groupName,
      checked: draft.later === later,
      onchange: onChoose,
    });
    return h("label", { class: "check" }, radio, label);
  };
  const choices = [choice(false, t("pin.now")), choice(true, t("pin.later"))];
  return h("fieldset", { class: "slot" }, legend, choices, scheduleFields);
}

/** @param {{ ok: boolean, checks: Check[] }} result */
function validationResult({ ok, checks }) {
  return h(
    "div",
    { class: `${ok ? "good" : "bad"} box`, role: "status", "data-ok": ok },
    h("p", {}, h("strong", {}, t(ok ? "validate.ok" : "validate.not"))),
    h("ul", { class: "checks" }, checks.map(checkItem)),
  );
}

/** A check that could not be made has `ok: null`. @param {Check} check */
function checkItem({ check, ok, detail, fix, errors }) {
  const [kind, mark] = ok === null ? ["hint", "– "] : ok ? ["good", "✓ "] : ["bad", "✗ "];
  const word = ok === null ? "validate.skipped" : ok ? "validate.passed" : "validate.failed";
  const wrong = ok === false && errors.length > 0;
  return h(
    "li",
    { class: kind, "data-check": check },
    h("span", { "aria-hidden": "true" }, mark),
    h("span", { class: "visually-hidden" }, t(word)),
    textOr(`check.${check}`, check),
    wrong ? h("ul", {}, errors.map(checkError)) : detail ? [": ", detail] : null,
    fix && !ok && !wrong ? h("p", { class: "hint" }, fix) : null,
  );
}

/** @param {CheckError} error */
function checkError({ field, detail, fix }) {
  return h("li", {}, `${field}: ${detail}`, h("p", { class: "hint" }, fix));
}
