//! Alarms reach somebody and tell them what to do, and the numbers that they watch are numbers that the code logs.

use std::collections::BTreeSet;

use serde_json::json;

use crate::{
    holds,
    project::{CODE, Project},
    template::{each, list},
};

#[test]
fn every_alarm_has_a_recipient_and_a_fix() {
    holds(alarms);
}

pub(crate) fn alarms(project: &Project) -> Vec<String> {
    let mut complaints = Vec::new();
    let topics: Vec<_> =
        project.resources("AWS::SNS::Topic").into_iter().map(|(id, _)| json!({ "Ref": id })).collect();
    for (id, alarm) in project.resources("AWS::CloudWatch::Alarm") {
        let properties = &alarm["Properties"];
        let description = properties["AlarmDescription"].as_str().unwrap_or_default();
        if description.split_whitespace().count() < 8 {
            complaints.push(format!("{id} does not say what to do"));
        }
        for name in ["AlarmActions", "OKActions"] {
            let topics_of_alarm = list(&properties[name]);
            if topics_of_alarm.is_empty() || topics_of_alarm.iter().any(|topic| !topics.contains(topic)) {
                complaints.push(format!("{id} has no {name} that tell anybody"));
            }
        }
        if properties["ActionsEnabled"] == false {
            complaints.push(format!("{id} is mute"));
        }
        if !properties["TreatMissingData"].is_string() {
            complaints.push(format!("{id} does not say what silence means"));
        }
    }
    complaints
}

#[test]
fn the_numbers_that_alarms_watch_are_logged_by_the_code() {
    holds(metrics);
}

pub(crate) fn metrics(project: &Project) -> Vec<String> {
    let logged_fields = logged_fields(project);
    let own_namespace = json!({ "Fn::Sub": "Pinwright/${AWS::StackName}" });
    let logs: Vec<_> = project
        .functions()
        .iter()
        .map(|function| function.property("LoggingConfig")["LogGroup"].clone())
        .collect();
    let access_log = json!({ "Ref": "ApiLog" });
    let access = &project.resource("Api")["Properties"]["AccessLogSettings"]["Format"];
    let mut complaints = Vec::new();
    let mut counted = BTreeSet::new();
    for (id, filter) in project.resources("AWS::Logs::MetricFilter") {
        let properties = &filter["Properties"];
        for text in each(properties).into_iter().filter_map(|(_, value)| value.as_str()) {
            for field in text.split("$.").skip(1).map(word) {
                let of_api = properties["LogGroupName"] == access_log;
                match field.strip_prefix("fields.") {
                    _ if of_api && access.to_string().contains(&format!("\\\"{field}\\\":")) => {}
                    Some(field) if !of_api && logged_fields.contains(field) => {}
                    None if field == "level"
                        && text.contains("\"ERROR\"")
                        && logged_fields.contains("error!") => {}
                    _ => complaints.push(format!("{id} counts {field}, which no code logs")),
                }
            }
        }
        if properties["LogGroupName"] != access_log && !logs.contains(&properties["LogGroupName"]) {
            complaints.push(format!("{id} reads no log of the API or a function"));
        }
        for metric in list(&properties["MetricTransformations"]) {
            if metric["MetricNamespace"] != own_namespace {
                complaints.push(format!("{id} counts for another product"));
            }
            counted.insert(metric["MetricName"].to_string());
        }
    }
    let alarms = project.resources("AWS::CloudWatch::Alarm").into_iter();
    let own_alarms = alarms.filter(|(_, alarm)| alarm["Properties"]["Namespace"] == own_namespace);
    let metrics_of_alarms: BTreeSet<_> =
        own_alarms.map(|(_, alarm)| alarm["Properties"]["MetricName"].to_string()).collect();
    complaints.extend(
        metrics_of_alarms
            .difference(&counted)
            .map(|name| format!("an alarm watches {name}, which nothing counts")),
    );
    complaints.extend(
        counted
            .difference(&metrics_of_alarms)
            .map(|name| format!("{name} is counted, and no alarm watches it")),
    );
    complaints
}

#[test]
fn errors_of_every_function_are_shown_on_the_dashboard() {
    holds(dashboard);
}

pub(crate) fn dashboard(project: &Project) -> Vec<String> {
    let bodies = project.resources("AWS::CloudWatch::Dashboard").into_iter();
    let widgets: String = bodies.map(|(_, board)| board["Properties"]["DashboardBody"].to_string()).collect();
    let logs = project
        .functions()
        .into_iter()
        .map(|function| function.property("LoggingConfig")["LogGroup"]["Ref"].clone());
    let names = logs.filter_map(|log| Some(log.as_str()?.to_owned()));
    let not_shown = names.filter(|log| !widgets.contains(&format!("SOURCE '${{{log}}}'")));
    not_shown.map(|log| format!("errors in {log} are not on the dashboard")).collect()
}

/// The names of fields in the code's log lines, and the levels of those, as `error!`.
fn logged_fields(project: &Project) -> BTreeSet<String> {
    let mut fields_found = BTreeSet::new();
    for (_, code) in CODE.into_iter().flat_map(|folder| project.code(folder)) {
        for line in code.split("tracing::").skip(1) {
            let Some((level, rest)) = line.split_once("!(") else { continue };
            if !["error", "warn", "info"].contains(&level) {
                continue;
            }
            fields_found.insert(format!("{level}!"));
            // Fields come before the text.
            let fields = rest.split('"').next().unwrap_or_default();
            for field in fields.split(',').filter(|field| !field.trim().is_empty()) {
                let name = field.split('=').next().unwrap_or_default();
                fields_found.insert(name.trim().trim_start_matches(['?', '%']).to_owned());
            }
        }
    }
    fields_found
}

/// The path that a pattern goes on with.
fn word(text: &str) -> &str {
    text.split(|letter: char| !(letter.is_ascii_alphanumeric() || "_.".contains(letter)))
        .next()
        .unwrap_or_default()
}

#[test]
fn a_path_shorter_than_the_pattern_does_not_match() {
    assert_eq!(word("fields.oldest = * }"), "fields.oldest");
    assert_eq!(word("level = \"ERROR\" }"), "level");
}
