//! The part of OpenAPI 3.0's schemas that the description uses.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// The direction of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// To Pinterest: an unknown field, or one that is for answers only, is refused.
    Request,
    /// From Pinterest: there may be more fields.
    Answer,
}

/// Checks values by the schemas of a document.
#[derive(Clone, Copy)]
pub(super) struct Schemas<'a> {
    document: &'a Value,
    direction: Direction,
}

/// The fields that the parts of a schema name together.
#[derive(Default)]
struct Fields<'a> {
    names: BTreeSet<&'a str>,
    /// Whether there may be others.
    is_open: bool,
}

impl<'a> Schemas<'a> {
    pub(super) fn new(document: &'a Value, direction: Direction) -> Self {
        Self { document, direction }
    }

    /// What `part` refers to, or `part`.
    pub(super) fn resolve(&self, part: &'a Value) -> &'a Value {
        part["$ref"].as_str().and_then(|reference| self.target(reference)).unwrap_or(part)
    }

    /// Returns the first error in `value`, which is at the path `at`.
    pub(super) fn check(&self, schema: &'a Value, value: &Value, at: &str) -> Result<(), String> {
        let schema = self.resolve(schema);
        if value.is_null() {
            let may_be_null = schema["nullable"] == true || *schema == json!({});
            return if may_be_null { Ok(()) } else { Err(format!("{at} must not be null")) };
        }
        let whole = self.branch(schema, value, at)?.unwrap_or(schema);
        let mut fields = Fields::default();
        self.check_part(whole, value, at, &mut fields)?;
        let is_closed = self.direction == Direction::Request && !fields.is_open && !fields.names.is_empty();
        let mut value_fields = value.as_object().into_iter().flatten().filter(|_| is_closed);
        match value_fields.find(|(name, _)| !fields.names.contains(name.as_str())) {
            Some((name, _)) => Err(format!("{at}.{name} is not a field that is known")),
            None => Ok(()),
        }
    }

    fn target(&self, reference: &str) -> Option<&'a Value> {
        self.document.pointer(reference.strip_prefix('#')?)
    }

    /// The one of several schemas that the value itself names.
    fn branch(&self, schema: &'a Value, value: &Value, at: &str) -> Result<Option<&'a Value>, String> {
        let Some(name) = schema["discriminator"]["propertyName"].as_str() else { return Ok(None) };
        let chosen = value[name]
            .as_str()
            .and_then(|chosen| self.target(schema["discriminator"]["mapping"][chosen].as_str()?));
        chosen.map(Some).ok_or_else(|| format!("{at}.{name} is not one of those supported"))
    }

    fn check_part(
        &self,
        schema: &'a Value,
        value: &Value,
        at: &str,
        fields: &mut Fields<'a>,
    ) -> Result<(), String> {
        let schema = self.resolve(schema);
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.check_part(part, value, at, fields)?;
        }
        let any = ["oneOf", "anyOf"].into_iter().find_map(|any| schema[any].as_array());
        if any.is_some_and(|any| any.iter().all(|branch| self.check(branch, value, at).is_err())) {
            return Err(format!("{at} is none of those that may be here"));
        }
        check_kind(schema, value, at)?;
        match value {
            Value::String(text) => check_text(schema, text, at),
            Value::Array(items) => {
                check_count(schema, "minItems", "maxItems", items.len(), at)?;
                let mut items = items.iter().enumerate().filter(|_| schema.get("items").is_some());
                items.try_for_each(|(place, item)| {
                    self.check(&schema["items"], item, &format!("{at}[{place}]"))
                })
            }
            Value::Object(_) => self.check_fields(schema, value, at, fields),
            other => check_number(schema, other.as_f64().unwrap_or_default(), at),
        }
    }

    fn check_fields(
        &self,
        schema: &'a Value,
        value: &Value,
        at: &str,
        fields: &mut Fields<'a>,
    ) -> Result<(), String> {
        let mut required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        if let Some(missing) = required.find(|name| value.get(name).is_none()) {
            return Err(format!("{at}.{missing} is required"));
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if self.direction == Direction::Request && property["readOnly"] == true {
                continue;
            }
            fields.names.insert(name);
            if let Some(value) = value.get(name) {
                self.check(property, value, &format!("{at}.{name}"))?;
            }
        }
        let others = &schema["additionalProperties"];
        fields.is_open |= others.is_object() || *others == true;
        for (name, value) in value.as_object().into_iter().flatten().filter(|_| others.is_object()) {
            if schema["properties"].get(name).is_none() {
                self.check(others, value, &format!("{at}.{name}"))?;
            }
        }
        Ok(())
    }
}

fn check_kind(schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let is_right = match schema["type"].as_str() {
        None => true,
        Some("boolean") => value.is_boolean(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some(other) => return Err(format!("{at}: there is no type {other}")),
    };
    if !is_right {
        return Err(format!("{at} is not of type {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
        return Err(format!("{at} is not one of {}", schema["enum"]));
    }
    Ok(())
}

fn check_text(schema: &Value, text: &str, at: &str) -> Result<(), String> {
    check_count(schema, "minLength", "maxLength", text.chars().count(), at)?;
    match schema["pattern"].as_str() {
        Some(pattern) if !matches(pattern, text) => Err(format!("{at} does not match '{pattern}'")),
        _ => Ok(()),
    }
}

fn check_count(schema: &Value, minimum: &str, maximum: &str, count: usize, at: &str) -> Result<(), String> {
    let limit = |name: &str| schema[name].as_u64().and_then(|limit| usize::try_from(limit).ok());
    match (limit(minimum), limit(maximum)) {
        (Some(limit), _) if count < limit => Err(format!("{at}: {minimum}={limit}")),
        (_, Some(limit)) if count > limit => Err(format!("{at}: {maximum}={limit}")),
        _ => Ok(()),
    }
}

fn check_number(schema: &Value, number: f64, at: &str) -> Result<(), String> {
    match (schema["minimum"].as_f64(), schema["maximum"].as_f64()) {
        (Some(limit), _) if number < limit => Err(format!("{at}: minimum={limit}")),
        (_, Some(limit)) if number > limit => Err(format!("{at}: maximum={limit}")),
        _ => Ok(()),
    }
}

/// The description has two patterns. One that is not known here matches nothing, so that a newer one is noticed.
fn matches(pattern: &str, text: &str) -> bool {
    let all = |is_right: fn(&u8) -> bool| !text.is_empty() && text.bytes().all(|byte| is_right(&byte));
    match pattern {
        r"^\d+$" => all(u8::is_ascii_digit),
        "^[a-zA-Z0-9+/=]+$" => all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        json!({ "components": { "schemas": {
            "Base": { "properties": { "id": { "type": "string", "pattern": "^\\d+$", "readOnly": true } } },
            "Source": {
                "discriminator": { "propertyName": "kind", "mapping": { "url": "#/components/schemas/Url" } },
                "oneOf": [{ "$ref": "#/components/schemas/Url" }],
            },
            "Url": {
                "type": "object", "required": ["kind", "url"],
                "properties": { "kind": { "type": "string", "enum": ["url"] }, "url": { "type": "string" } },
            },
            "Pin": {
                "type": "object",
                "allOf": [{ "$ref": "#/components/schemas/Base" }],
                "properties": {
                    "title": { "type": "string", "maxLength": 3, "nullable": true },
                    "source": { "$ref": "#/components/schemas/Source" },
                    "counts": { "type": "object", "additionalProperties": { "type": "integer", "minimum": 0 } },
                    "list": { "type": "array", "minItems": 2, "items": { "type": "number" } },
                },
            },
        } } })
    }

    fn fault(direction: Direction, value: &Value) -> Result<(), String> {
        let (document, schema) = (document(), json!({ "$ref": "#/components/schemas/Pin" }));
        Schemas::new(&document, direction).check(&schema, value, "pin")
    }

    #[test]
    fn a_value_of_the_schema_passes_in_both_directions() {
        let valid = json!({
            "title": "ääü", "source": { "kind": "url", "url": "a" }, "counts": { "a": 1 }, "list": [1, 2.5],
        });
        for value in [json!({}), json!({ "title": null }), valid] {
            assert_eq!(fault(Direction::Request, &value), Ok(()));
            assert_eq!(fault(Direction::Answer, &value), Ok(()));
        }
    }

    #[test]
    fn each_rule_is_checked_and_the_fault_has_a_place() {
        for (value, expected) in [
            (json!(null), "pin must not be null"),
            (json!([]), "pin is not of type"),
            (json!({ "title": 5 }), "pin.title is not of type"),
            (json!({ "title": "abcd" }), "pin.title: maxLength=3"),
            (json!({ "source": {} }), "pin.source.kind is not one of those supported"),
            (json!({ "source": { "kind": "file" } }), "pin.source.kind is not one of those supported"),
            (json!({ "source": { "kind": "url" } }), "pin.source.url is required"),
            (json!({ "counts": { "a": -1 } }), "pin.counts.a: minimum=0"),
            (json!({ "counts": { "a": 1.5 } }), "pin.counts.a is not of type"),
            (json!({ "list": [1] }), "pin.list: minItems=2"),
            (json!({ "list": [1, "2"] }), "pin.list[1] is not of type"),
        ] {
            for direction in [Direction::Request, Direction::Answer] {
                let fault = fault(direction, &value).unwrap_err();
                assert!(fault.starts_with(expected), "{value}: {fault}");
            }
        }
    }

    #[test]
    fn a_request_has_no_other_fields_and_an_answer_may_have_them() {
        for value in [json!({ "tilte": "a" }), json!({ "source": { "kind": "url", "url": "a", "uri": "b" } })]
        {
            assert!(fault(Direction::Request, &value).unwrap_err().contains("is not a field that is known"));
            assert_eq!(fault(Direction::Answer, &value), Ok(()));
        }
        assert!(fault(Direction::Request, &json!({ "id": "1" })).is_err(), "only Pinterest gives ids");
        assert_eq!(fault(Direction::Answer, &json!({ "id": "1" })), Ok(()));
        assert!(fault(Direction::Answer, &json!({ "id": "x" })).is_err());
    }
}
