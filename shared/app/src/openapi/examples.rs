//! An example for each request and each answer of the contract. A test validates them against the schemas.

use domain::event::EventKind;
use serde_json::{Value, json};

const CHANNEL: &str = "ch_01kbcfrw2xq7v4j9b6k0s3e8hz";
const PIN: &str = "pin_01kbcfs41m8w5d2c7n9x0p3r6t";
const FILE: &str = "media_01kbcfr0a4t6y8h2j5m7q9w1ez";
const BOARD: &str = "549755885175";

/// Two rows of a bulk file.
pub(super) const JSON_LINES: &str = "\
{\"channel_id\":\"ch_01kbcfrw2xq7v4j9b6k0s3e8hz\",\"title\":\"Bean salad\",\"media\":{\"kind\":\"image\",\"url\":\"https://images.example.com/bean.jpg\"}}\n\
{\"channel_id\":\"ch_01kbcfrw2xq7v4j9b6k0s3e8hz\",\"title\":\"Green salad\",\"media\":{\"kind\":\"image\",\"url\":\"https://images.example.com/green.jpg\"}}\n";
/// A row of a bulk file.
pub(super) const CSV: &str = "\
Title,Media URL,Pinterest board,Thumbnail,Description,Link,Publish date,Keywords\n\
Bean salad,https://images.example.com/bean.jpg,Recipes/Salads,,Ready in ten minutes.,https://example.com/bean-salad,2026-12-01 09:00,\n";

/// The example of a request.
pub(super) fn request(operation: &str) -> Value {
    match operation {
        "save_settings" => json!({
            "app_id": "1500000", "app_secret": "the app secret key", "status": "enabled", "environment": "sandbox",
        }),
        "start_oauth" => json!({ "return_to": "/app/channels" }),
        "claim_connection" => json!({ "connection": "pT3v0cN8w2kXyQ5rB7sD1fG4hJ6lM9zA" }),
        "change_channel" => json!({ "default_board_id": BOARD }),
        "create_board" => {
            json!({ "name": "Salads", "description": "Green and fresh", "privacy": "PUBLIC" })
        }
        "create_pin" | "validate_pin" => json!({
            "channel_id": CHANNEL,
            "title": "Bean salad",
            "description": "Ready in ten minutes.",
            "link": "https://example.com/bean-salad",
            "alt_text": "A bowl of beans with herbs",
            "media": { "kind": "image", "url": "https://images.example.com/bean.jpg" },
            "publish_at": "2026-12-01T09:00:00Z",
            "publish_within": "P2D",
        }),
        "upload_media" => json!({ "content_type": "image/jpeg", "bytes": 182_044 }),
        "change_pin" => {
            json!({ "title": "Green salad", "publish_at": { "local": "2026-12-02T09:00", "time_zone": "Europe/Istanbul" } })
        }
        "save_tenant_limits" => json!({ "tenant": "acme", "limits": { "channels": 500 } }),
        "resolve_pin" => json!({ "is": "549755885200" }),
        "move_pins" => {
            json!({ "channel_id": CHANNEL, "from_board_id": BOARD, "to_board_id": "549755885176" })
        }
        _ => Value::Null,
    }
}

/// The example of an answer with a status.
#[expect(clippy::too_many_lines, reason = "one arm for each operation: a table")]
pub(super) fn answer(operation: &str, status: u16) -> Value {
    match operation {
        "read_settings" | "save_settings" => settings(),
        "test_credentials" => json!({
            "result": "ok",
            "detail": "Pinterest accepts App ID and App Secret",
            "fix": "Nothing to do: connect an account.",
            "tested_at": "2026-12-01T08:00:00Z",
        }),
        "start_oauth" => json!({
            "authorize_url": "https://www.pinterest.com/oauth/?client_id=1500000&response_type=code&state=q8",
            "expires_at": "2026-12-01T08:10:00Z",
        }),
        "claim_connection" | "read_channel" | "change_channel" => channel(),
        "list_channels" => page(&channel()),
        "disconnect_channel" => json!({
            "detail": "The account's tokens are deleted here, and its queued Pins are cancelled.",
            "fix": "To take the app's access away at Pinterest too: Settings, Security, Connected apps.",
            "cancelled_pins": 2,
        }),
        "list_boards" => page(&board()),
        "create_board" => board(),
        "create_pin" if status == 201 => published(),
        "create_pin" | "change_pin" | "retry_pin" => scheduled(),
        "read_pin" | "resolve_pin" => published(),
        "cancel_pin" => cancelled(),
        "list_pins" => page(&published()),
        "validate_pin" => validation(),
        "bulk_pins" => json!({
            "rows": [
                {
                    "line": 2, "status": "accepted", "pin_id": PIN, "pin_state": null,
                    "code": null, "field": null, "detail": null, "fix": null,
                },
                {
                    "line": 3, "status": "refused", "pin_id": null, "pin_state": null, "code": "too_long", "field": "title",
                    "detail": "title has 120 characters, and Pinterest takes at most 100",
                    "fix": "Shorten it: 20 too many.",
                },
            ],
        }),
        "upload_media" => json!({
            "media_id": FILE,
            "upload": {
                "method": "PUT",
                "url": "https://bucket.s3.eu-central-1.amazonaws.com/acme/media?X-Amz-Signature=4f",
                "headers": { "content-type": "image/jpeg", "content-length": "182044", "if-none-match": "*", "x-amz-tagging": "pinwright=unused" },
            },
            "expires_at": "2026-12-01T09:00:00Z",
        }),
        "read_limits" | "read_tenant_limits" | "save_tenant_limits" => json!({
            "items": [
                { "name": "channels", "limit": 100, "used": 3, "window_seconds": null },
                { "name": "pins_per_minute", "limit": 2000, "used": 12, "window_seconds": 60 },
            ],
        }),
        "move_pins" => json!({ "moved": [PIN], "left": [] }),
        "channel_analytics" => json!({
            "channel_id": CHANNEL,
            "from": "2026-11-30",
            "to": "2026-11-30",
            "summary": { "IMPRESSION": 240 },
            "rows": [{ "date": "2026-11-30", "data_status": "READY", "metrics": { "IMPRESSION": 240 } }],
            "read_at": "2026-12-01T08:00:00Z",
        }),
        "pin_analytics" => json!({
            "pin_id": PIN,
            "pinterest_pin_id": "549755885200",
            "channel_id": CHANNEL,
            "from": "2026-11-30",
            "to": "2026-11-30",
            "summary": { "SAVE": 3 },
            "rows": [{ "date": "2026-11-30", "data_status": "READY", "metrics": { "SAVE": 3 } }],
            "read_at": "2026-12-01T08:00:00Z",
            "lifetime": totals(&[("total_comments", 0)]),
        }),
        "top_pins" => json!({
            "channel_id": CHANNEL,
            "from": "2026-11-01",
            "to": "2026-11-30",
            "sort_by": "SAVE",
            "items": [{
                "pin_id": PIN,
                "pinterest_pin_id": "549755885200",
                "pinterest_pin_url": "https://www.pinterest.com/pin/549755885200/",
                "metrics": { "SAVE": 3 },
                "data_status": { "SAVE": "READY" },
            }],
            "next": null,
            "counted_until": "2026-11-30T23:00:00Z",
            "read_at": "2026-12-01T08:00:00Z",
        }),
        "pin_metrics" => json!({
            "channel_id": CHANNEL,
            "items": [{
                "pin_id": PIN,
                "pinterest_pin_id": "549755885200",
                "pinterest_pin_url": "https://www.pinterest.com/pin/549755885200/",
                "title": "Bean salad",
                "last_90_days": totals(&[("impression", 240), ("pin_click", 12), ("outbound_click", 4)]),
                "lifetime": totals(&[
                    ("impression", 240),
                    ("pin_click", 12),
                    ("outbound_click", 4),
                    ("total_reactions", 1),
                    ("total_comments", 0),
                ]),
            }],
            "next": null,
            "read_at": "2026-12-01T08:00:00Z",
        }),
        "health" => json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }),
        "openapi" => json!({ "openapi": "3.1.0" }),
        "read_problem" => json!({
            "code": "no_board",
            "meaning": "The request names no board, and the channel has no default board.",
            "fix": "Name a board, or choose the channel's default board.",
            "example": "board_id is missing, and the channel has no default board",
        }),
        _ => Value::Null,
    }
}

/// A problem document.
pub(super) fn problem(status: u16) -> Value {
    let (title, code, detail, fix) = match status {
        400 => ("Bad Request", "invalid_json", "the body is not JSON", "Send one JSON object in UTF-8."),
        401 => (
            "Unauthorized",
            "unauthenticated",
            "there is no valid token",
            "Sign in, and send the token as `Authorization: Bearer <token>`.",
        ),
        403 => (
            "Forbidden",
            "not_admin",
            "the token does not allow this",
            "Sign in as a member of the admin group, or with the admin scope.",
        ),
        404 => (
            "Not Found",
            "not_found",
            "there is no such Pin",
            "Check the address and the id; ids are found in lists.",
        ),
        409 => (
            "Conflict",
            "integration_disabled",
            "Pinterest integration disabled",
            "An admin switches the integration on in its settings.",
        ),
        413 => {
            ("Payload Too Large", "body_too_large", "the body has 7000000 bytes", "Send less: at most 6 MB.")
        }
        415 => (
            "Unsupported Media Type",
            "unsupported_content_type",
            "the body is of a kind that is not accepted here",
            "Say what the body is: `Content-Type: text/csv` or `application/x-ndjson`.",
        ),
        422 => (
            "Unprocessable Entity",
            "too_long",
            "title has 120 characters, and Pinterest takes at most 100",
            "Shorten it: 20 too many.",
        ),
        429 => (
            "Too Many Requests",
            "pinterest_rate_limited",
            "Pinterest's rate limit is used up",
            "Try again after the time in Retry-After.",
        ),
        502 => (
            "Bad Gateway",
            "pinterest_unreachable",
            "Pinterest did not answer, or not in a way that makes sense",
            "Try again later; Pinterest's status page tells whether it is down.",
        ),
        503 => ("Service Unavailable", "busy", "too many changes at once", "Try again."),
        _ => (
            "Internal Server Error",
            "internal",
            "an internal error occurred; nothing is known to be half done",
            "Try again; if it goes on, give the request_id to the operator.",
        ),
    };
    let mut problem = json!({
        "type": format!("https://api.example.com/problems/{code}"),
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "fix": fix,
        "request_id": "JKJaXmPLvHcESHA=",
    });
    if status == 422 {
        problem["field"] = "title".into();
    }
    problem
}

/// The example of an answer from API Gateway.
pub(super) fn gateway(status: u16) -> &'static str {
    match status {
        401 => "Unauthorized",
        429 => "Too Many Requests",
        _ => "Service Unavailable",
    }
}

fn page(item: &Value) -> Value {
    json!({ "items": [item], "next": null })
}

/// Numbers by Pinterest's names, which are in capitals.
fn totals(numbers: &[(&str, u32)]) -> Value {
    numbers.iter().map(|(name, number)| (name.to_uppercase(), Value::from(*number))).collect()
}

fn settings() -> Value {
    json!({
        "app_id": "1500000",
        "app_id_source": "stored",
        "app_secret_set": true,
        "app_secret_source": "stored",
        "status": "enabled",
        "status_source": "stored",
        "environment": "sandbox",
        "environment_source": "none",
        "redirect_uris": ["https://api.example.com/api/v1/auth/pinterest/callback"],
        "configured": true,
        "worker": {
            "last_tick_at": "2026-12-01T08:00:00Z",
            "last_daily_at": "2026-12-01T03:00:00Z",
            "oldest_due_at": null,
            "detail": null,
            "fix": null,
        },
    })
}

fn channel() -> Value {
    json!({
        "id": CHANNEL,
        "environment": "sandbox",
        "account": { "pinterest_user_id": "549755885001", "username": "salads" },
        "status": "connected",
        "cause": null,
        "detail": null,
        "default_board": { "pinterest_board_id": BOARD, "name": "Salads" },
        "scopes": ["boards:read", "boards:write", "pins:read", "pins:write", "user_accounts:read"],
        "missing_scopes": [],
        "access_expires_at": "2026-12-31T08:00:00Z",
        "refresh_expires_at": "2027-01-30T08:00:00Z",
        "connected_at": "2026-12-01T08:00:00Z",
    })
}

fn board() -> Value {
    json!({ "pinterest_board_id": BOARD, "name": "Salads", "privacy": "PUBLIC", "sections": [] })
}

fn scheduled() -> Value {
    json!({
        "id": PIN,
        "channel_id": CHANNEL,
        "board_id": BOARD,
        "title": "Bean salad",
        "media": { "kind": "image", "url": "https://images.example.com/bean.jpg" },
        "state": "scheduled",
        "reason": null,
        "retry_at": null,
        "publish_at": "2026-12-01T09:00:00Z",
        "publish_within": "P7D",
        "give_up_at": "2026-12-08T09:00:00Z",
        "pinterest_pin_id": null,
        "pinterest_pin_url": null,
        "error": null,
        "created_at": "2026-12-01T08:00:00Z",
        "candidates": [],
        "published_at": null,
        "timeline": [timeline_entry("2026-12-01T08:00:00Z", "accepted", "", None)],
        "timeline_dropped": 0,
    })
}

fn published() -> Value {
    let mut pin = scheduled();
    pin["state"] = "published".into();
    pin["pinterest_pin_id"] = "549755885200".into();
    pin["pinterest_pin_url"] = "https://www.pinterest.com/pin/549755885200/".into();
    pin["published_at"] = "2026-12-01T09:00:22Z".into();
    pin["timeline"] = json!([
        timeline_entry("2026-12-01T08:00:00Z", "accepted", "", None),
        timeline_entry("2026-12-01T09:00:21Z", "sending", "", None),
        timeline_entry("2026-12-01T09:00:22Z", "published", "created as 549755885200", Some(201)),
    ]);
    pin
}

fn cancelled() -> Value {
    let mut pin = scheduled();
    pin["state"] = "cancelled".into();
    pin["timeline"] = json!([
        timeline_entry("2026-12-01T08:00:00Z", "accepted", "", None),
        timeline_entry("2026-12-01T08:30:00Z", "cancelled", "by request", None),
    ]);
    pin
}

/// Why a Pin needs a review.
fn perhaps_published() -> domain::Failure {
    domain::failures::needs_review(true)
}

fn timeline_entry(at: &str, event: &str, detail: &str, http_status: Option<u16>) -> Value {
    json!({
        "at": at,
        "event": event,
        "detail": detail,
        "http_status": http_status,
        "pinterest_code": null,
        "request_id": http_status.map(|_| "3281904457"),
    })
}

/// A validation that finds a title too long.
fn validation() -> Value {
    let check = |name: &str, ok: Option<bool>, detail: &str| {
        json!({
            "check": name, "ok": ok, "code": null, "detail": detail, "fix": null, "errors": [], "pin_ids": [],
        })
    };
    let mut checks = vec![
        check("integration", Some(true), "it is switched on"),
        check("channel", Some(true), "demo_account is connected since 2026-11-01T09:00:00Z"),
        check("scopes", Some(true), "everything that publishing needs was granted"),
        check("tier", Some(true), "nothing was refused for the app's access tier lately"),
        check("pause", Some(true), "Pinterest has asked for no break"),
        json!({
            "check": "fields",
            "ok": false,
            "code": "too_long",
            "detail": "title: title has 120 characters, and Pinterest takes at most 100",
            "fix": "Shorten it: 20 too many.",
            "errors": [{
                "field": "title",
                "code": "too_long",
                "detail": "title has 120 characters, and Pinterest takes at most 100",
                "fix": "Shorten it: 20 too many.",
            }],
            "pin_ids": [],
        }),
    ];
    for name in ["files", "token", "board", "section", "duplicate", "media"] {
        checks.push(check(name, None, "the fields have to be right first"));
    }
    json!({ "ok": false, "checks": checks })
}

/// An event as EventBridge delivers it.
pub(super) fn event(kind: EventKind) -> Value {
    let account = json!({ "pinterest_user_id": "549755885175", "username": "demo_account" });
    let channel = |cause: Value, detail: Value, days: Value| {
        json!({
            "id": format!("{CHANNEL}|2"),
            "tenant": "ada",
            "channel_id": CHANNEL,
            "environment": "production",
            "account": account,
            "cause": cause,
            "detail": detail,
            "expires_in_days": days,
        })
    };
    let pin = |state: &str| {
        json!({
            "id": format!("{PIN}|2"),
            "tenant": "ada",
            "pin_id": PIN,
            "channel_id": CHANNEL,
            "state": state,
            "reason": null,
            "retry_at": null,
            "publish_at": "2026-12-01T09:00:00Z",
            "ai_disclosures": null,
            "pinterest_pin_id": null,
            "pinterest_pin_url": null,
            "error": null,
        })
    };
    let with = |mut detail: Value, changes: Value| {
        for (name, value) in changes.as_object().into_iter().flatten() {
            detail[name] = value.clone();
        }
        detail
    };
    let detail = match kind {
        EventKind::ChannelConnected | EventKind::ChannelRecovered | EventKind::ChannelDisconnected => {
            channel(Value::Null, Value::Null, Value::Null)
        }
        EventKind::ChannelReconnectRequired => {
            let cause = domain::ReconnectCause::RefreshTokenRejected;
            channel(json!(cause), cause.detail().into(), Value::Null)
        }
        EventKind::TokenExpiring => channel(Value::Null, Value::Null, 7.into()),
        EventKind::PinScheduled => pin("scheduled"),
        EventKind::PinWaiting => {
            with(pin("waiting"), json!({ "reason": "quota", "retry_at": "2026-12-01T09:01:00Z" }))
        }
        EventKind::PinPublished => with(
            pin("published"),
            json!({
                "pinterest_pin_id": "549755885023",
                "pinterest_pin_url": "https://www.pinterest.com/pin/549755885023/",
            }),
        ),
        EventKind::PinNeedsReview => with(pin("needs_review"), json!({ "error": perhaps_published() })),
        EventKind::PinFailed => with(pin("failed"), json!({ "error": domain::failures::board_gone() })),
        EventKind::PinCancelled => pin("cancelled"),
        EventKind::SettingsChanged => json!({
            "id": "settings|3", "app_id": "1500000", "status": "enabled", "environment": "production",
        }),
    };
    json!({
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "source": "pinwright",
        "detail-type": kind.name(),
        "account": "111122223333",
        "time": "2026-12-01T09:00:02Z",
        "region": "eu-central-1",
        "resources": [],
        "detail": detail,
    })
}
