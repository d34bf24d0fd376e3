//! What a function's `main.rs` builds is what its role grants and what its variables name: no less, and no more.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    functions::capitals,
    holds,
    project::{CODE, Function, Project},
    template::{each, list, named},
};

/// A part that `Setup` makes, and what it takes.
pub(crate) struct Part {
    /// As `main.rs` asks for it.
    pub(crate) call: &'static str,
    /// The variables that it reads, and what each is set to.
    variables: &'static [(&'static str, &'static str)],
    /// The resource that it touches.
    resource: &'static str,
    /// What it may do there.
    actions: &'static [&'static str],
}

/// What our code asks of a table. A transaction asks for each of its parts.
const OF_A_TABLE: &[&str] = &[
    "dynamodb:BatchGetItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
];

const PARTS: [Part; 8] = [
    Part {
        call: "main_table",
        variables: &[("MAIN_TABLE", "MainTable")],
        resource: "MainTable.Arn",
        actions: OF_A_TABLE,
    },
    Part {
        call: "tokens_table",
        variables: &[("TOKENS_TABLE", "TokensTable")],
        resource: "TokensTable.Arn",
        actions: OF_A_TABLE,
    },
    Part {
        call: "vault",
        variables: &[("KEY_RING_SECRET", "KeyRing")],
        resource: "KeyRing.Id",
        actions: &["secretsmanager:GetSecretValue"],
    },
    Part {
        call: "settings_secret",
        variables: &[("SETTINGS_SECRET", "SettingsSecret"), ("PINTEREST_APP_SECRET", "PinterestAppSecret")],
        resource: "SettingsSecret.Id",
        actions: &["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"],
    },
    Part {
        call: "event_bus",
        variables: &[("EVENT_BUS", "Bus")],
        resource: "Bus.Arn",
        actions: &["events:PutEvents"],
    },
    Part {
        call: "workers",
        variables: &[("WORKER_CONCURRENCY", "WorkerConcurrency")],
        resource: "${Function}.Arn",
        actions: &["lambda:InvokeFunction"],
    },
    Part {
        call: "media_bucket",
        variables: &[("MEDIA_BUCKET", "MediaBucket")],
        resource: "MediaBucket.Arn/*",
        actions: &[
            "s3:DeleteObject",
            "s3:DeleteObjectTagging",
            "s3:GetObject",
            "s3:PutObject",
            "s3:PutObjectTagging",
        ],
    },
    Part {
        call: "media_bucket",
        variables: &[("MEDIA_BUCKET", "MediaBucket")],
        resource: "MediaBucket.Arn",
        actions: &["s3:ListBucket"],
    },
];

/// What `main.rs` may ask `Setup` for without touching anything of the stack.
const FREE: [&str; 4] = ["media_fetch", "pinterest", "publisher", "sessions"];

/// Settings that one use case has to itself, and what each is set to.
const OWN: [(&str, &str, &str); 11] = [
    ("console", "MEDIA_BUCKET", "MediaBucket"), // only named, in the pages' policy
    ("console", "SIGN_IN_CLIENT_ID", "SignInClientId"),
    ("console", "SIGN_IN_ISSUER", "JwtIssuer"),
    ("console", "SIGN_IN_ORIGINS", "SignInOrigins"),
    ("console", "SIGN_IN_SCOPES", "SignInScopes"),
    ("oauth-start", "PINTEREST_SCOPES", "PinterestScopes"),
    ("refresh", "REFRESHES_PER_MINUTE", "RefreshesPerMinute"),
    ("refresh", "REFRESH_AT_ONCE", "RefreshAtOnce"),
    ("publish", "PINWRIGHT_FETCH_ALLOW", "FetchAllow"),
    ("pins", "PINWRIGHT_FETCH_ALLOW", "FetchAllow"),
    ("deliver", "PINWRIGHT_FETCH_ALLOW", "FetchAllow"),
];

/// What the platform does in a function's name, so that its role needs it without `main.rs` building it.
const PLATFORM: [(&str, &str, &[&str], &str); 4] = [
    (
        "*",
        "${Log}.Arn",
        &["logs:CreateLogStream", "logs:PutLogEvents"],
        "Lambda writes its log as the function",
    ),
    (
        "events",
        "MainTable.StreamArn",
        &[
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        ],
        "Lambda reads the stream as the function that it feeds",
    ),
    ("events", "DeadLetters.Arn", &["sqs:SendMessage"], "Lambda gives up a batch as the function"),
    ("refresh", "DeadLetters.Arn", &["sqs:SendMessage"], "Lambda gives up a daily check as the function"),
];

#[test]
fn every_role_grants_what_main_rs_builds_and_nothing_else() {
    holds(grants);
}

pub(crate) fn grants(project: &Project) -> Vec<String> {
    let mut complaints = Vec::new();
    for Function { package, .. } in project.functions() {
        let mut required: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for part in built(project, package) {
            let function = format!("{}Function", capitals(package));
            required.insert(part.resource.replace("${Function}", &function), part.actions.to_vec());
        }
        let log = format!("{}Log", capitals(package));
        let platform = PLATFORM.iter().filter(|(function, ..)| [package, "*"].contains(function));
        for (_, resource, actions, _) in platform {
            required.insert(resource.replace("${Log}", &log), actions.to_vec());
        }

        let granted = granted(project, package);
        for (resource, actions) in &required {
            match granted.get(resource) {
                None => complaints.push(format!("{package} needs {resource}, and its role does not name it")),
                Some(granted_actions) if must_have_all(resource) && granted_actions.len() < actions.len() => {
                    complaints.push(format!(
                        "{package} needs all of {actions:?} on {resource}: it has {granted_actions:?}"
                    ));
                }
                Some(_) => {}
            }
        }
        for (resource, actions) in granted {
            let (base, index) = resource.split_once("/index/").unwrap_or((&resource, ""));
            let Some(allowed) = required.get(base) else {
                complaints.push(format!("{package} does not build {resource}, and its role names it"));
                continue;
            };
            if !index.is_empty() && !has_index(project, base, index) {
                complaints.push(format!("{package} names {resource}, and there is no such index"));
            }
            let allowed = if index.is_empty() { allowed.as_slice() } else { &["dynamodb:Query"] };
            for action in actions.iter().filter(|action| !allowed.contains(&action.as_str())) {
                complaints
                    .push(format!("{package} may do {action} on {resource}, which our code never does"));
            }
        }
    }
    complaints
}

#[test]
fn every_function_is_given_the_variables_of_what_main_rs_builds_and_no_others() {
    holds(function_variables);
}

pub(crate) fn function_variables(project: &Project) -> Vec<String> {
    let mut complaints = Vec::new();
    for function in project.functions() {
        let package = function.package;
        let parts = built(project, package).into_iter().flat_map(|part| part.variables.iter().copied());
        let own = OWN.iter().filter(|(of, ..)| *of == package).map(|(_, name, value)| (*name, *value));
        let required: BTreeMap<_, _> = parts.chain(own).collect();
        let no_variables = serde_json::Map::new();
        let actual = function.property("Environment")["Variables"].as_object().unwrap_or(&no_variables);
        for (name, value) in &required {
            match actual.get(*name) {
                None => complaints.push(format!("{package} needs {name}, and is not given it")),
                // As it is, or as one side of a choice.
                Some(set) if each(set).iter().all(|(_, part)| *part != &json!({ "Ref": value })) => {
                    complaints.push(format!("{package} is given {set} as {name}, not {value}"));
                }
                Some(_) => {}
            }
        }
        let unneeded = actual.keys().filter(|name| !required.contains_key(name.as_str()));
        complaints.extend(unneeded.map(|name| format!("{package} is given {name}, and does not need it")));
    }
    let for_all = project.template["Globals"]["Function"]["Environment"]["Variables"].as_object().unwrap();
    let of_parts = PARTS.iter().flat_map(|part| part.variables).map(|(name, _)| *name);
    for name in of_parts.filter(|name| for_all.contains_key(*name)) {
        complaints.push(format!("{name} is given to all functions: it belongs to those that need it"));
    }
    complaints
}

#[test]
fn only_main_rs_builds_parts_and_only_known_ones() {
    holds(known_parts);
}

pub(crate) fn known_parts(project: &Project) -> Vec<String> {
    let mut complaints = Vec::new();
    for package in project.packages() {
        for call in setup_calls(&project.main_rs(package)) {
            if !FREE.contains(&call) && !PARTS.iter().any(|part| part.call == call) {
                complaints.push(format!("{package} builds {call}(): say in PARTS what that needs"));
            }
        }
    }
    for (file, code) in CODE.into_iter().flat_map(|folder| project.code(folder)) {
        for part in PARTS.iter().filter(|part| code.contains(&format!("setup.{}()", part.call))) {
            complaints.push(format!("{file} builds {}(): only a main.rs may", part.call));
        }
    }
    for (package, ..) in OWN {
        if !project.packages().contains(package) {
            complaints.push(format!("there is no function {package} to be given a setting"));
        }
    }
    complaints
}

/// The parts that a package's `main.rs` builds.
pub(crate) fn built(project: &Project, package: &str) -> Vec<&'static Part> {
    let main_rs = project.main_rs(package);
    let called = setup_calls(&main_rs);
    PARTS.iter().filter(|part| called.contains(part.call)).collect()
}

/// The methods of `setup` that are called.
fn setup_calls(main_rs: &str) -> BTreeSet<&str> {
    let calls = main_rs.split("setup.").skip(1);
    calls.filter_map(|rest| rest.split_once('(').map(|(name, _)| name)).collect()
}

/// What a package's role allows, by resource: what it holds, and the policies that are attached to it.
fn granted(project: &Project, package: &str) -> BTreeMap<String, BTreeSet<String>> {
    let name = format!("{}Role", capitals(package));
    let role = project.resource(&name);
    let resources = project.template["Resources"].as_object().unwrap().values();
    let attached = resources.filter(|resource| {
        let roles = list(&resource["Properties"]["Roles"]);
        resource["Type"] == "AWS::IAM::Policy" && roles.contains(&&json!({ "Ref": name }))
    });
    let attached = attached.map(|policy| &policy["Properties"]);
    let mut granted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for policy in list(&role["Properties"]["Policies"]).into_iter().chain(attached) {
        for statement in list(&policy["PolicyDocument"]["Statement"]) {
            let actions = list(&statement["Action"]).into_iter().filter_map(Value::as_str).map(str::to_owned);
            let actions: BTreeSet<_> = actions.collect();
            for resource in list(&statement["Resource"]) {
                let name = named(resource).unwrap_or_else(|| resource.to_string());
                granted.entry(name).or_default().extend(actions.clone());
            }
        }
    }
    granted
}

/// What the platform asks for, it asks for wholly. Our code asks for some of what a part can do.
fn must_have_all(resource: &str) -> bool {
    !PARTS.iter().any(|part| part.resource == resource)
}

fn has_index(project: &Project, table: &str, index: &str) -> bool {
    let table = project.resource(table.trim_end_matches(".Arn"));
    list(&table["Properties"]["GlobalSecondaryIndexes"]).iter().any(|entry| entry["IndexName"] == index)
}
