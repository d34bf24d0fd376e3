//! Pinterest's official description, against which requests and our own answers are validated.

mod schema;

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use self::schema::{Direction, Schemas};
use crate::http::{Answer, Operation, Parameters, Refusal, Request};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// The optional parameters that have an effect. Another one is refused, unless it requests the default behaviour.
const FILTERS: [&str; 10] = [
    "bookmark",
    "creative_types",
    "end_date",
    "metric_types",
    "num_of_pins",
    "page_size",
    "pin_metrics",
    "privacy",
    "sort_by",
    "start_date",
];

static DESCRIPTION: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../contract/openapi.json")).unwrap_or_default());

/// Refuses a request that the description does not allow, and one with an unknown parameter or field.
pub(crate) fn check_request(operation: Operation, request: &Request) -> Result<(), Refusal> {
    find_fault(described(operation), request)
        .map_or(Ok(()), |fault| Err(Refusal::outside_contract(operation, fault)))
}

fn find_fault(described: &'static Value, request: &Request) -> Option<String> {
    check_query(described, &request.query).and_then(|()| check_body(described, request)).err()
}

fn check_body(described: &'static Value, request: &Request) -> Result<(), String> {
    let content = &described["requestBody"]["content"];
    let Some((content_type, content)) = content.as_object().and_then(|kinds| kinds.iter().next()) else {
        return Ok(());
    };
    let request_type = request.content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !request_type.eq_ignore_ascii_case(content_type) {
        return Err(format!("Content-Type must be {content_type}"));
    }
    let body = match content_type.as_str() {
        FORM => form(&Parameters::parse(request.body))?,
        _ => serde_json::from_slice(request.body).map_err(|error| format!("Invalid request: {error}"))?,
    };
    Schemas::new(&DESCRIPTION, Direction::Request).check(&content["schema"], &body, "body")
}

/// Refuses to send an answer that does not match the description.
pub(crate) fn check_answer(operation: Operation, answer: &Answer) -> Result<(), Refusal> {
    let of_status = &described(operation)["responses"][answer.status.as_str()];
    if of_status.is_null() {
        return Err(Refusal::broken_contract(operation, &format!("it has no {}", answer.status)));
    }
    let schema = &of_status["content"][JSON]["schema"];
    if schema.is_null() {
        return Ok(());
    }
    let body = serde_json::from_slice(&answer.body).unwrap_or_default();
    let checked = Schemas::new(&DESCRIPTION, Direction::Answer).check(schema, &body, "answer");
    checked.map_err(|fault| Refusal::broken_contract(operation, &fault))
}

/// The description's name of the rate limit for this operation, such as `org_write`.
pub(crate) fn rate_category(operation: Operation) -> &'static str {
    described(operation)["x-ratelimit-category"].as_str().unwrap_or_default()
}

fn described(operation: Operation) -> &'static Value {
    let (method, path) = operation.route();
    &DESCRIPTION["paths"][path][method.to_ascii_lowercase()]
}

fn check_query(described: &'static Value, query: &Parameters) -> Result<(), String> {
    let schemas = Schemas::new(&DESCRIPTION, Direction::Request);
    let parameters = described["parameters"].as_array().into_iter().flatten();
    let mut parameter_names = Vec::new();
    for parameter in parameters.map(|parameter| schemas.resolve(parameter)) {
        let Some(name) = parameter["name"].as_str().filter(|_| parameter["in"] == "query") else { continue };
        parameter_names.push(name);
        let values = query.all(name);
        if values.is_empty() {
            if parameter["required"] == true {
                return Err(format!("{name} is required"));
            }
            continue;
        }
        let schema = schemas.resolve(&parameter["schema"]);
        let value = typed(schema, &values, parameter["explode"] != false);
        schemas.check(schema, &value, name)?;
        if !FILTERS.contains(&name) && schema["default"] != value {
            return Err(format!("the simulated Pinterest does not have {name}"));
        }
    }
    match query.names().find(|name| !parameter_names.contains(name)) {
        Some(unknown) => Err(format!("{unknown} is not a parameter of this operation")),
        None => Ok(()),
    }
}

/// Converts the texts of a query to the type of the schema. A text that cannot be converted stays a text, which the schema
/// refuses.
fn typed(schema: &Value, texts: &[&str], is_repeated: bool) -> Value {
    let parse_value = |text: &str| match schema["type"].as_str() {
        Some("integer") => text.parse::<i64>().map_or_else(|_| json!(text), Value::from),
        Some("boolean") => text.parse::<bool>().map_or_else(|_| json!(text), Value::from),
        _ => json!(text),
    };
    match texts {
        [text] if schema["type"] != "array" => parse_value(text),
        _ if is_repeated => json!(texts),
        _ => texts.iter().flat_map(|text| text.split(',')).collect(),
    }
}

fn form(parameters: &Parameters) -> Result<Value, String> {
    let mut fields = Map::new();
    for name in parameters.names() {
        let [value] = parameters.all(name)[..] else {
            return Err(format!("{name} is given twice"));
        };
        fields.insert(name.to_owned(), json!(value));
    }
    Ok(Value::Object(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_the_api_is_described() {
        for operation in Operation::ALL {
            assert!(described(operation)["responses"].is_object(), "{operation:?}");
            assert!(rate_category(operation).starts_with("org_"), "{operation:?}");
        }
    }

    #[test]
    fn the_texts_of_a_query_become_values() {
        let list = json!({ "type": "array" });

        assert_eq!(typed(&json!({ "type": "integer" }), &["25"], true), 25);
        assert_eq!(typed(&json!({ "type": "boolean" }), &["yes"], true), "yes");
        assert_eq!(typed(&list, &["SAVE,PIN_CLICK"], false), json!(["SAVE", "PIN_CLICK"]));
        assert_eq!(typed(&list, &["VIDEO"], true), json!(["VIDEO"]));
    }
}
