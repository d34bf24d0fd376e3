// @ts-check
/** The files of a Pin: public addresses, or uploads from this computer straight into the stack's bucket. */

import { callApi, NetworkError } from "./api.js";
import { announce, button, field, fill, h, isolate, select } from "./dom.js";
import { emptySlot, MAX_LENGTHS, MAX_SLIDES, MIN_SLIDES } from "./draft.js";
import { characterCount, formatMegabytes, formatNumber, t } from "./text.js";
import { outcomeArea } from "./widgets.js";

const IMAGE_TYPES = "image/jpeg,image/png,image/webp,image/gif";
const VIDEO_TYPES = "video/mp4,video/quicktime,video/x-m4v";

/**
 * The part of the form for the Pin's image, carousel or video.
 * @param {Draft} draft
 * @param {() => void} onChange
 */
export function mediaFields(draft, onChange) {
  const container = h("div", {});
  /** @type {[MediaKind, string][]} */
  const kinds = [
    ["image", t("media.image")],
    ["carousel", t("media.carousel")],
    ["video", t("media.video")],
  ];
  const kind = select(kinds, draft.kind, {
    onchange: () => {
      setKind(draft, /** @type {MediaKind} */ (kind.value));
      updateSlots();
    },
  });
  const updateSlots = () => {
    showSlots();
    onChange();
  };
  const addSlot = () => {
    draft.slots.push(emptySlot());
    updateSlots();
  };
  const showSlots = () => {
    const canAdd = draft.kind === "carousel" && draft.slots.length < MAX_SLIDES;
    fill(
      container,
      draft.slots.map((_, index) => slotFields(draft, index, onChange, updateSlots)),
      canAdd ? button(t("media.add"), addSlot) : null,
      draft.kind === "video" ? coverFields(draft, onChange) : null,
    );
  };
  showSlots();
  return h("div", {}, field(t("media.kind"), kind), container);
}

/**
 * Changes the kind, and keeps the files if they fit: a video is no image, and the other way round.
 * @param {Draft} draft
 * @param {MediaKind} kind
 */
function setKind(draft, kind) {
  draft.kind = kind;
  const count = kind === "carousel" ? Math.max(MIN_SLIDES, draft.slots.length) : 1;
  draft.slots = Array.from({ length: count }, (_, index) => draft.slots[index] ?? emptySlot());
  const hasVideo = draft.slots.some(({ type }) => type.startsWith("video/"));
  if (kind === "video" || hasVideo) draft.slots = draft.slots.map(emptySlot);
}

/**
 * @param {Draft} draft
 * @param {number} index
 * @param {() => void} onChange
 * @param {() => void} updateSlots shows all slots again
 */
function slotFields(draft, index, onChange, updateSlots) {
  const slot = draft.slots[index];
  const isVideo = draft.kind === "video";
  const isCarousel = draft.kind === "carousel";
  const url = h("input", {
    type: "url",
    value: slot.url,
    placeholder: "https://",
    autocomplete: "off",
    oninput: () => {
      slot.url = url.value;
      onChange();
    },
  });
  const fileInput = h("input", { type: "file", accept: isVideo ? VIDEO_TYPES : IMAGE_TYPES });
  const outcome = outcomeArea();
  fileInput.addEventListener("change", () => {
    const file = fileInput.files?.[0];
    if (!file) return;
    outcome.run(async () => {
      const progress = h("progress", {
        max: 1,
        value: 0,
        "aria-label": t("media.uploading", { name: file.name }),
      });
      fill(outcome.element, progress, h("span", { class: "hint" }, formatMegabytes(file.size)));
      slot.media_id = await uploadFile(file, (ratio) => {
        progress.value = ratio;
      });
      Object.assign(slot, {
        url: "",
        name: file.name,
        type: file.type,
        previewUrl: URL.createObjectURL(file),
      });
      announce(t("media.uploaded", { name: file.name }));
      updateSlots();
    });
  });
  const removeFile = () => {
    const { title, description, link } = slot;
    Object.assign(slot, emptySlot(), { title, description, link });
    updateSlots();
  };
  const removeSlot = () => {
    draft.slots.splice(index, 1);
    updateSlots();
  };
  const slideText = (/** @type {"title" | "description" | "link"} */ name) => {
    const input = h("input", {
      value: slot[name],
      oninput: () => {
        slot[name] = input.value;
        onChange();
      },
    });
    return field(t(`pin.${name}`), input, characterCounter(input, MAX_LENGTHS[name]));
  };
  const legend = isCarousel
    ? t("media.slide", { number: index + 1 })
    : t(isVideo ? "media.video" : "media.image");
  const uploadedFile = () =>
    h(
      "p",
      { class: "row" },
      h("span", { class: "good" }, isolate(slot.name)),
      button(t("media.replace"), removeFile),
    );
  const fileFields = () => [
    field(t("media.url"), url),
    field(t("media.file"), fileInput, t(isVideo ? "media.video.hint" : "media.image.hint")),
    outcome.element,
  ];
  return h(
    "fieldset",
    { class: "slot" },
    h("legend", {}, legend),
    slot.media_id ? uploadedFile() : fileFields(),
    isCarousel ? [slideText("title"), slideText("description"), slideText("link")] : null,
    isCarousel && draft.slots.length > MIN_SLIDES ? button(t("media.remove"), removeSlot) : null,
  );
}

/**
 * @param {Draft} draft
 * @param {() => void} onChange
 */
function coverFields(draft, onChange) {
  const container = h("div", {});
  /** @type {[CoverKind, string][]} */
  const covers = [
    ["frame", t("cover.frame")],
    ["url", t("cover.url")],
  ];
  const cover = select(covers, draft.cover, {
    onchange: () => {
      draft.cover = /** @type {CoverKind} */ (cover.value);
      showField();
      onChange();
    },
  });
  const seconds = h("input", {
    type: "number",
    min: 0,
    step: 1,
    value: draft.frame,
    oninput: () => {
      draft.frame = Number(seconds.value) || 0;
      onChange();
    },
  });
  const url = h("input", {
    type: "url",
    value: draft.coverUrl,
    placeholder: "https://",
    oninput: () => {
      draft.coverUrl = url.value;
      onChange();
    },
  });
  const showField = () => {
    fill(
      container,
      draft.cover === "frame" ? field(t("cover.seconds"), seconds) : field(t("media.url"), url),
    );
  };
  showField();
  return h(
    "fieldset",
    { class: "slot" },
    h("legend", {}, t("cover")),
    field(t("cover.kind"), cover),
    container,
  );
}

/**
 * Shows how many characters of a text are used, counted as the server does, and marks a text that is too
 * long.
 * @param {HTMLInputElement | HTMLTextAreaElement} input
 * @param {number} maximum
 */
export function characterCounter(input, maximum) {
  const counter = h("span", { class: "counter" });
  const update = () => {
    const used = characterCount(input.value);
    counter.textContent = `${formatNumber(used)} / ${formatNumber(maximum)}`;
    counter.classList.toggle("bad", used > maximum);
    if (used > maximum) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
  input.addEventListener("input", update);
  update();
  return counter;
}

/**
 * Uploads a file to the bucket.
 * @param {File} file
 * @param {(ratio: number) => void} onProgress from 0 to 1
 * @returns {Promise<string>} the `media_id`
 */
async function uploadFile(file, onProgress) {
  const body = { content_type: contentType(file), bytes: file.size };
  const offer = await callApi("POST", "/api/v1/media", { body });
  const { method, url, headers } = offer.upload;
  const request = new XMLHttpRequest(); // `fetch` reports no upload progress
  request.open(method, url);
  for (const [name, value] of Object.entries(headers)) {
    // The browser sets the length itself.
    if (name.toLowerCase() !== "content-length") request.setRequestHeader(name, value);
  }
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) onProgress(event.loaded / event.total);
  });
  await new Promise((resolve, reject) => {
    request.addEventListener("load", () => {
      if (request.status < 300) resolve(null);
      else reject(new NetworkError());
    });
    request.addEventListener("error", () => reject(new NetworkError()));
    request.send(file);
  });
  return offer.media_id;
}

/**
 * The content type of a file. Some systems have none for `.m4v`.
 * @param {File} file
 */
function contentType(file) {
  return file.type || (/\.m4v$/i.test(file.name) ? "video/x-m4v" : "application/octet-stream");
}
