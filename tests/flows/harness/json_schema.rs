//! The part of JSON Schema that the contract uses. It checks bodies and answers.

use jiff::Timestamp;
use serde_json::{Value, json};

/// The schema that a `$ref` points to.
pub(crate) fn target<'a>(document: &'a Value, reference: &str) -> Option<&'a Value> {
    document.pointer(reference.strip_prefix('#')?)
}

/// A part of the document, or what it points to.
pub(crate) fn resolved<'a>(document: &'a Value, part: &'a Value) -> &'a Value {
    part["$ref"].as_str().and_then(|reference| target(document, reference)).unwrap_or(part)
}

/// A small part of JSON Schema with one more rule: a property that the schema does not name is an error.
pub(crate) struct Schemas<'a>(pub(crate) &'a Value);

impl Schemas<'_> {
    /// All errors of `value`, each with its place.
    pub(crate) fn faults(&self, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        if *schema == json!(true) {
            return Vec::new();
        }
        let mut faults = Vec::new();
        if let Some(reference) = schema["$ref"].as_str() {
            match target(self.0, reference) {
                Some(schema) => faults.extend(self.faults(schema, value, at)),
                None => faults.push(format!("{at}: {reference} leads nowhere")),
            }
        }
        for any in ["anyOf", "oneOf"] {
            if let Some(branches) = schema[any].as_array() {
                let tried: Vec<_> = branches.iter().map(|branch| self.faults(branch, value, at)).collect();
                if !tried.iter().any(Vec::is_empty) {
                    faults.push(format!("{at}: none of {any} takes {value}: {tried:?}"));
                }
            }
        }
        for all in schema["allOf"].as_array().into_iter().flatten() {
            faults.extend(self.faults(all, value, at));
        }
        let types: Vec<_> = match &schema["type"] {
            Value::String(name) => vec![name.as_str()],
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if !types.is_empty() && !types.iter().any(|name| is_of(value, name)) {
            faults.push(format!("{at}: {value} is not {types:?}"));
        }
        if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
            faults.push(format!("{at}: {value} is not one of {}", schema["enum"]));
        }
        if schema.get("const").is_some_and(|only| only != value) {
            faults.push(format!("{at}: {value} is not {}", schema["const"]));
        }
        if let (Some(minimum), Some(number)) = (schema["minimum"].as_f64(), value.as_f64())
            && number < minimum
        {
            faults.push(format!("{at}: {number} is less than {minimum}"));
        }
        if let Some(text) = value.as_str() {
            if schema["format"] == "date-time" && text.parse::<Timestamp>().is_err() {
                faults.push(format!("{at}: {text} is not a time"));
            }
            let length = u64::try_from(text.chars().count()).unwrap();
            if schema["maxLength"].as_u64().is_some_and(|maximum| maximum < length) {
                faults.push(format!("{at}: {text} is too long"));
            }
        }
        match value {
            Value::Array(items) => {
                for (number, item) in items.iter().enumerate() {
                    faults.extend(self.faults(&schema["items"], item, &format!("{at}[{number}]")));
                }
            }
            Value::Object(fields) if schema["properties"].is_object() => {
                for (name, value) in fields {
                    let at = format!("{at}.{name}");
                    match schema["properties"].get(name) {
                        Some(schema) => faults.extend(self.faults(schema, value, &at)),
                        None => faults.push(format!("{at} is not in the contract")),
                    }
                }
            }
            _ => {}
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if value.is_object() && value.get(name).is_none() {
                faults.push(format!("{at}.{name} is missing"));
            }
        }
        faults
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type of JSON Schema: {other}"),
    }
}

#[test]
fn the_schema_check_finds_wrong_answers() {
    let document = json!({"components": {"schemas": {"Name": {"type": "string", "maxLength": 3}}}});
    let schema = json!({
        "type": "object",
        "properties": {
            "name": {"$ref": "#/components/schemas/Name"},
            "kind": {"anyOf": [{"enum": ["a", "b"]}, {"type": "null"}]},
            "list": {"type": "array", "items": {"type": "integer", "minimum": 0}},
            "at": {"type": ["string", "null"], "format": "date-time"},
        },
        "required": ["name"],
    });
    let faults = |value: Value| Schemas(&document).faults(&schema, &value, "x").len();
    assert_eq!(faults(json!({"name": "abc", "kind": "a", "list": [1], "at": null})), 0);
    for bad in [
        json!({}),
        json!([]),
        json!({"name": null}),
        json!({"name": "abcd"}),
        json!({"name": "abc", "other": 1}),
        json!({"name": "abc", "kind": "c"}),
        json!({"name": "abc", "list": [1, "2"]}),
        json!({"name": "abc", "list": [1.5]}),
        json!({"name": "abc", "list": [-1]}),
        json!({"name": "abc", "at": "noon"}),
    ] {
        assert_eq!(faults(bad.clone()), 1, "{bad}");
    }
}
