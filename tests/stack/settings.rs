//! A setting that cannot work stops a function at its start, and the error says which one and what it has to be.

use app::{Error, Setup, handlers::Console};
use platform::{Clock, Random, Variables, chain};
use serde_json::{Value, json};

use crate::{policies, project::Project};

/// Settings that work. The ring stands in its variable: there is no Secrets Manager here.
const GOOD: [(&str, &str); 25] = [
    ("AI_DISCLOSURES", "set"),
    ("ALLOWED_RETURN_ORIGINS", "https://app.example,http://localhost:5173"),
    ("AWS_ACCESS_KEY_ID", "local"),
    ("AWS_LAMBDA_FUNCTION_NAME", "deliver"),
    ("AWS_REGION", "eu-central-1"),
    ("AWS_SECRET_ACCESS_KEY", "local"),
    ("BASE_URL", "https://api.example"),
    ("EVENT_BUS", "bus"),
    ("FRONTEND_URL", "https://app.example"),
    ("MAIN_TABLE", "main"),
    ("MEDIA_BUCKET", "media"),
    ("PINTEREST_API_URL", "https://pinterest.example/v5"),
    ("PINTEREST_AUTHORIZE_URL", "https://pinterest.example/oauth/"),
    ("PINTEREST_ENVIRONMENT", "production"),
    ("PINTEREST_SANDBOX_API_URL", "https://sandbox.pinterest.example/v5"),
    ("PINTEREST_SCOPES", "pins:read"),
    ("REDIRECT_PATH", "/mixpost/callback/pinterest"),
    ("REFRESHES_PER_MINUTE", "600"),
    ("REFRESH_AT_ONCE", "3"),
    ("SETTINGS_SECRET", "settings"),
    ("SIGN_IN_ISSUER", "https://issuer.example"),
    ("SIGN_IN_ORIGINS", "https://tokens.issuer.example"),
    ("TOKENS_TABLE", "tokens"),
    ("TOKEN_KEYS", r#"{"current":"k1","k1":"0123456789abcdef0123456789abcdef"}"#),
    ("WORKER_CONCURRENCY", "6"),
];

/// A variable, a value that cannot work (empty: it is missing), and what the error says to set it to.
const BAD: &[(&str, &str, &str)] = &[
    ("AI_DISCLOSURES", "planted", "suggest, set or off"),
    ("ALLOWED_RETURN_ORIGINS", "https://ok.example,nonsense", "origins such as https://app.example.com"),
    (
        "ALLOWED_RETURN_ORIGINS",
        "https://planted:secret@ok.example",
        "origins such as https://app.example.com",
    ),
    ("AWS_ACCESS_KEY_ID", "", "the key of the function's role"),
    ("AWS_LAMBDA_FUNCTION_NAME", "", "the name of the function"),
    ("AWS_REGION", "", "the region of the stack"),
    ("AWS_SECRET_ACCESS_KEY", "", "the secret of that key"),
    ("BASE_URL", "api.planted.example", "an address that begins with https://"),
    (
        "BASE_URL",
        "https://planted.example/?a=b",
        "an address that begins with https:// or http://, without ?",
    ),
    ("EVENT_BUS", "", "the name of the event bus"),
    ("FRONTEND_URL", "ftp://planted.example", "an address that begins with https://"),
    (
        "FRONTEND_URL",
        "https://planted.example/#top",
        "an address that begins with https:// or http://, without ?",
    ),
    ("MAIN_TABLE", "", "the name of the main table"),
    ("MEDIA_BUCKET", "", "the name of the media bucket"),
    ("PINTEREST_API_URL", "planted.example/v5", "an address that begins with https://"),
    ("PINTEREST_AUTHORIZE_URL", "/planted/oauth", "an address that begins with https://"),
    ("PINTEREST_ENVIRONMENT", "Sandbox", "one of sandbox, production"),
    ("PINTEREST_ENVIRONMENT", "live", "one of sandbox, production"),
    ("PINTEREST_SANDBOX_API_URL", "//planted.example/v5", "an address that begins with https://"),
    ("REDIRECT_PATH", "/api/v1/planted/callback", "one of /api/v1/auth/pinterest/callback, /mixpost/"),
    ("REFRESHES_PER_MINUTE", "0", "a whole number from 1"),
    ("REFRESHES_PER_MINUTE", "fast", "a whole number from 1"),
    ("REFRESH_AT_ONCE", "0", "a whole number from 1"),
    ("REFRESH_AT_ONCE", "-8", "a whole number from 1"),
    ("REFRESH_AT_ONCE", "2.5", "a whole number from 1"),
    ("REFRESH_AT_ONCE", "many", "a whole number from 1"),
    ("SETTINGS_SECRET", "", "the name of the settings secret"),
    ("SIGN_IN_ISSUER", "issuer.planted.example", "an address that begins with https://"),
    ("SIGN_IN_ORIGINS", "https://ok.example,planted", "origins such as https://sign-in.example.com"),
    ("SIGN_IN_ORIGINS", "https://ok.example,data:planted", "origins such as https://sign-in.example.com"),
    ("TOKENS_TABLE", "", "the name of the tokens table"),
    ("TOKEN_KEYS", "", "the ring itself"),
    ("TOKEN_KEYS", "planted", r#"{"current":"k1","k1":"<at least 32 characters>"}"#),
    ("TOKEN_KEYS", r#"{"current":"k1","k1":"planted and short"}"#, r#"{"current":"k1","k1":"<at least 32"#),
    (
        "TOKEN_KEYS",
        r#"{"current":"k2","k1":"planted-planted-planted-planted-p"}"#,
        r#"{"current":"k1","k1":"#,
    ),
    ("WORKER_CONCURRENCY", "-1", "a whole number"),
    ("WORKER_CONCURRENCY", "all", "a whole number"),
    ("TOKEN_KEYS", r#"["k1","planted-planted-planted-planted-p"]"#, r#"{"current":"k1","k1":"<at least 32"#),
];

#[test]
fn settings_that_work_start_every_function() {
    start(GOOD.into_iter().collect(), &ALL).unwrap();
}

#[test]
fn a_setting_that_cannot_work_stops_the_start_by_its_name_and_is_not_repeated() {
    for (name, value, expected) in BAD {
        let changed = GOOD
            .into_iter()
            .map(|(variable, good)| (variable, if variable == *name { *value } else { good }));
        let Err(error) = start(changed.collect(), &ALL) else { panic!("{name} may be {value:?}") };
        let text = chain(&error);
        assert!(text.contains(name) && text.contains("set") && text.contains(expected), "{name}: {text}");
        assert!(value.is_empty() || !text.contains(value), "{name}: {text}");
        assert!(!text.contains("planted") && !text.contains("nonsense"), "{name}: {text}");
        assert!(!format!("{error:?}").contains("planted"), "{name}: {error:?}");
    }
}

/// A missing variable counts as an empty one: CloudFormation sets a parameter without a value to the empty text.
#[test]
fn a_missing_setting_counts_as_an_empty_one() {
    for (name, _, expected) in BAD.iter().filter(|(_, bad, _)| bad.is_empty()) {
        let without_name = GOOD.into_iter().filter(|(variable, _)| variable != name);
        let text = chain(&start(without_name.collect(), &ALL).unwrap_err());
        assert!(text.contains(name) && text.contains(expected), "{name}: {text}");
    }
}

/// With the template's own defaults, and with each value that it lets one choose, every function starts. A part of
/// the stack is named by something.
#[test]
fn every_function_starts_with_the_variables_of_the_template() {
    let project = Project::read();
    let for_all = &project.template["Globals"]["Function"]["Environment"]["Variables"];
    for function in project.functions() {
        let own_variables = &function.property("Environment")["Variables"];
        let declared: Vec<_> =
            [for_all, own_variables].into_iter().filter_map(Value::as_object).flatten().collect();
        let parts = policies::built(&project, function.package);
        let itself = Some(CONSOLE).filter(|console| *console == function.package);
        let calls: Vec<_> = parts.iter().map(|part| part.call).chain(itself).collect();
        for (chosen, allowed) in choices(&project) {
            let given_to = |name: &str| match &project.template["Parameters"][name] {
                Value::Null => name.to_owned(),
                _ if name == chosen => allowed.clone(),
                parameter => plain_text(&parameter["Default"]),
            };
            let value = |declared: &Value| resolve(&project, &given_to, declared);
            let by_lambda = GOOD.into_iter().filter(|(name, _)| name.starts_with("AWS_"));
            let by_lambda = by_lambda.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let declared = declared.iter().map(|(name, reference)| ((*name).clone(), value(reference)));
            let started = start(by_lambda.chain(declared).collect(), &calls);
            let error = started.err().map(|error| chain(&error));
            assert_eq!(error, None, "{}, {chosen} {allowed:?}", function.package);
        }
    }
}

#[test]
fn the_generated_key_ring_is_valid_for_the_vault() {
    let project = Project::read();
    let generated = &project.resource("KeyRing")["Properties"]["GenerateSecretString"];
    let mut ring: Value = serde_json::from_str(generated["SecretStringTemplate"].as_str().unwrap()).unwrap();
    let length = usize::try_from(generated["PasswordLength"].as_u64().unwrap()).unwrap();
    ring[generated["GenerateStringKey"].as_str().unwrap()] = json!("x".repeat(length));
    let ring = ring.to_string();
    let variables =
        GOOD.into_iter().map(|(name, good)| (name, if name == "TOKEN_KEYS" { &ring } else { good }));
    start(variables.collect(), &["vault"]).unwrap();
}

const ALL: [&str; 8] = [
    "main_table",
    "tokens_table",
    "vault",
    "settings_secret",
    "event_bus",
    "media_bucket",
    "workers",
    CONSOLE,
];
/// What `console` builds is itself.
const CONSOLE: &str = "console";

/// Builds what a `main.rs` that makes these calls builds.
fn start(variables: Variables, calls: &[&str]) -> Result<(), Error> {
    let setup = Setup::new(variables, Clock::system(), Random::system())?;
    for call in calls {
        match *call {
            "main_table" => drop(setup.main_table()?),
            "tokens_table" => drop(setup.tokens_table()?),
            "vault" => drop(setup.vault()?),
            "settings_secret" => drop(setup.settings_secret()?),
            "event_bus" => drop(setup.event_bus()?),
            "workers" => drop(setup.workers()?),
            "media_bucket" => drop(setup.media_bucket()?),
            CONSOLE => drop(Console::new(&setup)?),
            other => panic!("nothing here makes {other}()"),
        }
    }
    Ok(())
}

/// What CloudFormation makes of `given`, when references have these values. What a stack puts in place in a text is `x`.
fn resolve(project: &Project, reference: &impl Fn(&str) -> String, given: &Value) -> String {
    if let Some(name) = given["Ref"].as_str() {
        return reference(name);
    }
    if let Some([condition, yes, no]) = given["Fn::If"].as_array().map(Vec::as_slice) {
        let condition = &project.template["Conditions"][condition.as_str().unwrap()];
        return resolve(
            project,
            reference,
            if condition_met(project, reference, condition) { yes } else { no },
        );
    }
    if let Some(text) = given["Fn::Sub"].as_str() {
        let parts = text.split("${").map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
        return parts.collect::<Vec<_>>().join("x");
    }
    plain_text(given)
}

/// Whether a condition of the template holds then.
fn condition_met(project: &Project, reference: &impl Fn(&str) -> String, condition: &Value) -> bool {
    let (name, of) = condition.as_object().and_then(|part| part.iter().next()).unwrap();
    let all = || of.as_array().unwrap().iter();
    match name.as_str() {
        "Condition" => {
            condition_met(project, reference, &project.template["Conditions"][of.as_str().unwrap()])
        }
        "Fn::Equals" => {
            let sides: Vec<_> = all().map(|side| resolve(project, reference, side)).collect();
            sides[0] == sides[1]
        }
        "Fn::Not" => !all().any(|part| condition_met(project, reference, part)),
        "Fn::And" => all().all(|part| condition_met(project, reference, part)),
        other => panic!("nothing here decides {other}"),
    }
}

/// Each value that a parameter of the template may be chosen to have, with the others at their defaults.
fn choices(project: &Project) -> Vec<(String, String)> {
    let mut choices = vec![(String::new(), String::new())];
    for (name, parameter) in project.template["Parameters"].as_object().unwrap() {
        let allowed = parameter["AllowedValues"].as_array().into_iter().flatten();
        choices
            .extend(allowed.chain(parameter.get("MinValue")).map(|value| (name.clone(), plain_text(value))));
    }
    choices
}

fn plain_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
