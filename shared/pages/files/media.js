// @ts-check
/** The files of a Pin: each by its address, or from this machine, straight to the stack's bucket. */

import { call, Unheard } from "./api.js";
import { announce, button, field, fill, h, select, theirs } from "./dom.js";
import { MOST, SLIDES, slot } from "./draft.js";
import { outcome } from "./parts.js";
import { length, megabytes, number, t } from "./text.js";

/** @typedef {import("./draft.js").Draft} Draft */
/** @typedef {import("./draft.js").Slot} Slot */

const IMAGES = "image/jpeg,image/png";
const VIDEOS = "video/mp4,video/quicktime,video/x-m4v";

/**
 * The part of the form that says what the Pin shows.
 * @param {Draft} draft
 * @param {() => void} changed
 */
export function mediaFields(draft, changed) {
  const place = h("div", {});
  const kinds = /** @type {[import("./draft.js").Kind, string][]} */ ([["image", t("media.image")], ["carousel", t("media.carousel")], ["video", t("media.video")]]);
  const kind = select(kinds, draft.kind, {
    onchange: () => {
      draft.kind = /** @type {Draft["kind"]} */ (kind.value);
      const wanted = draft.kind === "carousel" ? Math.max(SLIDES.least, draft.slots.length) : 1;
      draft.slots = Array.from({ length: wanted }, (_, at) => draft.slots[at] ?? slot());
      if (draft.kind === "video" || draft.slots.some((one) => one.type.startsWith("video/"))) draft.slots = draft.slots.map(() => slot());
      show();
      changed();
    },
  });
  const show = () => {
    const many = draft.kind === "carousel";
    fill(
      place,
      draft.slots.map((one, at) => slotFields(draft, one, at, changed, show)),
      many && draft.slots.length < SLIDES.most
        ? button(t("media.add"), () => (draft.slots.push(slot()), show(), changed()))
        : null,
      draft.kind === "video" ? coverFields(draft, changed) : null,
    );
  };
  show();
  return h("div", {}, field(t("media.kind"), kind), place);
}

/**
 * @param {Draft} draft
 * @param {Slot} one
 * @param {number} at
 * @param {() => void} changed
 * @param {() => void} show
 */
function slotFields(draft, one, at, changed, show) {
  const video = draft.kind === "video";
  const many = draft.kind === "carousel";
  const url = h("input", { type: "url", value: one.url, placeholder: "https://", autocomplete: "off", oninput: () => ((one.url = url.value), changed()) });
  const file = h("input", { type: "file", accept: video ? VIDEOS : IMAGES });
  const { place, of } = outcome();
  file.addEventListener("change", async () => {
    const chosen = file.files?.[0];
    if (!chosen) return;
    await of(async () => {
      const progress = h("progress", { max: 1, value: 0, "aria-label": t("media.uploading", { name: chosen.name }) });
      fill(place, progress, h("span", { class: "hint" }, megabytes(chosen.size)));
      one.media_id = await upload(chosen, (part) => (progress.value = part));
      Object.assign(one, { url: "", name: chosen.name, type: chosen.type, shown: URL.createObjectURL(chosen) });
      announce(t("media.uploaded", { name: chosen.name }));
      show();
      changed();
    });
  });
  const discard = () => (Object.assign(one, slot(), { title: one.title, description: one.description, link: one.link }), show(), changed());
  const own = (/** @type {"title" | "description" | "link"} */ name) => {
    const input = h("input", { value: one[name], oninput: () => ((one[name] = input.value), changed()) });
    return field(t(`pin.${name}`), input, counter(input, MOST[name]));
  };
  return h(
    "fieldset",
    { class: "slot" },
    h("legend", {}, many ? t("media.slide", { number: at + 1 }) : t(video ? "media.video" : "media.image")),
    one.media_id
      ? h("p", { class: "row" }, h("span", { class: "good" }, theirs(one.name)), button(t("media.replace"), discard))
      : [field(t("media.url"), url), field(t("media.file"), file, t(video ? "media.video.hint" : "media.image.hint")), place],
    many ? [own("title"), own("description"), own("link")] : null,
    many && draft.slots.length > SLIDES.least ? button(t("media.remove"), () => (draft.slots.splice(at, 1), show(), changed())) : null,
  );
}

/**
 * @param {Draft} draft
 * @param {() => void} changed
 */
function coverFields(draft, changed) {
  const place = h("div", {});
  const way = select([["frame", t("cover.frame")], ["url", t("cover.url")]], draft.cover, {
    onchange: () => ((draft.cover = /** @type {Draft["cover"]} */ (way.value)), show(), changed()),
  });
  const frame = h("input", { type: "number", min: 0, step: 1, value: draft.frame, oninput: () => ((draft.frame = Number(frame.value) || 0), changed()) });
  const url = h("input", { type: "url", value: draft.coverUrl, placeholder: "https://", oninput: () => ((draft.coverUrl = url.value), changed()) });
  const show = () => fill(place, draft.cover === "frame" ? field(t("cover.seconds"), frame) : field(t("media.url"), url));
  show();
  return h("fieldset", { class: "slot" }, h("legend", {}, t("cover")), field(t("cover.kind"), way), place);
}

/**
 * How much of a text's room is used, by the server's rule, told as one writes.
 * @param {HTMLInputElement | HTMLTextAreaElement} input
 * @param {number} most
 */
export function counter(input, most) {
  const shown = h("span", { class: "counter" });
  const count = () => {
    const used = length(input.value);
    shown.textContent = `${number(used)} / ${number(most)}`;
    shown.classList.toggle("bad", used > most);
    if (used > most) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
  input.addEventListener("input", count);
  count();
  return shown;
}

/**
 * Sends a file to the bucket, and answers what Pins call it.
 * @param {File} file
 * @param {(part: number) => void} progress from 0 to 1
 * @returns {Promise<string>}
 */
async function upload(file, progress) {
  const offer = await call("POST", "/api/v1/media", { body: { content_type: typeOf(file), bytes: file.size } });
  const { method, url, headers } = offer.upload;
  const request = new XMLHttpRequest(); // `fetch` cannot tell how far it is
  request.open(method, url);
  for (const [name, value] of Object.entries(headers)) {
    if (name.toLowerCase() !== "content-length") request.setRequestHeader(name, value); // the browser's own business
  }
  request.upload.addEventListener("progress", (event) => event.lengthComputable && progress(event.loaded / event.total));
  await new Promise((resolve, reject) => {
    request.addEventListener("load", () => (request.status < 300 ? resolve(null) : reject(new Unheard())));
    request.addEventListener("error", () => reject(new Unheard()));
    request.send(file);
  });
  return offer.media_id;
}

/**
 * Some systems do not know what an `.m4v` is.
 * @param {File} file
 */
function typeOf(file) {
  return file.type || (/\.m4v$/i.test(file.name) ? "video/x-m4v" : "application/octet-stream");
}
