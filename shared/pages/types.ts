/** The types of the console, for the type checker only: browsers do not get this file. */

import type english from "./files/en.js";
import type { PinStore as Store } from "./files/pins.js";
import type { outcomeArea } from "./files/widgets.js";

declare global {
  // ---- Pages and elements

  /** Renders a page into `main`, and stops all its work once `signal` is aborted. */
  type Page = (main: HTMLElement, signal: AbortSignal) => void | Promise<void>;

  interface Route {
    title: TextKey;
    load: () => Promise<{ default: Page }>;
    adminOnly?: true;
    /** Shown without sign-in. */
    isPublic?: true;
  }

  /** The content of an element. Arrays are flattened; `null`, `undefined` and `false` add nothing. */
  type Child = Node | string | number | null | undefined | false | Child[];

  /** The attributes of an element, see `h` in `dom.js`. */
  type Attributes = Record<string, any>;

  // ---- Texts

  /**
   * The texts of a language. Keys that begin with `problem.` are optional: they replace the API's own texts.
   */
  type Texts = typeof english & { [problem: `problem.${string}`]: string };
  type TextKey = keyof Texts;
  /** Texts with a singular and a plural form. */
  type PluralKey = "boards.more" | "boards.found" | "bulk.send" | "timeline.dropped";

  // ---- Sign-in

  /** How users sign in, as the server has put it into the page. */
  interface SignInSettings {
    sign_in: "development" | "oidc" | "none";
    issuer?: string;
    client_id?: string;
    scope?: string;
    admin_scope: string;
    groups_claim: string;
    admin_group: string;
    several_groups: boolean;
  }

  interface ProviderMetadata {
    authorization_endpoint: string;
    token_endpoint: string;
    end_session_endpoint?: string;
  }

  interface Tokens {
    access: string;
    refresh?: string;
    /** In milliseconds since 1970. */
    expiresAt: number;
  }

  interface User {
    name: string;
    admin: boolean;
  }

  interface Developer {
    sub: string;
    admin: boolean;
  }

  // ---- What the API answers

  interface CallOptions {
    /** The answer is a file, and not JSON. */
    file?: boolean;
    /** A `Blob` is sent as it is, anything else as JSON. */
    body?: unknown;
    /** The content type of a `Blob`. */
    type?: string;
    /** The `Idempotency-Key`, which makes a POST repeatable. */
    key?: string;
    signal?: AbortSignal;
  }

  interface Channel {
    id: string;
    environment: string;
    account: { username: string | null };
    status: string;
    cause: string | null;
    detail: string | null;
    default_board: { pinterest_board_id: string; name: string } | null;
    missing_scopes: string[];
    access_expires_at: string;
    refresh_expires_at: string | null;
    connected_at: string;
  }

  interface Board {
    pinterest_board_id: string;
    name: string;
    privacy: string;
    sections: { pinterest_section_id: string; name: string }[];
  }

  interface PinError {
    code: string;
    detail: string;
    fix: string;
  }

  interface TimelineEntry {
    at: string;
    event: string;
    detail: string | null;
    http_status: number | null;
    pinterest_code: number | null;
    request_id: string | null;
  }

  interface Pin {
    id: string;
    channel_id: string;
    board_id: string;
    board_section_id?: string | null;
    title?: string | null;
    description?: string | null;
    link?: string | null;
    alt_text?: string | null;
    ai_disclosures?: { values: string[] } | null;
    media: any;
    state: string;
    reason: string | null;
    retry_at: string | null;
    publish_at: string;
    published_at: string | null;
    pinterest_pin_url: string | null;
    error: PinError | null;
    candidates: Candidate[];
    timeline: TimelineEntry[];
    timeline_dropped: number;
  }

  /** A Pin at Pinterest that may be one that needs a review. */
  interface Candidate {
    pinterest_pin_id: string;
    pinterest_pin_url: string;
    created_at: string | null;
    differs: string[];
  }

  /** An empty text matches all. */
  interface PinFilter {
    channel: string;
    state: string;
    /** Only the Pins whose time is between these. */
    days?: { from: string; to: string };
  }

  /** One check of a validation. */
  interface Check {
    check: string;
    /** `null`: it could not be made. */
    ok: boolean | null;
    code: string | null;
    detail: string;
    fix: string | null;
    errors: CheckError[];
  }

  /** What is wrong with a field or a file. */
  interface CheckError {
    field: string;
    code: string;
    detail: string;
    fix: string;
  }

  /** The result of one row of a bulk file. */
  interface BulkRow {
    line: number;
    status: string;
    pin_id: string | null;
    pin_state: string | null;
    code: string | null;
    field: string | null;
    detail: string | null;
    fix: string | null;
  }

  type Metrics = Record<string, number | null>;

  interface AnalyticsReport {
    from: string;
    to: string;
    summary: Metrics;
    rows: { date: string; data_status: string | null; metrics: Metrics }[];
    lifetime?: Metrics;
    read_at: string;
  }

  /** Where a setting comes from. */
  type SettingSource = "stored" | "env" | "none";

  interface IntegrationSettings {
    app_id: string | null;
    app_id_source: SettingSource;
    app_secret_set: boolean;
    app_secret_source: SettingSource;
    status: "enabled" | "disabled";
    status_source: SettingSource;
    environment: "sandbox" | "production";
    environment_source: SettingSource;
    redirect_uris: string[];
    worker: WorkerStatus;
  }

  interface WorkerStatus {
    last_tick_at: string | null;
    last_daily_at: string | null;
    oldest_due_at: string | null;
    /** What is wrong, if anything. */
    detail: string | null;
    fix: string | null;
  }

  interface CredentialTest {
    result: string;
    detail: string;
    fix: string;
    tested_at: string;
  }

  // ---- A Pin that is being written

  type MediaKind = "image" | "carousel" | "video";
  type CoverKind = "frame" | "url";
  type TextName = "title" | "description" | "link" | "alt";

  /** A file of a Pin: a public address or an upload. */
  interface Slot {
    url: string;
    media_id: string;
    name: string;
    /** The address of the local file, while the page is open. */
    previewUrl: string;
    type: string;
    title: string;
    description: string;
    link: string;
  }

  interface Draft {
    channel: string;
    /** Empty for the default board. */
    board: string;
    section: string;
    title: string;
    description: string;
    link: string;
    alt: string;
    /** What is disclosed of artificial intelligence, by Pinterest's names. */
    ai: string[];
    kind: MediaKind;
    slots: Slot[];
    cover: CoverKind;
    /** Seconds from the start of the video. */
    frame: number;
    coverUrl: string;
    later: boolean;
    /** The date and time in `zone`. */
    local: string;
    zone: string;
  }

  interface ComposerOptions {
    /** The channels to choose from: only its own for an existing Pin. */
    channels: Channel[];
    draft: Draft;
    send: (draft: Draft) => Promise<string | Node | null>;
    sendLabel: string;
    /** Only for a new Pin. */
    validate?: (draft: Draft) => Promise<any>;
    onChange?: (draft: Draft) => void;
  }

  // ---- Parts of pages

  type PinStore = Store;
  type OutcomeArea = ReturnType<typeof outcomeArea>;

  interface PinsSection {
    element: HTMLElement;
    readonly store: PinStore;
    reload: () => Promise<void>;
  }

  interface RowOptions {
    open: (pin: Pin) => void;
    channelNames: Map<string, string>;
  }

  interface ChartDay {
    date: string;
    value: number | null;
    status: string | null;
  }

  type FormatValue = (value: number) => string;

  interface ChartColumn {
    name: string;
    days: ChartDay[];
    format: FormatValue;
  }

  /** A row of a table in the API reference. */
  interface ReferenceField {
    name: string;
    type: string;
    description?: string;
    required?: boolean;
  }
}
