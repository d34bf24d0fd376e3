//! The description of an operation in the contract.

use schemars::{JsonSchema, Schema, SchemaGenerator};

/// Makes the schema of a type.
pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// The schema of `T`, which the contract contains once.
pub(crate) fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// Any JSON object.
pub(crate) fn any_object(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "object" })
}

/// An operation in the contract.
#[derive(Clone, Debug)]
pub(crate) struct Contract {
    /// The name of the operation: stable, in `snake_case`.
    pub(crate) id: &'static str,
    /// The group that lists it.
    pub(crate) tag: &'static str,
    /// What it does, in one sentence.
    pub(crate) summary: &'static str,
    /// The body of the request.
    pub(crate) body: RequestBody,
    /// The answers of a success.
    pub(crate) answers: Vec<Answer>,
    /// The statuses of its own problems, in addition to those of every operation of its kind.
    pub(crate) problems: &'static [u16],
}

/// The body of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RequestBody {
    /// Nothing.
    None,
    /// A JSON object.
    Json(SchemaOf),
    /// A JSON object. Without a body, it counts as empty.
    OptionalJson(SchemaOf),
    /// A file of rows.
    Rows,
}

/// A successful answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) meaning: &'static str,
    pub(crate) body: AnswerBody,
}

/// The body of the answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AnswerBody {
    /// Nothing.
    None,
    /// JSON.
    Json(SchemaOf),
    /// A file of rows.
    Csv,
}

impl Answer {
    pub(crate) fn new(status: u16, meaning: &'static str, schema: SchemaOf) -> Self {
        Self { status, meaning, body: AnswerBody::Json(schema) }
    }
}

/// The only answer of most operations.
pub(crate) fn done(schema: SchemaOf) -> Vec<Answer> {
    vec![Answer::new(200, "Done.", schema)]
}
