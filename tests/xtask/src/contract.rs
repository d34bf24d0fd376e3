//! What another version of Pinterest's official description changes for the operations that the project uses.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::{Map, Value, json};

use crate::yaml;

/// The part of the description that is committed. The simulated Pinterest holds itself and its callers to it.
const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../local/pinterest/contract/openapi.json");

const METHODS: [&str; 4] = ["get", "post", "patch", "delete"];

/// Words for people: they change often, and change nothing.
const WORDS: [&str; 7] =
    ["description", "summary", "title", "example", "examples", "externalDocs", "x-codeSamples"];

/// Prints what `newer` changes, or writes its part of it over the committed one.
pub(crate) fn run(newer: &str, write: bool) -> Result<(), String> {
    let committed = parse_file(Path::new(COMMITTED))?;
    let newer = part(&parse_file(Path::new(newer))?, &committed)?;
    if write {
        let text = serde_json::to_string_pretty(&newer).map_err(|error| error.to_string())?;
        return fs::write(COMMITTED, text + "\n").map_err(|error| format!("{COMMITTED}: {error}"));
    }
    let version = |document: &Value| document["info"]["version"].as_str().unwrap_or_default().to_owned();
    println!("from {} to {}", version(&committed), version(&newer));
    for change in changes(&committed, &newer) {
        println!("{change}");
    }
    Ok(())
}

fn parse_file(file: &Path) -> Result<Value, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    yaml::parse(&text)
}

/// The part of `whole` that has the operations of `committed`, and all that they refer to.
fn part(document: &Value, committed: &Value) -> Result<Value, String> {
    let mut references = BTreeSet::new();
    let mut paths = Map::new();
    for (path, method) in operations(committed) {
        let operation = &document["paths"][&path][&method];
        if operation.is_object() {
            paths.entry(path).or_insert_with(|| json!({}))[&method] =
                without_words(operation, &mut references);
        }
    }
    let mut part = json!({
        "openapi": document["openapi"], "info": document["info"], "servers": document["servers"], "paths": paths,
        "components": { "securitySchemes": document["components"]["securitySchemes"] },
    });
    while let Some(reference) = references.pop_first() {
        let pointer = reference.strip_prefix('#').unwrap_or_default();
        if part.pointer(pointer).is_some() {
            continue;
        }
        let target = document.pointer(pointer).ok_or_else(|| format!("{reference} leads nowhere"))?;
        let names: Vec<&str> = pointer.split('/').skip(1).collect();
        let [components, kind, name] = names[..] else { return Err(format!("{reference} is not known")) };
        part[components][kind][name] = without_words(target, &mut references);
    }
    Ok(part)
}

fn operations(document: &Value) -> Vec<(String, String)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let methods = paths.flat_map(|(path, item)| {
        let methods = METHODS.into_iter().filter(|method| item[*method].is_object());
        methods.map(|method| (path.clone(), method.to_owned()))
    });
    methods.collect()
}

/// `value` without words for people. What it refers to is added to `references`.
fn without_words(value: &Value, references: &mut BTreeSet<String>) -> Value {
    match value {
        Value::Object(fields) => {
            // A property may have the name of such a word: then it is an object.
            let kept_fields = fields.iter().filter(|(name, value)| {
                !(WORDS.contains(&name.as_str()) && (value.is_string() || name.starts_with("ex")))
            });
            kept_fields.map(|(name, value)| (name.clone(), without_words(value, references))).collect()
        }
        Value::Array(items) => items.iter().map(|item| without_words(item, references)).collect(),
        Value::String(text) if text.starts_with("#/components/") => {
            references.insert(text.clone());
            value.clone()
        }
        other => other.clone(),
    }
}

/// One line for each operation, parameter, field and answer that is new, gone or another.
fn changes(old: &Value, new: &Value) -> Vec<String> {
    let (old, new) = (all_lines(old), all_lines(new));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let change = |name: &String| match (old.get(name), new.get(name)) {
        (Some(old), Some(new)) if old == new => None,
        (Some(old), Some(new)) => Some(format!("~ {name}: {old} -> {new}")),
        (Some(old), None) => Some(format!("- {name}: {old}")),
        (None, Some(new)) => Some(format!("+ {name}: {new}")),
        (None, None) => None,
    };
    names.into_iter().filter_map(change).collect()
}

type Lines = BTreeMap<String, String>;

/// What each place of the description says, whatever the schemas behind it are called and made of.
fn all_lines(document: &Value) -> Lines {
    let mut lines = Lines::new();
    for (path, method) in operations(document) {
        let operation = &document["paths"][&path][&method];
        let at = format!("{} {path}", method.to_uppercase());
        let scopes = operation["security"].to_string();
        lines.insert(at.clone(), format!("security {scopes}, sandbox {}", operation["x-sandbox"]));
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let parameter = resolved(document, parameter);
            let (place, name) = (&parameter["in"], &parameter["name"]);
            let at = format!("{at} {} {}", place.as_str().unwrap_or("?"), name.as_str().unwrap_or("?"));
            schema_lines(document, &parameter["schema"], &at, parameter["required"] == true, &mut lines);
        }
        content_lines(document, &operation["requestBody"]["content"], &format!("{at} body"), &mut lines);
        for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
            let at = format!("{at} -> {status}");
            lines.insert(at.clone(), "answered".to_owned());
            content_lines(document, &resolved(document, answer)["content"], &at, &mut lines);
        }
    }
    lines
}

fn content_lines(document: &Value, content: &Value, at: &str, lines: &mut Lines) {
    for (kind, content) in content.as_object().into_iter().flatten() {
        schema_lines(document, &content["schema"], &format!("{at} {kind}"), true, lines);
    }
}

fn schema_lines(document: &Value, schema: &Value, at: &str, required: bool, lines: &mut Lines) {
    let mut own_lines = Own::default();
    own_lines.add(document, schema, true);
    let mut line = own_lines.rules.iter().map(|(name, rule)| format!("{name} {rule}")).collect::<Vec<_>>();
    line.extend(required.then(|| "required".to_owned()));
    lines.insert(at.to_owned(), line.join(", "));
    for (name, property) in &own_lines.properties {
        schema_lines(
            document,
            property,
            &format!("{at}.{name}"),
            own_lines.required.contains(name.as_str()),
            lines,
        );
    }
    for (name, branch) in &own_lines.branches {
        schema_lines(document, branch, &format!("{at}<{name}>"), false, lines);
    }
    for (name, inner) in &own_lines.inner {
        schema_lines(document, inner, &format!("{at}{name}"), false, lines);
    }
}

/// What a schema says, its parts put together.
#[derive(Default)]
struct Own<'a> {
    rules: BTreeMap<&'a str, &'a Value>,
    properties: BTreeMap<&'a String, &'a Value>,
    required: BTreeSet<&'a str>,
    branches: Vec<(String, &'a Value)>,
    inner: Vec<(&'static str, &'a Value)>,
}

impl<'a> Own<'a> {
    /// `is_whole`: a part of a schema does not lead back to the whole by its discriminator.
    fn add(&mut self, document: &'a Value, schema: &'a Value, is_whole: bool) {
        let schema = resolved(document, schema);
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.add(document, part, false);
        }
        for rule in [
            "type",
            "nullable",
            "enum",
            "pattern",
            "format",
            "minLength",
            "maxLength",
            "minItems",
            "maxItems",
        ] {
            self.rules.extend(schema.get(rule).map(|value| (rule, value)));
        }
        for rule in ["minimum", "maximum", "readOnly"] {
            self.rules.extend(schema.get(rule).map(|value| (rule, value)));
        }
        self.properties.extend(schema["properties"].as_object().into_iter().flatten());
        self.required.extend(schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str));
        self.inner.extend(schema.get("items").map(|items| ("[]", items)));
        self.inner
            .extend(schema.get("additionalProperties").filter(|any| any.is_object()).map(|any| (".*", any)));
        let mapping = schema["discriminator"]["mapping"].as_object();
        match mapping {
            Some(mapping) if is_whole => {
                let branch =
                    |(name, to): (&String, &'a Value)| Some((name.clone(), target(document, to.as_str()?)?));
                self.branches.extend(mapping.iter().filter_map(branch));
            }
            Some(_) => {}
            None => {
                let any = schema["oneOf"].as_array().or(schema["anyOf"].as_array()).into_iter().flatten();
                self.branches.extend(any.enumerate().map(|(number, branch)| (number.to_string(), branch)));
            }
        }
    }
}

fn target<'a>(document: &'a Value, reference: &str) -> Option<&'a Value> {
    document.pointer(reference.strip_prefix('#')?)
}

fn resolved<'a>(document: &'a Value, part: &'a Value) -> &'a Value {
    part["$ref"].as_str().and_then(|reference| target(document, reference)).unwrap_or(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(pin: &Value, components: &Value) -> Value {
        let content = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Pin" } } });
        let mut document = json!({
            "openapi": "3.0.3", "info": { "version": "1" }, "servers": [],
            "paths": { "/pins": { "post": {
                "requestBody": { "content": content },
                "responses": { "201": { "description": "It was made.", "content": content } },
            } } },
            "components": { "schemas": components },
        });
        document["components"]["schemas"]["Pin"] = pin.clone();
        document
    }

    #[test]
    fn a_field_is_the_same_field_however_its_schema_is_cut_into_parts() {
        let title = json!({ "type": "string", "maxLength": 100, "description": "Words." });
        let old = document(&json!({ "type": "object", "properties": { "title": title } }), &json!({}));
        let new = document(
            &json!({ "type": "object", "allOf": [{ "$ref": "#/components/schemas/PinBase" }] }),
            &json!({ "PinBase": { "properties": { "title": title } } }),
        );

        assert_eq!(changes(&old, &new), Vec::<String>::new());
    }

    #[test]
    fn each_new_missing_or_changed_field_is_one_line() {
        let old = json!({ "title": { "type": "string", "maxLength": 100 }, "note": { "type": "string" } });
        let new =
            json!({ "title": { "type": "string", "maxLength": 90 }, "is_product": { "type": "boolean" } });
        let of = |properties| document(&json!({ "type": "object", "properties": properties }), &json!({}));

        let body = changes(&of(old), &of(new)).into_iter().filter(|line| line.contains("body"));

        assert_eq!(
            body.collect::<Vec<_>>(),
            [
                "+ POST /pins body application/json.is_product: type \"boolean\"",
                "- POST /pins body application/json.note: type \"string\"",
                "~ POST /pins body application/json.title: maxLength 100, type \"string\" -> maxLength 90, type \
                 \"string\"",
            ]
        );
    }

    #[test]
    fn the_part_holds_what_its_operations_refer_to_and_no_words() {
        let complete = document(
            &json!({ "properties": { "media": { "$ref": "#/components/schemas/Media" },
                                    "description": { "type": "string", "description": "Words." } } }),
            &json!({ "Media": { "type": "object" }, "Ads": { "type": "object" } }),
        );

        let part = part(&complete, &complete).unwrap();

        assert_eq!(
            part["components"]["schemas"]["Pin"]["properties"]["description"],
            json!({ "type": "string" })
        );
        assert!(part["components"]["schemas"]["Media"].is_object());
        assert_eq!(part["components"]["schemas"].get("Ads"), None);
    }

    #[test]
    fn the_committed_part_is_complete() {
        let committed = parse_file(Path::new(COMMITTED)).unwrap();

        assert_eq!(part(&committed, &committed).unwrap()["components"], committed["components"]);
        assert_eq!(operations(&committed).len(), 19);
    }
}
