//! The API's routes are those of the code, open to all are those that the code says are, and the rules wake the
//! workers for what they are to do.

use std::collections::BTreeMap;

use app::{endpoints, handlers::RefreshJob};
use edge::Access;
use serde_json::{Value, json};

use crate::{functions::capitals, holds, project::Project};

#[test]
fn the_routes_of_the_api_are_those_of_the_code() {
    holds(routes);
}

pub(crate) fn routes(project: &Project) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut template_routes = BTreeMap::new();
    for function in project.functions() {
        let Some(events) = function.property("Events").as_object() else { continue };
        for (name, event) in events.iter().filter(|(_, event)| event["Type"] == "HttpApi") {
            let properties = &event["Properties"];
            let text = |name: &str| properties[name].as_str().unwrap_or_default();
            let route = format!("{} {}", text("Method"), text("Path"));
            let open = match &properties["Auth"] {
                auth if auth.is_null() => false,
                auth if auth == &json!({ "Authorizer": "NONE" }) => true,
                auth => {
                    complaints.push(format!("{route}: {auth} is neither NONE nor the usual"));
                    continue;
                }
            };
            if properties["ApiId"] != json!({ "Ref": "Api" }) {
                complaints.push(format!("{}/{name} is not a route of Api", function.id));
            }
            if template_routes.insert(route.clone(), (capitals(function.package), open)).is_some() {
                complaints.push(format!("{route} stands there twice"));
            }
        }
    }
    for route in &endpoints() {
        let name = format!("{} {}", route.method, route.path);
        match template_routes.remove(&name) {
            None => complaints.push(format!("{name} is no route of the template")),
            Some((function, _)) if function != format!("{:?}", route.function) => {
                complaints.push(format!("{name} leads to {function}, not to {:?}", route.function));
            }
            Some((_, open)) if open != (route.access == Access::Open) => {
                complaints.push(format!("{name} is for {:?}, and the template says otherwise", route.access));
            }
            Some(_) => {}
        }
    }
    complaints.extend(template_routes.into_keys().map(|name| format!("{name} is no route of the code")));
    let auth = &project.resource("Api")["Properties"]["Auth"];
    if auth["DefaultAuthorizer"] != "Jwt" || !auth["Authorizers"]["Jwt"]["JwtConfiguration"].is_object() {
        complaints.push("a route that says nothing does not need a token".to_owned());
    }
    complaints
}

#[test]
fn the_schedules_start_the_workers_for_their_jobs() {
    holds(rules);
}

pub(crate) fn rules(project: &Project) -> Vec<String> {
    let mut schedules = Vec::new();
    for function in project.functions() {
        let Some(events) = function.property("Events").as_object() else { continue };
        for event in events.values().filter(|event| event["Type"] == "Schedule") {
            let (rule, package) = (&event["Properties"], function.package);
            let input =
                rule["Input"].as_str().map_or(Value::Null, |text| serde_json::from_str(text).unwrap());
            let often = rule["Schedule"].as_str().unwrap_or_default();
            let often = if is_daily(often) { "daily" } else { often };
            schedules.push(format!("{package}: {often}, {:?}", RefreshJob::from_event(&input)));
        }
    }
    schedules.sort();
    let expected =
        ["deliver: rate(1 minute), Tick", "refresh: daily, DailyCheck", "refresh: rate(1 minute), Tick"];
    if schedules == expected {
        Vec::new()
    } else {
        vec![format!("the rules are {schedules:?}, not {expected:?}")]
    }
}

/// `cron(minute hour * * ? *)`
fn is_daily(often: &str) -> bool {
    let fields: Vec<_> = often.trim_start_matches("cron(").trim_end_matches(')').split(' ').collect();
    let is_number = |field: &&str| field.parse::<u8>().is_ok();
    matches!(fields.as_slice(), [at @ .., "*", "*", "?", "*"] if at.len() == 2 && at.iter().all(is_number))
}
