// @ts-check
/** A Pin that is being written: what the form holds, what the API gets, and what survives a reload. */

import { length } from "./text.js";

/**
 * One file: by its address, or uploaded. `shown` is the address of the very file, while this page is open.
 * @typedef {{ url: string, media_id: string, name: string, shown: string, type: string, title: string, description: string, link: string }} Slot
 */
/** @typedef {"image" | "carousel" | "video"} Kind */
/**
 * @typedef {object} Draft
 * @property {string} channel
 * @property {string} board empty for the default one
 * @property {string} section
 * @property {string} title
 * @property {string} description
 * @property {string} link
 * @property {string} alt
 * @property {Kind} kind
 * @property {Slot[]} slots
 * @property {"frame" | "url"} cover
 * @property {number} frame seconds from the beginning
 * @property {string} coverUrl
 * @property {boolean} later
 * @property {string} local what clocks show in `zone`
 * @property {string} zone
 */

/** As many characters as Pinterest takes. The server refuses by the same rule. */
export const MOST = { title: 100, description: 800, link: 2048, alt: 500 };
/** How many images a carousel has. */
export const SLIDES = { least: 2, most: 5 };

/** @returns {Slot} */
export const slot = () => ({ url: "", media_id: "", name: "", shown: "", type: "", title: "", description: "", link: "" });

/**
 * @param {string} channel
 * @returns {Draft}
 */
export function empty(channel) {
  return {
    channel,
    board: "",
    section: "",
    title: "",
    description: "",
    link: "",
    alt: "",
    kind: "image",
    slots: [slot()],
    cover: "frame",
    frame: 0,
    coverUrl: "",
    later: false,
    local: "",
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
}

/** @param {Draft} draft */
export function body(draft) {
  const { channel, kind, slots, later, local, zone } = draft;
  return {
    channel_id: channel,
    ...texts(draft),
    media: media(kind, slots, draft),
    ...(later ? { publish_at: { local, time_zone: zone } } : {}),
  };
}

/**
 * What a change sends: the media only if another file was chosen.
 * @param {Draft} draft
 * @param {Draft} before
 */
export function change(draft, before) {
  const pictures = JSON.stringify(media(draft.kind, draft.slots, draft));
  const moved = draft.local !== before.local || draft.zone !== before.zone;
  return {
    ...texts(draft),
    ...(pictures === JSON.stringify(media(before.kind, before.slots, before)) ? {} : { media: JSON.parse(pictures) }),
    ...(moved ? { publish_at: { local: draft.local, time_zone: draft.zone } } : {}),
  };
}

/** @param {Draft} draft */
function texts({ board, section, title, description, link, alt }) {
  const text = (/** @type {string} */ value) => value || null;
  return {
    ...(board ? { board_id: board } : {}),
    board_section_id: text(section),
    title: text(title),
    description: text(description),
    link: text(link.trim()),
    alt_text: text(alt),
  };
}

/**
 * @param {Kind} kind
 * @param {Slot[]} slots
 * @param {Draft} draft
 */
function media(kind, slots, { cover, frame, coverUrl }) {
  const file = (/** @type {Slot} */ one) => (one.media_id ? { media_id: one.media_id } : { url: one.url.trim() });
  if (kind === "carousel") {
    const items = slots.map((one) => ({
      ...file(one),
      ...(one.title ? { title: one.title } : {}),
      ...(one.description ? { description: one.description } : {}),
      ...(one.link ? { link: one.link.trim() } : {}),
    }));
    return { kind, items };
  }
  if (kind === "image") return { kind, ...file(slots[0]) };
  return { kind, ...file(slots[0]), cover: cover === "frame" ? { frame_seconds: frame } : { url: coverUrl.trim() } };
}

/**
 * The form's view of a Pin that is there.
 * @param {any} pin
 * @returns {Draft}
 */
export function of(pin) {
  const draft = empty(pin.channel_id);
  const file = (/** @type {any} */ one) => ({ ...slot(), url: one.url ?? "", media_id: one.media_id ?? "", name: one.media_id ?? "", title: one.title ?? "", description: one.description ?? "", link: one.link ?? "" });
  const { media: shown } = pin;
  return {
    ...draft,
    board: pin.board_id,
    section: pin.board_section_id ?? "",
    title: pin.title ?? "",
    description: pin.description ?? "",
    link: pin.link ?? "",
    alt: pin.alt_text ?? "",
    kind: shown.kind,
    slots: shown.kind === "carousel" ? shown.items.map(file) : [file(shown)],
    cover: shown.cover?.url ? "url" : "frame",
    frame: shown.cover?.frame_seconds ?? 0,
    coverUrl: shown.cover?.url ?? "",
    later: true,
    local: localTime(pin.publish_at),
  };
}

/**
 * What this browser's clock shows at an instant, as `<input type="datetime-local">` writes it.
 * @param {string | number} instant
 */
export function localTime(instant) {
  const at = new Date(instant);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/**
 * Whether a text is too long, by the server's rule.
 * @param {keyof typeof MOST} name
 * @param {string} text
 */
export const tooLong = (name, text) => length(text) > MOST[name];

const KEPT = "draft";

/**
 * Remembers what is written, in this tab: with the key under which it is sent, so that a reload sends nothing twice.
 * @param {Draft} draft
 * @param {string} key
 */
export function remember(draft, key) {
  const slots = draft.slots.map((one) => ({ ...one, shown: "" }));
  sessionStorage.setItem(KEPT, JSON.stringify({ draft: { ...draft, slots }, key }));
}

export function forget() {
  sessionStorage.removeItem(KEPT);
}

/** @returns {{ draft: Draft, key: string } | null} */
export function remembered() {
  return JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
}
