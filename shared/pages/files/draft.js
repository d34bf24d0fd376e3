// @ts-check
/** A Pin that is being written: what the form holds, what the API receives, and what survives a reload. */

import { characterCount } from "./text.js";

/** The longest texts that Pinterest accepts, in characters. The server has the same limits. */
export const MAX_LENGTHS = { title: 100, description: 800, link: 2048, alt: 500 };

/** What can be disclosed of the part that artificial intelligence has in a Pin, by Pinterest's names. */
export const AI_DISCLOSURES = ["AI_MODIFIED", "SYNTHETIC_PERFORMER"];

/** How many images a carousel has. */
export const MIN_SLIDES = 2;
export const MAX_SLIDES = 5;

/** @returns {Slot} */
export function emptySlot() {
  return { url: "", media_id: "", name: "", previewUrl: "", type: "", title: "", description: "", link: "" };
}

/**
 * @param {string} channelId
 * @returns {Draft}
 */
export function emptyDraft(channelId) {
  return {
    channel: channelId,
    board: "",
    section: "",
    title: "",
    description: "",
    link: "",
    alt: "",
    ai: [],
    kind: "image",
    slots: [emptySlot()],
    cover: "frame",
    frame: 0,
    coverUrl: "",
    later: false,
    local: "",
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
}

/**
 * The request that creates the Pin.
 * @param {Draft} draft
 */
export function createRequest(draft) {
  return {
    channel_id: draft.channel,
    ...textFields(draft),
    media: mediaField(draft),
    ...(draft.later ? { publish_at: publishAt(draft) } : {}),
  };
}

/**
 * The request that changes a Pin from `original` to `draft`. It has media and a time only if they differ.
 * @param {Draft} draft
 * @param {Draft} original
 */
export function updateRequest(draft, original) {
  const media = mediaField(draft);
  const sameMedia = JSON.stringify(media) === JSON.stringify(mediaField(original));
  const sameTime = draft.local === original.local && draft.zone === original.zone;
  return {
    ...textFields(draft),
    ...(sameMedia ? {} : { media }),
    ...(sameTime ? {} : { publish_at: publishAt(draft) }),
  };
}

/** @param {Draft} draft */
function publishAt({ local, zone }) {
  return { local, time_zone: zone };
}

/** @param {Draft} draft */
function textFields({ board, section, title, description, link, alt, ai }) {
  return {
    ...(board ? { board_id: board } : {}),
    board_section_id: section || null,
    title: title || null,
    description: description || null,
    link: link.trim() || null,
    alt_text: alt || null,
    ai_disclosures: ai.length ? { values: ai } : null,
  };
}

/** @param {Draft} draft */
function mediaField({ kind, slots, cover, frame, coverUrl }) {
  if (kind === "carousel") return { kind, items: slots.map(slideField) };
  if (kind === "image") return { kind, ...source(slots[0]) };
  const coverField = cover === "frame" ? { frame_seconds: frame } : { url: coverUrl.trim() };
  return { kind, ...source(slots[0]), cover: coverField };
}

/** @param {Slot} slot */
function slideField(slot) {
  return {
    ...source(slot),
    ...(slot.title ? { title: slot.title } : {}),
    ...(slot.description ? { description: slot.description } : {}),
    ...(slot.link ? { link: slot.link.trim() } : {}),
  };
}

/** @param {Slot} slot */
function source(slot) {
  return slot.media_id ? { media_id: slot.media_id } : { url: slot.url.trim() };
}

/**
 * A draft with the values of an existing Pin.
 * @param {Pin} pin
 * @returns {Draft}
 */
export function draftFromPin(pin) {
  const { media } = pin;
  return {
    ...emptyDraft(pin.channel_id),
    board: pin.board_id,
    section: pin.board_section_id ?? "",
    title: pin.title ?? "",
    description: pin.description ?? "",
    link: pin.link ?? "",
    alt: pin.alt_text ?? "",
    ai: pin.ai_disclosures?.values ?? [],
    kind: media.kind,
    slots: media.kind === "carousel" ? media.items.map(slotFromMedia) : [slotFromMedia(media)],
    cover: media.cover?.url ? "url" : "frame",
    frame: media.cover?.frame_seconds ?? 0,
    coverUrl: media.cover?.url ?? "",
    later: true,
    local: toLocalTime(pin.publish_at),
  };
}

/**
 * @param {any} media
 * @returns {Slot}
 */
function slotFromMedia(media) {
  return {
    ...emptySlot(),
    url: media.url ?? "",
    media_id: media.media_id ?? "",
    name: media.media_id ?? "",
    title: media.title ?? "",
    description: media.description ?? "",
    link: media.link ?? "",
  };
}

/**
 * An instant in the browser's time zone, in the format of `<input type="datetime-local">`.
 * @param {string | number} instant
 */
export function toLocalTime(instant) {
  const date = new Date(instant);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/**
 * Whether a text has more characters than the server accepts.
 * @param {TextName} name
 * @param {string} text
 */
export function isTooLong(name, text) {
  return characterCount(text) > MAX_LENGTHS[name];
}

const STORAGE_KEY = "draft";

/**
 * Saves a draft in this tab, with the idempotency key of its request, so that it is not sent twice after a
 * reload.
 * @param {Draft} draft
 * @param {string} key
 */
export function saveDraft(draft, key) {
  const slots = draft.slots.map((slot) => ({ ...slot, previewUrl: "" })); // it ends with the page
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify({ draft: { ...draft, slots }, key }));
}

export function deleteDraft() {
  sessionStorage.removeItem(STORAGE_KEY);
}

/** @returns {{ draft: Draft, key: string } | null} */
export function loadDraft() {
  const saved = JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? "null");
  // An older version of this page may have saved it, with fewer fields.
  return saved && { ...saved, draft: { ...emptyDraft(""), ...saved.draft } };
}
