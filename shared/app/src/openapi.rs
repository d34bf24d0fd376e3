//! The contract, made of the routes and of the very types that handlers read and write: it cannot drift.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{
    functions::{
        BoardView, BulkView, ChangeChannel, ChangePin, ChannelAnalyticsView, ChannelView, Claim, CreateBoard,
        CredentialsTest, Disconnected, HealthView, MovePins, MovedPins, NewPin, NewUpload, Page,
        PinAnalyticsView, PinMetricsView, PinView, SaveSettings, SettingsView, StartOAuth, Started,
        TopPinsView, UploadView, Validated,
    },
    routes::{Access, Operation, ROUTES, Route},
};

/// A problem document (RFC 9457).
#[derive(JsonSchema)]
#[expect(dead_code, reason = "this type is only ever described")]
struct Problem {
    /// Names the kind of problem.
    r#type: String,
    /// The HTTP status in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What happened.
    detail: String,
    /// Stable and `snake_case`, for programs.
    code: String,
    /// What to do next, in one sentence.
    fix: String,
    /// To be quoted when asking for help.
    request_id: String,
    /// The Pin that was kept as failed.
    #[schemars(skip_serializing_if = "Option::is_none")]
    pin_id: Option<String>,
    /// The Pins that will be refused for the same: those that go to a board that is gone.
    #[schemars(skip_serializing_if = "Vec::is_empty")]
    pin_ids: Vec<String>,
    /// Which value is wrong.
    #[schemars(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

/// What the contract says about an operation.
struct Words {
    id: &'static str,
    summary: &'static str,
    request: Option<Schema>,
    answers: Vec<(&'static str, &'static str, Option<Schema>)>,
    query: &'static [(&'static str, &'static str)],
}

/// What is sent and what is answered are described apart: `null` and absent differ.
struct Schemas {
    requests: SchemaGenerator,
    answers: SchemaGenerator,
}

impl Schemas {
    fn all(mut self) -> Map<String, Value> {
        let mut all = self.requests.take_definitions(true);
        all.extend(self.answers.take_definitions(true));
        all
    }
}

const LIST: &[(&str, &str)] = &[
    ("cursor", "Where the page begins: `next` of the page before."),
    ("limit", "How many things the page holds: 50 unless given, at most 200."),
];
const LIST_PINS: &[(&str, &str)] = &[
    ("channel_id", "Only the Pins of this channel."),
    ("state", "Only Pins in this state: scheduled, sending, waiting, published, failed or cancelled."),
    ("cursor", "Where the page begins: `next` of the page before."),
    ("limit", "How many Pins the page holds: 50 unless given, at most 200."),
];
const VALIDATE: &[(&str, &str)] = &[(
    "fetch_media",
    "`true`: the hosts of the media are asked too, whether they have them and of what kind.",
)];
const BULK: &[(&str, &str)] = &[
    ("dry_run", "`true`: rows are checked, and nothing is kept."),
    ("channel_id", "The channel of rows that name none."),
];
const SECTIONS: &[(&str, &str)] = &[("sections", "`true`: with the sections of each board.")];
const DAYS: &[(&str, &str)] = &[
    ("from", "The first day, as YYYY-MM-DD in UTC: at most 89 days ago. 29 days before `to` unless given."),
    ("to", "The last day, which is included. Today unless given."),
    ("metrics", "Some of Pinterest's metrics by their names, separated by commas. All unless given."),
];
const TOP_PINS: &[(&str, &str)] = &[
    ("from", "The first day, as YYYY-MM-DD in UTC: at most 89 days ago. 29 days before `to` unless given."),
    ("to", "The last day, which is included. Today unless given."),
    ("metrics", "Some of Pinterest's metrics by their names, separated by commas. All unless given."),
    ("sort_by", "IMPRESSION unless given, ENGAGEMENT, PIN_CLICK, OUTBOUND_CLICK or SAVE."),
    ("limit", "How many Pins: 10 unless given, at most 50."),
];
const BACK: &[(&str, &str)] = &[
    ("code", "What the tokens are exchanged for, if the owner said yes."),
    ("state", "Ties the answer to the person who started."),
    ("error", "Why the owner said no."),
];

/// The OpenAPI 3.1 document of the API at `base_url`.
pub(crate) fn document(base_url: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut schemas = Schemas {
        requests: settings.clone().into_generator(),
        // What an answer always holds is promised, also where it may be `null`.
        answers: settings.for_serialize().into_generator(),
    };
    let problem = schemas.answers.subschema_for::<Problem>();
    let mut paths: Map<String, Value> = Map::new();
    for route in &ROUTES {
        let Some(words) = words(route.operation, &mut schemas) else {
            continue;
        };
        let described = describe(route, words, &problem);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.to_lowercase()] = described;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Pinwright",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Connect Pinterest accounts, publish and schedule Pins, keep every token alive.",
        },
        "servers": [{ "url": base_url }],
        "paths": paths,
        "components": {
            "schemas": schemas.all(),
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
            },
        },
    })
}

fn describe(route: &Route, words: Words, problem: &Schema) -> Value {
    let mut parameters: Vec<Value> = words
        .query
        .iter()
        .map(|(name, text)| {
            json!({"name": name, "in": "query", "description": text, "schema": {"type": "string"}})
        })
        .collect();
    if route.path.contains("{id}") {
        parameters.push(json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}));
    }
    if route.operation == Operation::CreatePin {
        parameters.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "description": "1 to 255 visible ASCII characters: the same key and the same body make one Pin.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }));
    }
    let mut answers: Map<String, Value> = Map::new();
    for (status, text, schema) in words.answers {
        let mut answer = json!({ "description": text });
        if let Some(schema) = schema {
            answer["content"] = json!({ "application/json": { "schema": schema } });
        }
        answers.insert(status.to_owned(), answer);
    }
    answers.insert(
        "default".to_owned(),
        json!({
            "description": "What went wrong, and what to do next.",
            "content": { "application/problem+json": { "schema": problem } },
        }),
    );
    // Two paths may lead to one operation, whose id must be unique.
    let alias = if route.path == crate::routes::CALLBACK_ALIAS { "_alias" } else { "" };
    let mut described = json!({
        "operationId": format!("{}{alias}", words.id),
        "summary": words.summary,
        "parameters": parameters,
        "responses": answers,
        "security": if route.access == Access::Open { json!([]) } else { json!([{ "token": [] }]) },
    });
    if route.access == Access::Admin {
        described["description"] = "Admins only.".into();
    }
    if route.operation == Operation::BulkPins {
        let row = schema_of_rows();
        described["requestBody"] = json!({
            "required": true,
            "content": { "application/x-ndjson": { "schema": row }, "text/csv": { "schema": row } },
        });
    }
    if let Some(schema) = words.request {
        described["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    }
    described
}

/// A file of rows has no JSON schema of its own.
fn schema_of_rows() -> Value {
    json!({
        "type": "string",
        "description": "JSON lines, each as for `create_pin`, or CSV with the columns channel_id, board_id, \
                        board_section_id, title, description, link, alt_text, dominant_color, media_url, publish_at, \
                        time_zone, publish_within, or those of Pinterest's own bulk upload.",
    })
}

/// `None` where there is nothing for programs.
#[expect(clippy::too_many_lines, reason = "one arm for each operation: a table")]
fn words(operation: Operation, schemas: &mut Schemas) -> Option<Words> {
    #[expect(clippy::unnecessary_wraps, reason = "every use wants an option")]
    fn of<T: JsonSchema>(schemas: &mut Schemas) -> Option<Schema> {
        Some(schemas.answers.subschema_for::<T>())
    }
    #[expect(clippy::unnecessary_wraps, reason = "every use wants an option")]
    fn sent<T: JsonSchema>(schemas: &mut Schemas) -> Option<Schema> {
        Some(schemas.requests.subschema_for::<T>())
    }
    let plain = |id, summary| Words { id, summary, request: None, answers: Vec::new(), query: &[] };
    let ok = |schema| vec![("200", "Done.", schema)];
    Some(match operation {
        Operation::ReadSettings => Words {
            answers: ok(of::<SettingsView>(schemas)),
            ..plain("read_settings", "The settings, where they come from, and whether the workers run")
        },
        Operation::SaveSettings => Words {
            request: sent::<SaveSettings>(schemas),
            answers: ok(of::<SettingsView>(schemas)),
            ..plain("save_settings", "Saves any of the settings")
        },
        Operation::TestCredentials => Words {
            answers: ok(of::<CredentialsTest>(schemas)),
            ..plain("test_credentials", "Asks Pinterest whether App ID and App Secret are right")
        },
        Operation::StartOAuth => Words {
            request: sent::<StartOAuth>(schemas),
            answers: ok(of::<Started>(schemas)),
            ..plain("start_oauth", "Where to send the browser to connect an account")
        },
        Operation::OAuthCallback => Words {
            answers: vec![("302", "Back to the frontend, with `#connection=` or `#error=`.", None)],
            query: BACK,
            ..plain("oauth_callback", "Where Pinterest sends the browser")
        },
        Operation::Claim => Words {
            request: sent::<Claim>(schemas),
            answers: vec![
                ("201", "A new channel.", of::<ChannelView>(schemas)),
                (
                    "200",
                    "The account was a channel already: it keeps its board and its queue.",
                    of::<ChannelView>(schemas),
                ),
            ],
            ..plain("claim_connection", "Makes a connection the caller's channel, once")
        },
        Operation::ListChannels => Words {
            answers: ok(of::<Page<ChannelView>>(schemas)),
            query: LIST,
            ..plain("list_channels", "The tenant's channels")
        },
        Operation::ReadChannel => {
            Words { answers: ok(of::<ChannelView>(schemas)), ..plain("read_channel", "One channel") }
        }
        Operation::ChangeChannel => Words {
            request: sent::<ChangeChannel>(schemas),
            answers: ok(of::<ChannelView>(schemas)),
            ..plain("change_channel", "Chooses the default board, which is checked at Pinterest")
        },
        Operation::DeleteChannel => Words {
            answers: ok(of::<Disconnected>(schemas)),
            ..plain("disconnect_channel", "Forgets the tokens at once and cancels queued Pins")
        },
        Operation::ListBoards => Words {
            answers: ok(of::<Page<BoardView>>(schemas)),
            query: SECTIONS,
            ..plain("list_boards", "All boards of the account")
        },
        Operation::CreateBoard => Words {
            request: sent::<CreateBoard>(schemas),
            answers: vec![
                ("201", "A new board.", of::<BoardView>(schemas)),
                ("200", "There is a board of this name already.", of::<BoardView>(schemas)),
            ],
            ..plain("create_board", "Makes a board")
        },
        Operation::CreatePin => Words {
            request: sent::<NewPin>(schemas),
            answers: vec![
                ("201", "The Pin is at Pinterest.", of::<PinView>(schemas)),
                ("202", "The Pin is scheduled, or waits; it is on its way.", of::<PinView>(schemas)),
            ],
            ..plain("create_pin", "Publishes a Pin now, or at its time")
        },
        Operation::ValidatePin => Words {
            request: sent::<NewPin>(schemas),
            answers: ok(of::<Validated>(schemas)),
            query: VALIDATE,
            ..plain("validate_pin", "Every check by its name; nothing is stored or sent")
        },
        Operation::BulkPins => Words {
            answers: ok(of::<BulkView>(schemas)),
            query: BULK,
            ..plain(
                "bulk_pins",
                "Takes up to 1,000 Pins as JSON lines or CSV; the next ticks send what is due",
            )
        },
        Operation::Upload => Words {
            request: sent::<NewUpload>(schemas),
            answers: vec![(
                "201",
                "Send the file there, with these headers, in time.",
                of::<UploadView>(schemas),
            )],
            ..plain("upload_media", "Where to send a file, straight to the stack's bucket")
        },
        Operation::ListPins => Words {
            answers: ok(of::<Page<PinView>>(schemas)),
            query: LIST_PINS,
            ..plain("list_pins", "The tenant's Pins, newest first")
        },
        Operation::ReadPin => Words {
            answers: ok(of::<PinView>(schemas)),
            ..plain("read_pin", "One Pin, with how it came here")
        },
        Operation::ChangePin => Words {
            request: sent::<ChangePin>(schemas),
            answers: ok(of::<PinView>(schemas)),
            ..plain("change_pin", "Edits or reschedules a Pin whose time has not come")
        },
        Operation::MovePins => Words {
            request: sent::<MovePins>(schemas),
            answers: ok(of::<MovedPins>(schemas)),
            ..plain("move_pins", "Gives all Pins of a board that are not yet sent to another board")
        },
        Operation::CancelPin => Words {
            answers: ok(of::<PinView>(schemas)),
            ..plain("cancel_pin", "Cancels a Pin that is not yet sent")
        },
        Operation::RetryPin => Words {
            answers: vec![("202", "It is sent with the next tick.", of::<PinView>(schemas))],
            ..plain("retry_pin", "Sends a failed Pin again")
        },
        Operation::ChannelAnalytics => Words {
            answers: ok(of::<ChannelAnalyticsView>(schemas)),
            query: DAYS,
            ..plain("channel_analytics", "How an account does, day by day, as Pinterest counts")
        },
        Operation::TopPins => Words {
            answers: ok(of::<TopPinsView>(schemas)),
            query: TOP_PINS,
            ..plain("top_pins", "The account's Pins that do best")
        },
        Operation::PinMetrics => Words {
            answers: ok(of::<PinMetricsView>(schemas)),
            query: LIST,
            ..plain("pin_metrics", "The account's Pins, each with how it did in 90 days and in all")
        },
        Operation::PinAnalytics => Words {
            answers: ok(of::<PinAnalyticsView>(schemas)),
            query: DAYS,
            ..plain("pin_analytics", "How a published Pin does, day by day, as Pinterest counts")
        },
        Operation::Health => {
            Words { answers: ok(of::<HealthView>(schemas)), ..plain("health", "Whether the API answers") }
        }
        Operation::OpenApi => Words {
            answers: vec![("200", "This document.", None)],
            ..plain("openapi", "The contract of the API")
        },
        Operation::Home | Operation::Page | Operation::PageFile => return None, // for people
    })
}
