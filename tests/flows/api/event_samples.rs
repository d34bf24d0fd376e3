//! The files of `events/`: each function accepts its sample event.

use std::{path::Path, sync::Arc};

use app::{
    Endpoint, Function, Setup, endpoints, handlers::Docs, handlers::Events, handlers::RefreshJob,
    handlers::StreamEvent,
};
use edge::{Access, Event, Handler as _, RouteMatch, find};
use jiff::Timestamp;
use lambda_http::RequestExt as _;
use local::Functions;
use loopback_aws::LoopbackAws;
use platform::{Clock, Random, Variables};
use serde_json::{Value, json};

/// Every sample of a request, and its function.
const REQUESTS: [(&str, Function, &str); 9] = [
    ("admin-save", Function::AdminSave, include_str!("../../../events/admin-save.json")),
    ("oauth-start", Function::OauthStart, include_str!("../../../events/oauth-start.json")),
    ("oauth-callback", Function::OauthCallback, include_str!("../../../events/oauth-callback.json")),
    ("channels", Function::Channels, include_str!("../../../events/channels.json")),
    ("publish", Function::Publish, include_str!("../../../events/publish.json")),
    ("pins", Function::Pins, include_str!("../../../events/pins.json")),
    ("analytics", Function::Analytics, include_str!("../../../events/analytics.json")),
    ("docs", Function::Docs, include_str!("../../../events/docs.json")),
    ("console", Function::Console, include_str!("../../../events/console.json")),
];

#[test]
fn every_function_has_a_sample_of_the_event_that_it_is_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for function in std::fs::read_dir(root.join("functions")).unwrap() {
        let function = function.unwrap();
        let name = function.file_name().into_string().unwrap();
        if !function.path().join("Cargo.toml").exists() {
            continue;
        }
        let sample = root.join("events").join(format!("{name}.json"));
        let text =
            std::fs::read_to_string(&sample).unwrap_or_else(|_| panic!("{} is missing", sample.display()));
        assert!(serde_json::from_str::<Value>(&text).unwrap().is_object(), "{name}");
    }
}

#[test]
fn every_sample_of_a_request_finds_the_function_that_it_is_for() {
    let endpoints = endpoints();
    for (name, function, text) in REQUESTS {
        let sample: Value = serde_json::from_str(text).unwrap();
        let Event(request) = serde_json::from_str(text).unwrap();
        let path = request.raw_http_path().to_owned();
        let address = |endpoint: &Endpoint| (endpoint.method, endpoint.path);
        let RouteMatch::Found(route, _) = find(&endpoints, address, request.method(), &path) else {
            panic!("{name}: {path}")
        };
        assert_eq!(route.function, function, "{name}");
        assert_eq!(sample["version"], "2.0", "{name}");
        assert_eq!(sample["routeKey"], format!("{} {}", route.method, route.path), "{name}");
        assert_eq!(sample["requestContext"]["routeKey"], sample["routeKey"], "{name}");
        assert_eq!(sample["requestContext"]["http"]["path"], sample["rawPath"], "{name}");
        let signed_in = sample["requestContext"]["authorizer"]["jwt"]["claims"]["sub"].is_string();
        assert_eq!(signed_in, route.access != Access::Open, "{name}");
    }
}

/// A local AWS with its two tables, and functions that use it.
async fn aws() -> (LoopbackAws, Setup) {
    let now = || "2026-12-01T09:00:00Z".parse::<Timestamp>().unwrap();
    let tables = loopback_aws::Tables { main: "main".to_owned(), tokens: "tokens".to_owned() };
    let aws = LoopbackAws::start(loopback_aws::Options {
        folder: None,
        tables,
        now: Arc::new(now),
        secrets: [("settings".to_owned(), String::new())].into(),
        bucket: "media".to_owned(),
        secret_key: "secret".to_owned(),
    })
    .await
    .unwrap();
    let variables = Variables::from_iter([
        ("AWS_REGION", loopback_aws::REGION),
        ("AWS_ACCESS_KEY_ID", loopback_aws::ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", aws.secret_key()),
        ("AWS_ENDPOINT_URL", aws.url()),
        ("AWS_ENDPOINT_URL_DYNAMODB", aws.dynamodb_url()),
        ("AWS_LAMBDA_FUNCTION_NAME", "deliver"),
        ("MAIN_TABLE", "main"),
        ("TOKENS_TABLE", "tokens"),
        ("SETTINGS_SECRET", "settings"),
        ("TOKEN_KEYS", r#"{"current":"k1","k1":"0123456789abcdef0123456789abcdef"}"#),
        ("EVENT_BUS", "bus"),
        ("MEDIA_BUCKET", "media"),
        ("FRONTEND_URL", "https://app.example.com"),
    ]);
    let setup = Setup::new(variables, Clock::new(now), Random::system()).unwrap();
    (aws, setup)
}

#[tokio::test]
async fn every_sample_of_a_request_is_answered_by_its_function_as_in_a_new_stack() {
    let (_aws, setup) = aws().await;
    let functions = Functions::new(&setup).unwrap();
    for (name, function, text) in REQUESTS {
        let Event(request) = serde_json::from_str(text).unwrap();
        let answer = functions.answer(function, request).await;
        let text = String::from_utf8_lossy(answer.body().as_ref()).into_owned();
        // Nothing is configured yet, so the operations that need Pinterest are refused.
        let expected_status = match function {
            Function::OauthStart | Function::Publish => 409,
            Function::OauthCallback => 302,
            Function::Analytics => 404, // no account is connected
            _ => 200,
        };
        assert_eq!(answer.status(), expected_status, "{name}: {text}");
        match function {
            Function::OauthCallback => {
                let location = answer.headers()["location"].to_str().unwrap();
                assert_eq!(location, "https://app.example.com/app/channels#error=state_invalid");
            }
            Function::AdminSave => {
                let domain = "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com";
                let settings: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(
                    settings["redirect_uris"][0],
                    format!("{domain}/api/v1/auth/pinterest/callback"),
                    "where the request came in"
                );
            }
            _ => {}
        }
    }
    assert!(Docs::new(&setup).site().base_url(&lambda_http::Request::default()).starts_with("https://"));
}

#[test]
fn the_samples_of_the_rules_wake_the_workers_for_the_right_job() {
    let sample = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let deliver = sample(include_str!("../../../events/deliver.json"));
    let refresh = sample(include_str!("../../../events/refresh.json"));
    let daily_check = sample(include_str!("../../../events/refresh-daily-check.json"));
    for minute in [&deliver, &refresh] {
        assert_eq!(
            (&minute["source"], &minute["detail-type"]),
            (&json!("aws.events"), &json!("Scheduled Event"))
        );
        assert_eq!(RefreshJob::from_event(minute), RefreshJob::Tick);
    }
    assert_eq!(RefreshJob::from_event(&daily_check), RefreshJob::DailyCheck);
    for other in [json!({}), json!(null), json!("daily_check"), json!({"job": "other"}), json!([])] {
        assert_eq!(RefreshJob::from_event(&other), RefreshJob::Tick, "{other}");
    }
}

fn stream(text: &str) -> StreamEvent {
    serde_json::from_str(text).unwrap()
}

const CHANGES: &str = include_str!("../../../events/events.json");

#[tokio::test]
async fn the_sample_of_the_stream_becomes_the_event_of_a_published_pin() {
    let (aws, setup) = aws().await;
    let unhandled = Events::new(setup.event_bus().unwrap()).publish(stream(CHANGES)).await;
    assert!(unhandled.batch_item_failures.is_empty(), "{unhandled:?}");

    let events = aws.events();
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!((event.source.as_str(), event.detail_type.as_str()), ("pinwright", "pin.published"));
    assert_eq!(event.detail["pin_id"], "pin_01kbcfrw2xq7v4j9b6k0s3e8hz");
    assert_eq!(event.detail["pinterest_pin_id"], "549755885023");
    assert_eq!(event.detail["id"], "pin_01kbcfrw2xq7v4j9b6k0s3e8hz|2");
    assert_eq!(event.time, "2026-12-01T09:00:22Z".parse::<Timestamp>().unwrap());
}

#[tokio::test]
async fn a_repeated_batch_has_the_same_event_ids() {
    let (aws, setup) = aws().await;
    let events = Events::new(setup.event_bus().unwrap());
    for _ in 0..2 {
        events.publish(stream(CHANGES)).await;
    }
    let details: Vec<_> = aws.events().into_iter().map(|event| event.detail).collect();
    assert_eq!(details.len(), 2);
    assert_eq!(details[0], details[1]);
}

#[tokio::test]
async fn an_unreadable_record_is_named_and_the_records_before_it_become_events() {
    let (aws, setup) = aws().await;
    let mut changes: Value = serde_json::from_str(CHANGES).unwrap();
    let mut broken = changes["Records"][1].clone();
    broken["dynamodb"]["NewImage"]["state"] = json!({"S": "nonsense"});
    broken["dynamodb"]["SequenceNumber"] = json!("4421584500000000017450439900");
    changes["Records"].as_array_mut().unwrap().push(broken);

    let unhandled = Events::new(setup.event_bus().unwrap()).publish(stream(&changes.to_string())).await;

    let named: Vec<_> =
        unhandled.batch_item_failures.iter().map(|first| first.item_identifier.as_deref()).collect();
    assert_eq!(named, [Some("4421584500000000017450439900")]);
    assert_eq!(aws.events().len(), 1);
}

#[tokio::test]
async fn content_length_of_the_samples_is_right() {
    for (name, _, text) in REQUESTS {
        let sample: Value = serde_json::from_str(text).unwrap();
        let Some(body) = sample["body"].as_str() else { continue };
        assert_eq!(sample["headers"]["content-length"], body.len().to_string(), "{name}");
        assert!(serde_json::from_str::<Value>(body).unwrap().is_object(), "{name}");
    }
}
