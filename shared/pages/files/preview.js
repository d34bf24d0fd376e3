// @ts-check
/** What a Pin will look like, while it is being written. */

import { fill, h, isWebAddress, theirs } from "./dom.js";
import { t } from "./text.js";

/** @typedef {import("./draft.js").Draft} Draft */
/** @typedef {import("./draft.js").Slot} Slot */

/** A preview, and how to bring it up to date. */
export function preview() {
  const picture = h("div", { class: "picture" });
  const words = h("div", { class: "words" });
  const element = h("aside", { class: "preview", "aria-label": t("preview") }, picture, words);
  let shown = "";
  return {
    element,
    /** @param {Draft} draft */
    show(draft) {
      const pictures = JSON.stringify([draft.kind, draft.slots.map(address), draft.alt]);
      if (pictures !== shown) fill(picture, draft.slots.map((one) => figure(draft, one))); // loading takes time: only if it changes
      shown = pictures;
      fill(
        words,
        isWebAddress(draft.link) ? h("p", { class: "host" }, theirs(new URL(draft.link).host)) : null,
        draft.title ? h("p", { class: "title" }, theirs(draft.title)) : h("p", { class: "title hint" }, t("preview.untitled")),
        draft.description ? h("p", {}, theirs(draft.description)) : null,
      );
    },
  };
}

/** @param {Slot} one */
const address = (one) => one.shown || (isWebAddress(one.url) ? one.url : "");

/**
 * @param {Draft} draft
 * @param {Slot} one
 */
function figure(draft, one) {
  const src = address(one);
  if (!src) return h("div", { class: "none" }, one.name ? theirs(one.name) : t("preview.none"));
  const missing = (/** @type {Event} */ event) =>
    /** @type {Element} */ (event.target).replaceWith(h("div", { class: "none" }, t("preview.unavailable")));
  return draft.kind === "video"
    ? h("video", { src, controls: true, muted: true, preload: "metadata", onerror: missing, "aria-label": draft.alt || draft.title || t("preview") })
    : h("img", { src, alt: draft.alt || "", onerror: missing, referrerpolicy: "no-referrer" });
}
