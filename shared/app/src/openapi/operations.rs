//! What the contract says about each operation: its words, its bodies, and how it can fail.

use schemars::{JsonSchema, Schema, json_schema};

use super::Schemas;
use crate::{
    functions::{
        BoardView, BulkView, ChangeChannel, ChangePin, ChannelAnalyticsView, ChannelView, Claim, CreateBoard,
        CredentialsTest, Disconnected, HealthView, MovePins, MovedPins, NewPin, NewUpload, Page,
        PinAnalyticsView, PinMetricsView, PinView, SaveSettings, SettingsView, StartOAuth, Started,
        TopPinsView, UploadView, Validated,
    },
    routes::{Access, Operation, Route},
};

/// The groups in which people find operations, with what each is about.
pub(super) const TAGS: [(&str, &str); 7] = [
    ("Settings", "The integration with Pinterest, for admins."),
    ("Connecting", "Connecting a Pinterest account by OAuth."),
    ("Channels", "Connected Pinterest accounts and their boards."),
    ("Pins", "Publishing, scheduling and following Pins."),
    ("Media", "Files for Pins."),
    ("Analytics", "How accounts and Pins do, as Pinterest counts."),
    ("Service", "Whether the API answers, and this document."),
];

/// What the contract says about an operation.
pub(super) struct Description {
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) request: Option<Schema>,
    pub(super) answers: Vec<(&'static str, &'static str, Option<Schema>)>,
}

/// The group of an operation.
pub(super) fn tag(operation: Operation) -> &'static str {
    use Operation as Op;
    match operation {
        Op::ReadSettings | Op::SaveSettings | Op::TestCredentials => "Settings",
        Op::StartOAuth | Op::OAuthCallback | Op::Claim => "Connecting",
        Op::ListChannels
        | Op::ReadChannel
        | Op::ChangeChannel
        | Op::DeleteChannel
        | Op::ListBoards
        | Op::CreateBoard => "Channels",
        Op::CreatePin
        | Op::ValidatePin
        | Op::BulkPins
        | Op::ListPins
        | Op::ReadPin
        | Op::CancelPin
        | Op::ChangePin
        | Op::MovePins
        | Op::RetryPin => "Pins",
        Op::Upload => "Media",
        Op::ChannelAnalytics | Op::TopPins | Op::PinMetrics | Op::PinAnalytics => "Analytics",
        Op::Health | Op::OpenApi | Op::Home | Op::Page | Op::PageFile => "Service",
    }
}

/// Whether a request without a body is as good as one with an empty object.
pub(super) fn body_is_optional(operation: Operation) -> bool {
    matches!(operation, Operation::SaveSettings | Operation::StartOAuth | Operation::ChangePin)
}

/// The statuses of the problems that an operation can answer.
pub(super) fn failures(route: &Route, has_body: bool) -> Vec<u16> {
    use Operation as Op;
    // API Gateway can answer 429 and 503 before any function is asked.
    let mut all = vec![429, 500, 503];
    if route.operation != Op::OAuthCallback {
        all.push(422);
    }
    if route.access != Access::Open {
        all.push(401);
    }
    if route.access == Access::Admin {
        all.push(403);
    }
    if has_body {
        all.extend([400, 413]);
    }
    let names_a_thing = matches!(route.operation, Op::Claim | Op::CreatePin | Op::ValidatePin | Op::MovePins);
    if route.path.contains("{id}") || names_a_thing {
        all.push(404);
    }
    let asks_pinterest = match route.operation {
        Op::ChangeChannel
        | Op::ListBoards
        | Op::CreateBoard
        | Op::ChannelAnalytics
        | Op::TopPins
        | Op::PinMetrics
        | Op::PinAnalytics => true,
        Op::BulkPins => {
            all.push(415);
            false
        }
        _ => false,
    };
    if asks_pinterest {
        all.push(502);
    }
    let needs_a_state = matches!(
        route.operation,
        Op::StartOAuth | Op::CreatePin | Op::BulkPins | Op::ChangePin | Op::CancelPin | Op::RetryPin
    );
    if asks_pinterest || needs_a_state {
        all.push(409);
    }
    all.sort_unstable();
    all
}

/// What a status means, in one sentence.
pub(super) fn meaning(status: u16) -> &'static str {
    match status {
        400 => "The body cannot be read.",
        401 => "There is no valid token.",
        403 => "The token is not an admin's.",
        404 => "There is no such thing, or it belongs to another tenant.",
        409 => "It cannot be done in the state that things are in.",
        413 => "The body, or a file, is too large.",
        415 => "The `Content-Type` is not taken here.",
        422 => "A value breaks a rule, or Pinterest refused for good.",
        429 => "Too many requests: at Pinterest, or at the API.",
        502 => "Pinterest did not answer.",
        503 => "Not now: try again after `Retry-After`.",
        _ => "A fault of the stack.",
    }
}

/// `None` where there is nothing for programs.
#[expect(clippy::too_many_lines, reason = "one arm for each operation: a table")]
pub(super) fn describe(operation: Operation, schemas: &mut Schemas) -> Option<Description> {
    #[expect(clippy::unnecessary_wraps, reason = "every use wants an option")]
    fn of<T: JsonSchema>(schemas: &mut Schemas) -> Option<Schema> {
        Some(schemas.answers.subschema_for::<T>())
    }
    #[expect(clippy::unnecessary_wraps, reason = "every use wants an option")]
    fn sent<T: JsonSchema>(schemas: &mut Schemas) -> Option<Schema> {
        Some(schemas.requests.subschema_for::<T>())
    }
    let plain = |id, summary| Description { id, summary, request: None, answers: Vec::new() };
    let ok = |schema| vec![("200", "Done.", schema)];
    Some(match operation {
        Operation::ReadSettings => Description {
            answers: ok(of::<SettingsView>(schemas)),
            ..plain("read_settings", "Reads the settings, where they come from, and whether the workers run")
        },
        Operation::SaveSettings => Description {
            request: sent::<SaveSettings>(schemas),
            answers: ok(of::<SettingsView>(schemas)),
            ..plain("save_settings", "Saves any of the settings")
        },
        Operation::TestCredentials => Description {
            answers: ok(of::<CredentialsTest>(schemas)),
            ..plain("test_credentials", "Asks Pinterest whether App ID and App Secret are right")
        },
        Operation::StartOAuth => Description {
            request: sent::<StartOAuth>(schemas),
            answers: ok(of::<Started>(schemas)),
            ..plain("start_oauth", "Starts to connect an account: where to send the browser")
        },
        Operation::OAuthCallback => Description {
            answers: vec![("302", "Back to the frontend, with `#connection=` or `#error=`.", None)],
            ..plain("oauth_callback", "Where Pinterest sends the browser")
        },
        Operation::Claim => Description {
            request: sent::<Claim>(schemas),
            answers: vec![
                ("201", "A new channel.", of::<ChannelView>(schemas)),
                (
                    "200",
                    "The account was a channel already: it keeps its board and its queue.",
                    of::<ChannelView>(schemas),
                ),
            ],
            ..plain("claim_connection", "Turns a ticket into a channel of the caller's, once")
        },
        Operation::ListChannels => Description {
            answers: ok(of::<Page<ChannelView>>(schemas)),
            ..plain("list_channels", "Lists the tenant's channels")
        },
        Operation::ReadChannel => Description {
            answers: ok(of::<ChannelView>(schemas)),
            ..plain("read_channel", "Reads a channel")
        },
        Operation::ChangeChannel => Description {
            request: sent::<ChangeChannel>(schemas),
            answers: ok(of::<ChannelView>(schemas)),
            ..plain("change_channel", "Chooses the default board, which is checked at Pinterest")
        },
        Operation::DeleteChannel => Description {
            answers: ok(of::<Disconnected>(schemas)),
            ..plain("disconnect_channel", "Forgets the tokens at once and cancels queued Pins")
        },
        Operation::ListBoards => Description {
            answers: ok(of::<Page<BoardView>>(schemas)),
            ..plain("list_boards", "Lists all boards of the account")
        },
        Operation::CreateBoard => Description {
            request: sent::<CreateBoard>(schemas),
            answers: vec![
                ("201", "A new board.", of::<BoardView>(schemas)),
                ("200", "There is a board of this name already.", of::<BoardView>(schemas)),
            ],
            ..plain("create_board", "Creates a board")
        },
        Operation::CreatePin => Description {
            request: sent::<NewPin>(schemas),
            answers: vec![
                ("201", "The Pin is at Pinterest.", of::<PinView>(schemas)),
                ("202", "The Pin is scheduled, or waits; it is on its way.", of::<PinView>(schemas)),
            ],
            ..plain("create_pin", "Publishes a Pin now, or at its time")
        },
        Operation::ValidatePin => Description {
            request: sent::<NewPin>(schemas),
            answers: ok(of::<Validated>(schemas)),
            ..plain("validate_pin", "Checks a Pin; nothing is stored or sent")
        },
        Operation::BulkPins => Description {
            answers: ok(of::<BulkView>(schemas)),
            ..plain(
                "bulk_pins",
                "Takes up to 1,000 Pins as JSON lines or CSV; the next ticks send what is due",
            )
        },
        Operation::Upload => Description {
            request: sent::<NewUpload>(schemas),
            answers: vec![(
                "201",
                "Send the file there, with these headers, in time.",
                of::<UploadView>(schemas),
            )],
            ..plain(
                "upload_media",
                "Prepares the upload of a file, which goes straight to the stack's bucket",
            )
        },
        Operation::ListPins => Description {
            answers: ok(of::<Page<PinView>>(schemas)),
            ..plain("list_pins", "Lists the tenant's Pins, newest first")
        },
        Operation::ReadPin => Description {
            answers: ok(of::<PinView>(schemas)),
            ..plain("read_pin", "Reads a Pin with its timeline")
        },
        Operation::ChangePin => Description {
            request: sent::<ChangePin>(schemas),
            answers: ok(of::<PinView>(schemas)),
            ..plain("change_pin", "Edits or reschedules a scheduled Pin")
        },
        Operation::MovePins => Description {
            request: sent::<MovePins>(schemas),
            answers: ok(of::<MovedPins>(schemas)),
            ..plain("move_pins", "Moves all Pins of a board that are not sent yet to another board")
        },
        Operation::CancelPin => Description {
            answers: ok(of::<PinView>(schemas)),
            ..plain("cancel_pin", "Cancels a Pin that is not yet sent")
        },
        Operation::RetryPin => Description {
            answers: vec![("202", "The next tick sends it.", of::<PinView>(schemas))],
            ..plain("retry_pin", "Sends a failed Pin again")
        },
        Operation::ChannelAnalytics => Description {
            answers: ok(of::<ChannelAnalyticsView>(schemas)),
            ..plain("channel_analytics", "Reads an account's metrics, day by day")
        },
        Operation::TopPins => Description {
            answers: ok(of::<TopPinsView>(schemas)),
            ..plain("top_pins", "Lists the account's best Pins")
        },
        Operation::PinMetrics => Description {
            answers: ok(of::<PinMetricsView>(schemas)),
            ..plain("pin_metrics", "Lists the account's Pins with their totals")
        },
        Operation::PinAnalytics => Description {
            answers: ok(of::<PinAnalyticsView>(schemas)),
            ..plain("pin_analytics", "Reads a published Pin's metrics, day by day")
        },
        Operation::Health => Description {
            answers: ok(of::<HealthView>(schemas)),
            ..plain("health", "Says whether the API answers")
        },
        Operation::OpenApi => Description {
            answers: ok(Some(json_schema!({ "type": "object" }))),
            ..plain("openapi", "Reads this document")
        },
        Operation::Home | Operation::Page | Operation::PageFile => return None, // for people
    })
}
