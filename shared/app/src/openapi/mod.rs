//! The contract (`/openapi.json`), generated from the declared operations and from the types that handlers read and write.

mod examples;
mod schemas;
mod webhooks;

use edge::{Access, query::Parameter};
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{
    contract::{AnswerBody, Contract, RequestBody},
    operations::{Endpoint, endpoints},
    vocabulary::{ChannelMetric, PinListSort, PinMetric, PinSort, PinState, ProblemCode},
};

/// What went wrong, and what to do next (RFC 9457).
#[derive(JsonSchema)]
#[expect(dead_code, reason = "this type is only described")]
struct Problem {
    /// Names the kind of problem.
    #[schemars(url)]
    r#type: String,
    /// The name of the HTTP status.
    title: String,
    /// The HTTP status.
    #[schemars(range(min = 400, max = 599))]
    status: u16,
    /// What happened.
    detail: String,
    /// For programs.
    #[schemars(with = "ProblemCode")]
    code: String,
    /// What to do next, in one sentence.
    fix: String,
    /// Give it to the operator when you ask for help.
    request_id: String,
    /// The Pin that was stored as failed.
    #[schemars(with = "domain::PinId", skip_serializing_if = "Option::is_none")]
    pin_id: Option<String>,
    /// The channel's other Pins that go to the same board, which is gone.
    #[schemars(with = "Vec<domain::PinId>", skip_serializing_if = "Vec::is_empty")]
    pin_ids: Vec<String>,
    /// Which field or parameter is wrong.
    #[schemars(with = "String", skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// The values in the sentences, by name, so that a frontend can say them in its own language.
    #[schemars(with = "domain::Params", skip_serializing_if = "Option::is_none")]
    params: Option<domain::Params>,
}

/// An answer of API Gateway itself, before a function is called.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "this type is only described")]
struct GatewayMessage {
    /// What happened.
    message: String,
}

/// Requests and answers have separate schemas, because they treat `null` and absent fields differently.
struct Schemas {
    requests: SchemaGenerator,
    answers: SchemaGenerator,
}

/// The groups of operations, with a description of each.
const TAGS: [(&str, &str); 9] = [
    ("Settings", "The integration with Pinterest, for admins."),
    ("Connecting", "Connecting a Pinterest account by OAuth."),
    ("Channels", "Connected Pinterest accounts and their boards."),
    ("Pins", "Publishing, scheduling and following Pins."),
    ("Media", "Files for Pins."),
    ("Limits", "What a tenant may use, so that no tenant stops the others."),
    ("Analytics", "Analytics of accounts and Pins, as Pinterest counts them."),
    ("Events", "What the event bus delivers."),
    ("Service", "Whether the API answers, this document, and what problems mean."),
];

const DESCRIPTION: &str = "\
Connects Pinterest accounts, publishes and schedules Pins, and keeps every token alive.\n\n\
Every operation needs `Authorization: Bearer <token>`, except the open ones. The tenant comes from the token, and what \
belongs to another tenant answers 404. Unknown fields and unknown query parameters are refused. Every error is a problem \
document (RFC 9457): `code` is for programs, `fix` says what to do next. A list is read page by page: send `next` as \
`cursor` until it is `null`. Times are RFC 3339 in UTC. Every answer has an `x-request-id`, which is yours if you send one.\n\n\
Within `v1`, fields, codes and other words may be added; none is removed and none changes its meaning.";

/// The OpenAPI 3.1 document of the API at `base_url`.
pub(crate) fn document(base_url: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut schemas = Schemas {
        requests: settings.clone().into_generator(),
        // A field that is always in an answer is `required`, even if it may be `null`.
        answers: settings.for_serialize().into_generator(),
    };
    let answers = &mut schemas.answers;
    let problem = answers.subschema_for::<Problem>();
    let message = answers.subschema_for::<GatewayMessage>();
    let either = json!({
        "description": "A problem, or what API Gateway says itself.",
        "oneOf": [problem, message],
    });
    // The schemas that parameters refer to.
    answers.subschema_for::<PinState>();
    answers.subschema_for::<ChannelMetric>();
    answers.subschema_for::<PinMetric>();
    answers.subschema_for::<PinSort>();
    answers.subschema_for::<PinListSort>();
    let mut paths: Map<String, Value> = Map::new();
    for endpoint in endpoints() {
        let Some(contract) = &endpoint.contract else { continue };
        let operation = operation(&endpoint, contract, &mut schemas);
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        path[endpoint.method.to_lowercase()] = operation;
    }
    let webhooks = webhooks::webhooks(&mut schemas.answers);
    let mut responses = Map::new();
    for status in [400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 502, 503] {
        responses.insert(name(status).to_owned(), failure(status, &problem));
    }
    let tags = TAGS.map(|(name, description)| json!({ "name": name, "description": description }));
    let mut components = schemas.requests.take_definitions(true);
    components.extend(schemas.answers.take_definitions(true));
    components.insert("ProblemOrMessage".to_owned(), either);
    schemas::tidy(&mut components);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Pinwright",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Connect Pinterest accounts, publish and schedule Pins, keep every token alive.",
            "description": DESCRIPTION,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": base_url }],
        "tags": tags,
        "paths": paths,
        "webhooks": webhooks,
        "components": {
            "schemas": components,
            "responses": responses,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "An access token of the stack's issuer, which API Gateway checks (RFC8725).",
                },
                "admin_token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The same with the admin scope or the admin group (RFC8725).",
                },
            },
        },
    })
}

fn operation(endpoint: &Endpoint, contract: &Contract, schemas: &mut Schemas) -> Value {
    let mut responses: Map<String, Value> = Map::new();
    for answer in &contract.answers {
        let mut response = json!({ "description": answer.meaning });
        match answer.body {
            AnswerBody::None => {}
            AnswerBody::Json(schema) => {
                let (schema, example) =
                    (schema(&mut schemas.answers), examples::answer(contract.id, answer.status));
                response["content"] = json!({ "application/json": { "schema": schema, "example": example } });
            }
            AnswerBody::Csv => {
                let schema = json!({ "type": "string" });
                response["content"] = json!({ "text/csv": { "schema": schema, "example": examples::CSV } });
            }
        }
        if let Some(links) = links(contract.id) {
            response["links"] = links;
        }
        let located = match (answer.status, contract.id) {
            (302, _) => Some(("Where the browser goes.", json!({ "type": "string", "format": "uri" }))),
            (201 | 202, "create_pin" | "claim_connection") => {
                Some(("Where it is read: a path.", json!({ "type": "string" })))
            }
            _ => None,
        };
        if let Some((text, schema)) = located {
            response["headers"] = json!({ "Location": { "description": text, "schema": schema } });
        }
        responses.insert(answer.status.to_string(), response);
    }
    for status in problems(endpoint, contract) {
        let reference = format!("#/components/responses/{}", name(status));
        responses.insert(status.to_string(), json!({ "$ref": reference }));
    }
    // Two paths may lead to one operation, whose id must be unique.
    let alias = if endpoint.path == edge::CALLBACK_ALIAS { "_alias" } else { "" };
    let mut operation = json!({
        "operationId": format!("{}{alias}", contract.id),
        "summary": contract.summary,
        "tags": [contract.tag],
        "parameters": parameters_of(endpoint, contract),
        "responses": responses,
        "security": match endpoint.access {
            Access::Open => json!([]),
            Access::User => json!([{ "token": [] }]),
            Access::Admin => json!([{ "admin_token": [] }]),
        },
    });
    if endpoint.access == Access::Admin {
        operation["description"] = "Admins only.".into();
    }
    let mut json_body = |required: bool, schema: crate::contract::SchemaOf| {
        let (schema, example) = (schema(&mut schemas.requests), examples::request(contract.id));
        json!({
            "required": required,
            "content": { "application/json": { "schema": schema, "example": example } },
        })
    };
    match contract.body {
        RequestBody::None => {}
        RequestBody::Json(schema) => operation["requestBody"] = json_body(true, schema),
        RequestBody::OptionalJson(schema) => operation["requestBody"] = json_body(false, schema),
        RequestBody::Rows => {
            operation["requestBody"] = json!({ "required": true, "content": rows() });
        }
    }
    operation
}

/// The links to further operations on the Pin or the channel that an operation returns.
fn links(operation: &str) -> Option<Value> {
    let (collection, id) = match operation {
        "create_pin" => ("/api/v1/pins/{id}", "$response.body#/id"),
        "list_pins" => ("/api/v1/pins/{id}", "$response.body#/items/0/id"),
        "claim_connection" => ("/api/v1/channels/{id}", "$response.body#/id"),
        "list_channels" => ("/api/v1/channels/{id}", "$response.body#/items/0/id"),
        _ => return None,
    };
    let next = endpoints().into_iter().filter(|endpoint| endpoint.path.starts_with(collection));
    let link = |operation| (operation, json!({ "operationId": operation, "parameters": { "id": id } }));
    Some(
        next.filter_map(|endpoint| endpoint.operation_id())
            .map(link)
            .map(|(name, link)| (name.to_owned(), link))
            .collect(),
    )
}

/// The statuses of the problems that an operation can answer.
fn problems(endpoint: &Endpoint, contract: &Contract) -> Vec<u16> {
    // API Gateway can answer 429 and 503 before any function is asked.
    let mut all = vec![429, 500, 503];
    all.extend(contract.problems);
    if endpoint.query.is_strict() {
        all.push(422);
    }
    if endpoint.access != Access::Open {
        all.extend([401, 403]);
    }
    if !matches!(contract.body, RequestBody::None) {
        all.extend([400, 413]);
    }
    if endpoint.path.contains("{id}") {
        all.push(404);
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// What a status means, in one sentence.
fn meaning(status: u16) -> &'static str {
    match status {
        400 => "The body cannot be read.",
        401 => "There is no valid token.",
        403 => "The token names no tenant, or is not an admin's.",
        404 => "There is no such thing, or it belongs to another tenant.",
        409 => "It is not possible in the current state.",
        413 => "The body, or a file, is too large.",
        415 => "The `Content-Type` is not accepted here.",
        422 => "A value breaks a rule, or Pinterest refused for good.",
        429 => "Too many requests: at Pinterest, at the API, or of one tenant.",
        502 => "Pinterest did not answer.",
        503 => "Not now: try again after `Retry-After`.",
        _ => "A fault of the stack.",
    }
}

fn parameters_of(endpoint: &Endpoint, contract: &Contract) -> Vec<Value> {
    let mut all: Vec<_> = endpoint.query.parameters.iter().map(Parameter::described).collect();
    if endpoint.path.contains("{id}") {
        let (schema, text) = match endpoint.path.split('/').rev().find(|part| !part.starts_with('{')) {
            Some("problems") => ("ProblemCode", "The code."),
            _ if endpoint.path.starts_with("/api/v1/channels/") => ("ChannelId", "The channel."),
            _ if endpoint.path.starts_with("/api/v1/media/") => ("MediaId", "The file."),
            _ => ("PinId", "The Pin."),
        };
        all.push(json!({
            "name": "id",
            "in": "path",
            "required": true,
            "description": text,
            "schema": { "$ref": format!("#/components/schemas/{schema}") },
        }));
    }
    if contract.id == "create_pin" {
        all.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": false,
            "description": "1 to 255 visible ASCII characters: the same key with the same body creates one Pin.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
        }));
    }
    all
}

/// The name of a failure in the contract.
fn name(status: u16) -> &'static str {
    match status {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        413 => "ContentTooLarge",
        415 => "UnsupportedMediaType",
        422 => "UnprocessableContent",
        429 => "TooManyRequests",
        502 => "BadGateway",
        503 => "ServiceUnavailable",
        _ => "InternalServerError",
    }
}

fn failure(status: u16, problem: &Schema) -> Value {
    let example = examples::problem(status);
    let mut response = json!({
        "description": meaning(status),
        "content": { "application/problem+json": { "schema": problem, "example": example } },
    });
    if matches!(status, 401 | 429 | 503) {
        // On AWS, API Gateway also answers with these statuses, in a form of its own. Most generators read one content type
        // only, so both content types must allow both forms.
        let either = json!({ "$ref": "#/components/schemas/ProblemOrMessage" });
        response["content"]["application/problem+json"]["schema"] = either.clone();
        response["content"]["application/json"] =
            json!({ "schema": either, "example": { "message": examples::gateway(status) } });
    }
    if status == 401 {
        let text = "A token is required (RFC 6750).";
        response["headers"] =
            json!({ "WWW-Authenticate": { "description": text, "schema": { "type": "string" } } });
    }
    if matches!(status, 429 | 503) {
        let text = "After how many seconds to try again, if that is known.";
        let schema = json!({ "type": "integer", "format": "int32", "minimum": 1 });
        response["headers"] = json!({ "Retry-After": { "description": text, "schema": schema } });
        if status == 429 {
            for (name, text) in [
                (
                    "RateLimit-Policy",
                    "The limit that is reached: its name, amount (`q`) and window in seconds (`w`).",
                ),
                ("RateLimit", "What is left of it (`r`), and after how many seconds there is more (`t`)."),
            ] {
                response["headers"][name] = json!({ "description": text, "schema": { "type": "string" } });
            }
        }
    }
    response
}

/// A file of rows has no JSON schema of its own.
fn rows() -> Value {
    let most = edge::MAX_BODY_BYTES;
    let schema = |text: &str| json!({ "type": "string", "maxLength": most, "description": text });
    json!({
        "application/x-ndjson": {
            "schema": schema("JSON lines: in each line one object as for `create_pin`."),
            "example": examples::JSON_LINES,
        },
        "text/csv": {
            "schema": schema(
                "CSV with the columns of Pinterest's own bulk upload (Title, Media URL, Pinterest board, Thumbnail, \
                 Description, Link, Publish date, Keywords), and channel_id, board_id, board_section_id, alt_text, \
                 dominant_color, ai_disclosures, time_zone and publish_within."
            ),
            "example": examples::CSV,
        },
    })
}
