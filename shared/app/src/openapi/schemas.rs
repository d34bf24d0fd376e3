//! Schemas in the form that client generators read well.

use serde_json::{Map, Value, json};

/// How schemas refer to each other.
const PLACE: &str = "#/components/schemas/";

/// The unions with a discriminator property, and the prefix of their alternatives' names.
const TAGGED: [(&str, &str, &str); 2] = [("Media", "kind", ""), ("NewMedia", "kind", "New")];
/// The unions whose alternatives have no such property, with the names of the alternatives in their order.
const UNTAGGED: [(&str, [&str; 2]); 1] = [("Cover", ["ImageCover", "FrameCover"])];
/// Text fields that hold a problem code, in schemas that cannot declare it themselves.
const CODES: [(&str, &str); 1] = [("PinFailure", "code")];

/// Rewrites all schemas of the contract.
pub(super) fn tidy(all: &mut Map<String, Value>) {
    for (schema, field) in CODES {
        let description = all[schema]["properties"][field]["description"].take();
        all[schema]["properties"][field] =
            json!({ "description": description, "$ref": format!("{PLACE}ProblemCode") });
    }
    for schema in all.values_mut() {
        rewrite(schema);
    }
    for (union, tag, front) in TAGGED {
        let Some(Value::Array(alternatives)) =
            all[union].as_object_mut().and_then(|union| union.remove("oneOf"))
        else {
            continue;
        };
        let (mut references, mut mapping) = (Vec::new(), Map::new());
        for alternative in alternatives {
            let word = alternative["properties"][tag]["enum"][0].as_str().unwrap_or_default().to_owned();
            let name = format!("{front}{}{}Media", word[..1].to_uppercase(), &word[1..]);
            let reference = format!("{PLACE}{name}");
            references.push(json!({ "$ref": reference }));
            mapping.insert(word, reference.into());
            all.insert(name, alternative);
        }
        all[union]["oneOf"] = references.into();
        all[union]["discriminator"] = json!({ "propertyName": tag, "mapping": mapping });
    }
    for (union, names) in UNTAGGED {
        let Some(Value::Array(alternatives)) =
            all[union].as_object_mut().and_then(|union| union.remove("anyOf"))
        else {
            continue;
        };
        let references: Vec<_> =
            names.iter().map(|name| json!({ "$ref": format!("{PLACE}{name}") })).collect();
        all[union]["oneOf"] = references.into();
        for (name, alternative) in names.into_iter().zip(alternatives) {
            all.insert(name.to_owned(), alternative);
        }
    }
}

/// Rewrites a schema and all schemas in it.
fn rewrite(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(rewrite),
        Value::Object(fields) => {
            // Generators treat a field with a default as always present. A field may have the name `default`, too.
            if fields.contains_key("type") || fields.contains_key("anyOf") || fields.contains_key("$ref") {
                fields.remove("default");
            }
            enumeration(fields);
            format(fields);
            fields.values_mut().for_each(rewrite);
        }
        _ => {}
    }
}

/// For schemars, an enumeration whose values have descriptions is a union of constants, which no generator reads as an
/// enumeration.
fn enumeration(fields: &mut Map<String, Value>) {
    if let Some(only) = fields.remove("const") {
        fields.insert("type".to_owned(), "string".into());
        fields.insert("enum".to_owned(), json!([only]));
    }
    let Some(Value::Array(alternatives)) = fields.get("oneOf") else { return };
    if !alternatives.iter().all(|alternative| alternative["const"].is_string()) {
        return;
    }
    let words: Vec<_> = alternatives.iter().map(|alternative| alternative["const"].clone()).collect();
    let texts: Vec<_> = alternatives.iter().map(|alternative| alternative["description"].clone()).collect();
    fields.remove("oneOf");
    fields.insert("type".to_owned(), "string".into());
    fields.insert("enum".to_owned(), words.into());
    fields.insert("x-enum-descriptions".to_owned(), texts.into());
}

/// OpenAPI has two formats of integers.
fn format(fields: &mut Map<String, Value>) {
    let known = match fields.get("format").and_then(Value::as_str) {
        Some("uint8" | "uint16" | "int8" | "int16") => "int32",
        Some("uint32" | "uint64" | "uint") => "int64",
        _ => return,
    };
    fields.insert("format".to_owned(), known.into());
}
