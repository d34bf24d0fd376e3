//! The variables that the code reads, that the template sets, and that `docs/settings.md` explains.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    holds,
    project::{CODE, Project, SETTINGS},
};

/// What the template does not set, and why.
const UNSET: [(&str, &str); 13] = [
    ("AWS_ACCESS_KEY_ID", "Lambda sets it"),
    ("AWS_CA_BUNDLE", "for networks that look into TLS, which a stack's functions are not in"),
    ("AWS_ENDPOINT_URL", "for emulators"),
    ("AWS_ENDPOINT_URL_DYNAMODB", "for emulators"),
    ("AWS_ENDPOINT_URL_EVENTBRIDGE", "for emulators"),
    ("AWS_ENDPOINT_URL_LAMBDA", "for emulators"),
    ("AWS_ENDPOINT_URL_S3", "for emulators"),
    ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "for emulators"),
    ("AWS_LAMBDA_FUNCTION_NAME", "Lambda sets it"),
    ("AWS_REGION", "Lambda sets it"),
    ("AWS_SECRET_ACCESS_KEY", "Lambda sets it"),
    ("AWS_SESSION_TOKEN", "Lambda sets it"),
    ("TOKEN_KEYS", "the ring itself; the stack has a secret for it, which KEY_RING_SECRET names"),
];

/// What the documentation does not explain, and why.
const UNEXPLAINED: [(&str, &str); 5] = [
    ("AWS_ACCESS_KEY_ID", "Lambda's own"),
    ("AWS_LAMBDA_FUNCTION_NAME", "Lambda's own"),
    ("AWS_REGION", "Lambda's own"),
    ("AWS_SECRET_ACCESS_KEY", "Lambda's own"),
    ("AWS_SESSION_TOKEN", "Lambda's own"),
];

/// The documentation's name for the endpoints of all services.
const ANY_SERVICE: &str = "AWS_ENDPOINT_URL_<SERVICE>";

#[test]
fn the_template_sets_what_the_code_reads_and_nothing_else() {
    holds(template_variables);
}

pub(crate) fn template_variables(project: &Project) -> Vec<String> {
    let (variables_read, set_names) = (variables_read(project), variables_set_by(project));
    let unset: BTreeMap<_, _> = UNSET.into_iter().collect();
    let mut complaints = Vec::new();
    for (name, file) in &variables_read {
        if !set_names.contains(name.as_str()) && !unset.contains_key(name.as_str()) {
            complaints.push(format!("{file} reads {name}, and the template does not set it"));
        }
    }
    for name in &set_names {
        if !variables_read.contains_key(*name) {
            complaints.push(format!("the template sets {name}, and no code reads it"));
        }
    }
    for (name, reason) in UNSET {
        if set_names.contains(name) {
            complaints.push(format!("the template sets {name} ({reason})"));
        }
        if !variables_read.contains_key(name) {
            complaints.push(format!("no code reads {name}: take it off the list"));
        }
    }
    complaints
}

#[test]
fn the_documentation_explains_what_the_code_reads_and_nothing_else() {
    holds(documented_variables);
}

pub(crate) fn documented_variables(project: &Project) -> Vec<String> {
    let (variables_read, explained_names) = (variables_read(project), documented(project));
    let mut complaints = Vec::new();
    for (name, file) in &variables_read {
        let of_a_service = name.starts_with("AWS_ENDPOINT_URL_") && explained_names.contains(ANY_SERVICE);
        let is_exempt = UNEXPLAINED.iter().any(|(unexplained, _)| unexplained == name);
        if !explained_names.contains(name.as_str()) && !of_a_service && !is_exempt {
            complaints.push(format!("{file} reads {name}, and {SETTINGS} does not explain it"));
        }
    }
    for name in
        explained_names.iter().filter(|name| **name != ANY_SERVICE && !variables_read.contains_key(**name))
    {
        complaints.push(format!("{SETTINGS} explains {name}, and no code reads it"));
    }
    complaints
}

/// The variables that the code of the functions reads, each with a file that does. Every text of the form
/// `"SOME_NAME"` is one, however it is asked for.
fn variables_read(project: &Project) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (file, code) in CODE.into_iter().flat_map(|folder| project.code(folder)) {
        let mut before = "";
        for (place, text) in code.split('"').enumerate() {
            if place % 2 == 1 && is_name(text) && !before.ends_with("env!(") {
                found.entry(text.to_owned()).or_insert_with(|| file.to_owned());
            }
            before = text;
        }
    }
    found
}

fn is_name(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    text.contains('_') && text.split('_').all(|part| !part.is_empty() && part.bytes().all(letter))
}

/// The variables that any function of the template is given.
fn variables_set_by(project: &Project) -> BTreeSet<&str> {
    let for_all = &project.template["Globals"]["Function"]["Environment"]["Variables"];
    let functions = project.functions();
    let own = functions.iter().map(|function| &function.resource["Properties"]["Environment"]["Variables"]);
    let all = own.chain([for_all]).filter_map(|variables| variables.as_object());
    all.flat_map(|variables| variables.keys().map(String::as_str)).collect()
}

/// The names in the first column of the table of variables in the documentation.
fn documented(project: &Project) -> BTreeSet<&str> {
    let (_, table) = project.text(SETTINGS).split_once("\n## Variables of the functions\n").unwrap();
    let table = table.split("\n## ").next().unwrap_or_default();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let names =
        rows.filter_map(|row| row.split('|').nth(1)).flat_map(|cell| cell.split('`').skip(1).step_by(2));
    names.collect()
}
