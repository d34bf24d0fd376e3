// @ts-check
/** What several pages show in the same way. */

import { Problem, Unheard } from "./api.js";
import { button, dialog, fill, h } from "./dom.js";
import { known, t } from "./text.js";

/**
 * What went wrong, and what to do next.
 * @param {unknown} error
 * @param {() => unknown} [again]
 */
export function problem(error, again) {
  const told = error instanceof Problem || error instanceof Unheard ? error : null;
  const code = error instanceof Problem ? error.code : "";
  const detail = known(`problem.${code}`, told?.message ?? t("error.page"));
  const fix = known(`problem.${code}.fix`, told?.fix ?? t("error.again"));
  if (!told) console.error(error);
  return h(
    "div",
    { class: "bad box", role: "alert", "data-code": code },
    h("p", {}, h("strong", {}, detail)),
    h("p", {}, fix),
    error instanceof Problem && error.requestId ? h("p", { class: "hint" }, t("error.request", { id: error.requestId })) : null,
    again ? button(t("again"), again) : null,
  );
}

/**
 * A place for what a button's work has to say: nothing, success, or a problem.
 */
export function outcome() {
  const place = h("div", { class: "outcome" });
  let begun = 0;
  return {
    place,
    /**
     * Does `act`, and shows how it ended, unless something else was begun meanwhile.
     * @template T
     * @param {() => Promise<T>} act
     * @param {(done: T) => string | Node | null} [said]
     * @returns {Promise<T | undefined>}
     */
    async of(act, said) {
      fill(place);
      const mine = (begun += 1);
      const show = (/** @type {string | Node | null} */ shown) => mine === begun && fill(place, shown);
      try {
        const done = await act();
        const text = said?.(done) ?? null;
        show(typeof text === "string" ? h("p", { class: "good box", role: "status" }, text) : text);
        return done;
      } catch (error) {
        show(problem(error));
        return undefined;
      }
    },
  };
}

/**
 * Asks before something that cannot be taken back.
 * @param {string} title
 * @param {string} text
 * @param {string} yes
 * @param {string} [no]
 * @returns {Promise<boolean>}
 */
export async function sure(title, text, yes, no = t("cancel")) {
  let agreed = false;
  await dialog(title, (close) => [
    h("p", {}, text),
    h(
      "div",
      { class: "row" },
      button(yes, () => ((agreed = true), close()), { class: "main" }),
      button(no, close),
    ),
  ]);
  return agreed;
}

/**
 * Copies a text, and says so.
 * @param {string} text
 */
export function copier(text) {
  const element = button(t("copy"), async () => {
    await navigator.clipboard.writeText(text);
    element.textContent = t("copied");
  });
  return element;
}

/**
 * A place that is filled in a moment, as high as what will stand there, so that nothing jumps.
 * @param {number} lines
 */
export function soon(lines) {
  return h("div", { class: "soon", "aria-busy": "true", "aria-label": t("loading") }, Array.from({ length: lines }, () => h("i")));
}
