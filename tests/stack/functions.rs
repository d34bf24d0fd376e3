//! Every package is a function of the stack, with a role and a log of its own, and no role grants too much.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    holds,
    project::{Function, Project},
    template::{each, list},
};

/// Its own policy says who may use the key; in it, `*` means this key.
const KEY: &str = "TokensKey";
/// The bucket's own policy only takes away: what it says stands in `data`.
const BUCKET: &str = "MediaBucketPolicy";
/// Files have no resources of their own.
const FILES: &str = "${MediaBucket.Arn}/*";

/// The policies that are no part of a role: a role cannot name the function that needs it.
const SELF_START: [&str; 2] = ["DeliverStartsWorkers", "RefreshStartsWorkers"];

#[test]
fn every_package_is_a_function_of_the_stack_and_every_function_a_package() {
    holds(packages);
}

pub(crate) fn packages(project: &Project) -> Vec<String> {
    let packages = project.packages();
    let functions = project.functions();
    let mut complaints: Vec<_> = packages
        .iter()
        .filter(|package| functions.iter().filter(|function| function.package == **package).count() != 1)
        .map(|package| format!("functions/{package} is not exactly one function of the template"))
        .collect();
    for Function { id, package, .. } in functions {
        if !packages.contains(package) {
            complaints.push(format!("{id} is built of functions/{package}, which is not there"));
        } else if id != format!("{}Function", capitals(package)) {
            complaints.push(format!("{id} is built of functions/{package}: its name says something else"));
        }
    }
    complaints
}

#[test]
fn every_function_is_built_by_cargo_lambda_for_the_chosen_machine() {
    holds(machines);
}

pub(crate) fn machines(project: &Project) -> Vec<String> {
    let all = &project.template["Globals"]["Function"];
    let expected = [
        ("Runtime", json!("provided.al2023")),
        ("Handler", json!("bootstrap")),
        ("Architectures", json!([{ "Ref": "Architecture" }])),
    ];
    let mut complaints = Vec::new();
    for function in project.functions() {
        let id = function.id;
        if function.resource["Metadata"] != json!({ "BuildMethod": "rust-cargolambda" }) {
            complaints.push(format!("{id} is not built by rust-cargolambda"));
        }
        for (name, expected) in &expected {
            let own = function.property(name);
            let counts = if own.is_null() { &all[*name] } else { own };
            if counts != expected {
                complaints.push(format!("{id} has the {name} {counts}, not {expected}"));
            }
        }
        // The alarms read fields of our own lines: as text, Lambda would wrap them.
        if all["LoggingConfig"]["LogFormat"] != "JSON"
            || function.property("LoggingConfig")["LogFormat"] != json!(null)
        {
            complaints.push(format!("{id} does not log as JSON"));
        }
    }
    complaints
}

#[test]
fn every_function_has_a_role_and_a_log_of_its_own() {
    holds(roles_and_logs);
}

pub(crate) fn roles_and_logs(project: &Project) -> Vec<String> {
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [
            { "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole" }
        ],
    });
    let mut complaints = Vec::new();
    let mut roles = BTreeSet::new();
    for function in project.functions() {
        let (id, name) = (function.id, capitals(function.package));
        let (role, log) = (format!("{name}Role"), format!("{name}Log"));
        if function.property("Role") != &json!({ "Fn::GetAtt": format!("{role}.Arn") }) {
            complaints.push(format!("{id} does not run as {role}"));
        }
        if function.property("LoggingConfig")["LogGroup"] != json!({ "Ref": log }) {
            complaints.push(format!("{id} does not log to {log}"));
        }
        let role_resource = project.resource(&role);
        if role_resource["Type"] != "AWS::IAM::Role"
            || role_resource["Properties"]["AssumeRolePolicyDocument"] != trust
        {
            complaints.push(format!("{role} is not a role that Lambda alone may take"));
        }
        let log_resource = project.resource(&log);
        let retention_days = &log_resource["Properties"]["RetentionInDays"];
        if log_resource["Type"] != "AWS::Logs::LogGroup" || retention_days != &json!({ "Ref": "LogDays" }) {
            complaints.push(format!("{log} is not a log that ends after LogDays"));
        }
        roles.insert(role);
    }
    for (role, _) in project.resources("AWS::IAM::Role") {
        if !roles.contains(role) {
            complaints.push(format!("{role} is no function's role"));
        }
    }
    complaints
}

#[test]
fn no_policy_is_managed_and_none_has_a_wildcard_or_scans() {
    holds(bounds);
}

pub(crate) fn bounds(project: &Project) -> Vec<String> {
    let mut complaints = Vec::new();
    for function in project.functions() {
        // SAM would make a role of these, or add to one what it thinks is needed.
        for name in ["Policies", "PermissionsBoundary", "AssumeRolePolicyDocument", "Connectors"] {
            if !function.property(name).is_null() {
                complaints.push(format!("{} has {name}: what it may do stands in its role", function.id));
            }
        }
    }
    for (path, value) in each(&project.template["Resources"]) {
        let id = path.split('/').nth(1).unwrap_or_default();
        if path.ends_with("/ManagedPolicyArns")
            || value.as_str().is_some_and(|text| text.contains(":policy/"))
        {
            complaints.push(format!("{path}: a managed policy"));
        }
        let is_apart = value
            .as_str()
            .is_some_and(|text| text == "AWS::IAM::ManagedPolicy" || text == "AWS::IAM::Policy");
        if is_apart && !SELF_START.contains(&id) {
            complaints.push(format!("{path}: a policy that is no part of a role"));
        }
        if !value["Effect"].is_string() || id == BUCKET {
            continue;
        }
        let sid = value["Sid"].as_str().unwrap_or("a statement");
        if value["Effect"] != "Allow" || !value["NotAction"].is_null() || !value["NotResource"].is_null() {
            complaints.push(format!("{id} says in {sid} what is not allowed, and so allows the rest"));
        }
        for text in list(&value["Action"]).into_iter().filter_map(Value::as_str) {
            if id != KEY && text.contains('*') || text.to_ascii_lowercase().ends_with(":scan") {
                complaints.push(format!("{id} allows {text} in {sid}"));
            }
        }
        let places = [&value["Resource"], &value["Principal"]].into_iter().flat_map(each);
        let mut places = places.filter_map(|(_, place)| place.as_str());
        let anywhere = places.any(|place| place.contains('*') && place != FILES);
        if id != KEY && anywhere {
            complaints.push(format!("{id} allows anybody, or anything, in {sid}"));
        }
        let of_this_account = &value["Condition"]["StringEquals"]["kms:CallerAccount"];
        if value["Principal"]["AWS"] == "*" && of_this_account != &json!({ "Ref": "AWS::AccountId" }) {
            complaints.push(format!("{id} lets other accounts in by {sid}"));
        }
    }
    complaints
}

/// `oauth-start` as `OauthStart`.
pub(crate) fn capitals(package: &str) -> String {
    let capitalized = |capitalized: &str| capitalized[..1].to_uppercase() + &capitalized[1..];
    package.split('-').filter(|part| !part.is_empty()).map(capitalized).collect()
}
