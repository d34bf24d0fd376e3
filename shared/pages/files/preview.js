// @ts-check
/** A preview of the Pin that is being written. */

import { fill, h, isolate, isWebAddress } from "./dom.js";
import { t } from "./text.js";

export function pinPreview() {
  const media = h("div", { class: "picture" });
  const caption = h("div", { class: "caption" });
  const element = h("aside", { class: "preview", "aria-label": t("preview") }, media, caption);
  let shownMedia = "";
  return {
    element,
    /** @param {Draft} draft */
    show(draft) {
      // Media are loaded again only if they have changed.
      const currentMedia = JSON.stringify([draft.kind, draft.slots.map(mediaAddress), draft.alt]);
      if (currentMedia !== shownMedia) {
        fill(
          media,
          draft.slots.map((slot) => mediaElement(draft, slot)),
        );
      }
      shownMedia = currentMedia;
      const host = isWebAddress(draft.link) ? new URL(draft.link).host : null;
      fill(
        caption,
        host ? h("p", { class: "host" }, isolate(host)) : null,
        draft.title
          ? h("p", { class: "title" }, isolate(draft.title))
          : h("p", { class: "title hint" }, t("preview.untitled")),
        draft.description ? h("p", {}, isolate(draft.description)) : null,
      );
    },
  };
}

/** @param {Slot} slot */
function mediaAddress(slot) {
  return slot.previewUrl || (isWebAddress(slot.url) ? slot.url : "");
}

/**
 * @param {Draft} draft
 * @param {Slot} slot
 */
function mediaElement(draft, slot) {
  const src = mediaAddress(slot);
  if (!src) return h("div", { class: "none" }, slot.name ? isolate(slot.name) : t("preview.none"));
  const onError = (/** @type {Event} */ event) => {
    const failed = /** @type {Element} */ (event.target);
    failed.replaceWith(h("div", { class: "none" }, t("preview.unavailable")));
  };
  if (draft.kind === "video") {
    const label = draft.alt || draft.title || t("preview");
    return h("video", {
      src,
      controls: true,
      muted: true,
      preload: "metadata",
      onerror: onError,
      "aria-label": label,
    });
  }
  return h("img", { src, alt: draft.alt || "", onerror: onError, referrerpolicy: "no-referrer" });
}
