//! The webhooks of the contract: the events that a target of the event bus receives.

use domain::event::{ChannelEvent, EventKind, PinEvent, SettingsEvent};
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::examples;
use crate::contract::{SchemaOf, schema};

/// One webhook for each kind of event.
pub(super) fn webhooks(answers: &mut SchemaGenerator) -> Map<String, Value> {
    let webhook = |kind: EventKind| {
        let (summary, detail) = meaning(kind);
        let operation = json!({
            "operationId": format!("on_{}", kind.name().replace('.', "_")),
            "summary": summary,
            "tags": ["Events"],
            "security": [],
            "requestBody": {
                "required": true,
                "content": { "application/json": {
                    "schema": envelope(kind, &detail(answers)),
                    "example": examples::event(kind),
                } },
            },
            "responses": { "200": { "description": "Any 2xx: the event was received." } },
        });
        (kind.name().to_owned(), json!({ "post": operation }))
    };
    EventKind::ALL.map(webhook).into_iter().collect()
}

/// An event as EventBridge delivers it.
fn envelope(kind: EventKind, detail: &Schema) -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let word = |description: &str, word: &str| json!({ "type": "string", "description": description, "enum": [word] });
    let id = "EventBridge's id. An event that comes again has another one: use `detail.id` to recognise it.";
    json!({
        "type": "object",
        "properties": {
            "version": text("The version of this envelope."),
            "id": text(id),
            "source": word("The sender.", "pinwright"),
            "detail-type": word("What happened.", kind.name()),
            "account": text("The AWS account of the stack."),
            "time": {
                "type": "string", "format": "date-time", "description": "When it happened, to the second.",
            },
            "region": text("The AWS region of the stack."),
            "resources": { "type": "array", "items": { "type": "string" }, "description": "Always empty." },
            "detail": detail,
        },
        "required": [
            "version", "id", "source", "detail-type", "account", "time", "region", "resources", "detail",
        ],
    })
}

fn meaning(kind: EventKind) -> (&'static str, SchemaOf) {
    match kind {
        EventKind::ChannelConnected => {
            ("An account was connected, or connected again", schema::<ChannelEvent>)
        }
        EventKind::ChannelReconnectRequired => {
            ("The owner has to connect the account again", schema::<ChannelEvent>)
        }
        EventKind::ChannelRecovered => {
            ("The account's tokens work again, without having been connected again", schema::<ChannelEvent>)
        }
        EventKind::ChannelDisconnected => ("A user disconnected the channel", schema::<ChannelEvent>),
        EventKind::TokenExpiring => ("The refresh token is about to expire", schema::<ChannelEvent>),
        EventKind::PinScheduled => {
            ("A Pin was accepted for a later time, moved to another time, or retried", schema::<PinEvent>)
        }
        EventKind::PinWaiting => ("A Pin waits for another reason than before", schema::<PinEvent>),
        EventKind::PinPublished => ("A Pin is at Pinterest", schema::<PinEvent>),
        EventKind::PinNeedsReview => {
            ("Nobody can tell whether a Pin is at Pinterest: a person has to look", schema::<PinEvent>)
        }
        EventKind::PinFailed => ("A Pin was given up", schema::<PinEvent>),
        EventKind::PinCancelled => ("A Pin was cancelled", schema::<PinEvent>),
        EventKind::SettingsChanged => {
            ("An admin changed the App ID, the status or the environment", schema::<SettingsEvent>)
        }
    }
}
