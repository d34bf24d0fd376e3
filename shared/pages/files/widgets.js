// @ts-check
/** Parts that several pages use. */

import { NetworkError, Problem } from "./api.js";
import { button, dialog, fill, h } from "./dom.js";
import { t, textOr } from "./text.js";

/**
 * An error: what happened, what to do, and the request's id for support.
 * @param {unknown} error
 * @param {() => unknown} [retry]
 */
export function problemBox(error, retry) {
  const known = error instanceof Problem || error instanceof NetworkError ? error : null;
  const code = error instanceof Problem ? error.code : "";
  const requestId = error instanceof Problem ? error.requestId : undefined;
  const detail = textOr(`problem.${code}`, known?.message ?? t("error.page"));
  const fix = textOr(`problem.${code}.fix`, known?.fix ?? t("error.again"));
  if (!known) console.error(error);
  return h(
    "div",
    { class: "bad box", role: "alert", "data-code": code },
    h("p", {}, h("strong", {}, detail)),
    h("p", {}, fix),
    requestId ? h("p", { class: "hint" }, t("error.request", { id: requestId })) : null,
    retry ? button(t("again"), retry) : null,
  );
}

/** A place below a button that shows the outcome of its action: nothing, a success message, or a problem. */
export function outcomeArea() {
  const element = h("div", { class: "outcome" });
  let runs = 0;
  return {
    element,
    /**
     * Runs an action and shows its outcome, unless another action has started in the meantime.
     * @template T
     * @param {() => Promise<T>} action
     * @param {(result: T) => string | Node | null} [message]
     * @returns {Promise<T | undefined>}
     */
    async run(action, message) {
      fill(element);
      runs += 1;
      const thisRun = runs;
      const show = (/** @type {string | Node | null} */ content) => {
        if (thisRun === runs) fill(element, content);
      };
      try {
        const result = await action();
        const content = message?.(result) ?? null;
        show(typeof content === "string" ? h("p", { class: "good box", role: "status" }, content) : content);
        return result;
      } catch (error) {
        show(problemBox(error));
        return undefined;
      }
    },
  };
}

/**
 * Asks for confirmation of an action that cannot be undone.
 * @param {string} title
 * @param {string} text
 * @param {string} confirmLabel
 * @param {string} [cancelLabel]
 * @returns {Promise<boolean>}
 */
export async function confirmDialog(title, text, confirmLabel, cancelLabel = t("cancel")) {
  let confirmed = false;
  await dialog(title, (close) => {
    const confirm = () => {
      confirmed = true;
      close();
    };
    return [
      h("p", {}, text),
      h(
        "div",
        { class: "row" },
        button(confirmLabel, confirm, { class: "main" }),
        button(cancelLabel, close),
      ),
    ];
  });
  return confirmed;
}

/**
 * A button that copies a text to the clipboard.
 * @param {string} text
 */
export function copyButton(text) {
  const element = button(t("copy"), async () => {
    await navigator.clipboard.writeText(text);
    element.textContent = t("copied");
  });
  return element;
}

/**
 * Grey lines in place of content that is still loading. They are about as high as the content, so that the
 * page does not jump.
 * @param {number} lines
 */
export function skeleton(lines) {
  const bars = Array.from({ length: lines }, () => h("i"));
  return h("div", { class: "skeleton", "aria-busy": "true", "aria-label": t("loading") }, bars);
}
