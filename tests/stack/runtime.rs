//! How functions run, against what they need: their time, their memory, how often they are tried again, and what they are
//! given of the table's stream.

use app::handlers::StreamEvent;
use serde_json::{Value, json};
use store::RowImage;

use crate::{
    holds,
    limits::seconds,
    project::{Function, Project},
    template::list,
};

/// The longest that API Gateway waits for a function, in seconds.
const GATEWAY_TIMEOUT: f64 = 30.0;
/// A tick comes every minute. One that could not work so long would leave a gap before the next.
const TICK: f64 = 60.0;
/// How long a stream keeps a record, in seconds.
const STREAM_RETENTION: i64 = 86_400;
/// The memory for which `tests/parsers/memory` measures the largest requests, in MB.
const MEASURED_MEMORY: i64 = 256;

/// A property of the function, or of all functions.
fn effective<'a>(project: &'a Project, function: &Function<'a>, name: &str) -> &'a Value {
    match &function.resource["Properties"][name] {
        Value::Null => &project.template["Globals"]["Function"][name],
        own => own,
    }
}

fn function<'a>(project: &'a Project, package: &str) -> Function<'a> {
    let mut functions = project.functions().into_iter();
    functions.find(|function| function.package == package).unwrap()
}

#[test]
fn every_function_has_the_time_that_its_work_needs() {
    holds(timeouts);
}

pub(crate) fn timeouts(project: &Project) -> Vec<String> {
    let app = |file: &str, name: &str| seconds(name, &format!("shared/app/src/handlers/{file}.rs"));
    let oauth = seconds("EXCHANGE_TIMEOUT", "shared/pinterest/src/oauth.rs");
    let read = seconds("READ_TIMEOUT", "shared/pinterest/src/client.rs");
    let attempt = seconds("SDK_ATTEMPT_TIMEOUT", "shared/app/src/setup.rs");
    let needs = |package: &str| match package {
        "oauth-callback" => app("oauth_callback", "MAX_OUTCOME_WAIT").max(oauth + read),
        "publish" => app("publish/bulk", "CALL_BUDGET") + attempt,
        // What is begun with the last of the time still ends within it, and before that there is a whole tick.
        "deliver" => app("deliver", "MIN_TIME_LEFT") + TICK,
        "refresh" => app("refresh", "MIN_TIME_LEFT") + TICK,
        _ => read + attempt,
    };
    let mut complaints = Vec::new();
    for function in project.functions() {
        let timeout: f64 = effective(project, &function, "Timeout").to_string().parse().unwrap_or_default();
        let needed = needs(function.package);
        if timeout < needed {
            complaints.push(format!("{} has {timeout} s, and needs {needed} s", function.id));
        }
        let events = function.property("Events").as_object().into_iter().flatten();
        if events.into_iter().any(|(_, event)| event["Type"] == "HttpApi") && timeout >= GATEWAY_TIMEOUT {
            complaints.push(format!("{} may answer after {timeout} s, when nobody waits", function.id));
        }
    }
    complaints
}

#[test]
fn every_function_has_the_memory_that_was_measured() {
    holds(memory);
}

pub(crate) fn memory(project: &Project) -> Vec<String> {
    let functions = project.functions().into_iter();
    functions
        .filter(|function| effective(project, function, "MemorySize").as_i64() < Some(MEASURED_MEMORY))
        .map(|function| format!("{} has less than {MEASURED_MEMORY} MB", function.id))
        .collect()
}

#[test]
fn a_tick_is_not_kept_for_later_and_a_daily_check_is() {
    holds(retries);
}

/// Old ticks that pile up in an outage would all start when it ends.
pub(crate) fn retries(project: &Project) -> Vec<String> {
    let mut complaints = Vec::new();
    for package in ["deliver", "refresh"] {
        let function = function(project, package);
        let events = function.property("Events").as_object().unwrap();
        for (name, event) in events.iter().filter(|(_, event)| event["Type"] == "Schedule") {
            let rule = &event["Properties"];
            let kept = json!({ "MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0 });
            let is_minutely = rule["Schedule"] == "rate(1 minute)";
            if is_minutely && rule["RetryPolicy"] != kept {
                complaints.push(format!("{package}: {name} is kept for longer than its minute"));
            }
            if rule["State"] == "DISABLED" || rule["Enabled"] == false {
                complaints.push(format!("{package}: {name} is switched off"));
            }
        }
    }
    let deliver = function(project, "deliver");
    let minute = json!({ "MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0 });
    if deliver.property("EventInvokeConfig") != &minute {
        complaints.push("deliver: a worker that cannot be started is tried again".to_owned());
    }
    let refresh = function(project, "refresh");
    let daily = refresh.property("EventInvokeConfig");
    if daily["MaximumRetryAttempts"].as_i64() < Some(2) || daily["DestinationConfig"]["OnFailure"].is_null() {
        complaints.push("refresh: a daily check that fails is forgotten".to_owned());
    }
    complaints
}

#[test]
fn no_change_of_a_row_is_lost_on_its_way_to_the_bus() {
    holds(stream);
}

pub(crate) fn stream(project: &Project) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut wants = |is_so: bool, what: &str| {
        if !is_so {
            complaints.push(format!("events: {what}"));
        }
    };
    let main = &project.resource("MainTable")["Properties"];
    wants(
        main["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES",
        "needs both images of a row",
    );
    let function = function(project, "events");
    let sources: Vec<_> = function.property("Events").as_object().unwrap().values().collect();
    let [source] = sources.as_slice() else { return vec!["events: has not exactly one source".to_owned()] };
    let source = &source["Properties"];
    wants(source["Stream"] == json!({ "Fn::GetAtt": "MainTable.StreamArn" }), "reads another stream");
    wants(
        source["StartingPosition"] == "TRIM_HORIZON",
        "misses what changes before it reads for the first time",
    );
    wants(source["Enabled"] != false, "is switched off");
    // Without it, Lambda takes an answer that names an unhandled record for a success.
    let answers = list(&source["FunctionResponseTypes"]);
    wants(answers.contains(&&json!("ReportBatchItemFailures")), "is not believed when it names a record");
    wants(source["BisectBatchOnFunctionError"] == true, "gives up a whole batch for one record");
    wants(source["MaximumRetryAttempts"].as_i64() >= Some(10), "gives up after a short outage");
    let age = source["MaximumRecordAgeInSeconds"].as_i64().unwrap_or(-1);
    wants((3600..=STREAM_RETENTION).contains(&age), "gives up too early, or later than the stream forgets");
    let letters = &source["DestinationConfig"]["OnFailure"]["Destination"];
    wants(letters == &json!({ "Fn::GetAtt": "DeadLetters.Arn" }), "leaves no trace of what it gives up");
    wants(source["TumblingWindowInSeconds"].is_null(), "waits for windows");
    complaints.extend(filtered(&source["FilterCriteria"]["Filters"]));
    complaints
}

/// Every change that events are made of passes the filters, and none of those that come with every minute or every Pin does.
fn filtered(filters: &Value) -> Vec<String> {
    let pin = |state| ("TENANT#acme", "PIN#pin_1", Some(state));
    let changes = [
        (("TENANT#acme", "CHANNEL#ch_1", None), true),
        (("SETTINGS", "SETTINGS", None), true),
        (pin("scheduled"), true),
        (pin("waiting"), true),
        (pin("in_doubt"), true),
        (pin("published"), true),
        (pin("needs_review"), true),
        (pin("failed"), true),
        (pin("cancelled"), true),
        (pin("sending"), false),
        (("WORKER", "WORKER", None), false),
        (("USAGE#acme", "USAGE", None), false),
        (("CHANNELS#acme", "CHANNELS", None), false),
        (("IDEM#acme#0", "IDEM", None), false),
        (("REMOTE#production#1", "REMOTE", None), false),
    ];
    let patterns: Vec<Value> = list(filters)
        .into_iter()
        .map(|filter| {
            serde_json::from_str(filter["Pattern"].as_str().unwrap_or_default()).unwrap_or_default()
        })
        .collect();
    let mut complaints = Vec::new();
    for ((pk, sk, state), is_event) in changes {
        // The code agrees about the kinds of rows. A row of such a kind cannot be read, because it is empty.
        let is_row_of_events = !matches!(store::changed_row(&image(pk, sk)), Ok(None));
        assert_eq!(is_row_of_events, is_event || state.is_some(), "{pk} {sk}");
        let mut change = json!({ "dynamodb": { "Keys": { "pk": { "S": pk }, "sk": { "S": sk } } } });
        if let Some(state) = state {
            change["dynamodb"]["NewImage"] = json!({ "state": { "S": state } });
        }
        let passes = patterns.iter().any(|pattern| fits(&change, pattern));
        if passes != is_event {
            let state = state.unwrap_or_default();
            let verb = if passes { "lets in" } else { "stops" };
            complaints.push(format!("events: the filter {verb} {pk} {sk} {state}"));
        }
    }
    complaints
}

/// A row that has nothing but its key, as the stream shows it.
fn image(pk: &str, sk: &str) -> RowImage {
    let mut sample: Value = serde_json::from_str(include_str!("../../events/events.json")).unwrap();
    sample["Records"][0]["dynamodb"]["NewImage"] = json!({ "pk": { "S": pk }, "sk": { "S": sk } });
    let mut stream: StreamEvent = serde_json::from_value(sample).unwrap();
    stream.records.swap_remove(0).change.new_image
}

/// Whether a value fits a pattern of EventBridge's language: objects by field, and texts by any of the rules of a list.
fn fits(value: &Value, pattern: &Value) -> bool {
    match pattern {
        Value::Object(fields) => fields.iter().all(|(name, inner)| fits(&value[name], inner)),
        Value::Array(rules) => value.as_str().is_some_and(|text| rules.iter().any(|rule| keeps(text, rule))),
        _ => false,
    }
}

/// Whether a text is the rule's own, begins with its prefix, or is none of those that it excludes.
fn keeps(text: &str, rule: &Value) -> bool {
    let is_excluded = |others: &Vec<Value>| others.iter().any(|other| other == text);
    rule == text
        || rule["prefix"].as_str().is_some_and(|prefix| text.starts_with(prefix))
        || rule["anything-but"].as_array().is_some_and(|others| !is_excluded(others))
}

#[test]
fn what_expires_is_removed_by_the_attribute_that_rows_have() {
    holds(expiry);
}

pub(crate) fn expiry(project: &Project) -> Vec<String> {
    let wanted = json!({ "AttributeName": "expires_at", "Enabled": true });
    let tables = project.resources("AWS::DynamoDB::Table").into_iter();
    tables
        .filter(|(_, table)| table["Properties"]["TimeToLiveSpecification"] != wanted)
        .map(|(id, _)| format!("{id} does not remove what has expired"))
        .collect()
}
