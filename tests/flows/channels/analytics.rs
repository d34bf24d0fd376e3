//! Analytics: numbers come from Pinterest unchanged, are cached for minutes, and are never invented.

mod refused;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::Operation;

use crate::{
    harness::problems::status_and_code,
    harness::{PINS, TestApp, days, id, minutes},
};

/// Every operation of Pinterest's that has numbers.
const NUMBERS: [Operation; 4] =
    [Operation::AccountAnalytics, Operation::TopPins, Operation::PinAnalytics, Operation::ListPins];

/// An app in the production environment (of the simulated Pinterest), and a channel of Ada.
async fn in_production() -> (TestApp, String) {
    let app = TestApp::start_configured().await;
    app.save(json!({"environment": "production"})).await;
    let channel = app.connect("ada").await;
    (app, channel)
}

/// The same with a Pin of ten days ago, its id, and its id at Pinterest.
async fn ten_days_later() -> (TestApp, String, String, String) {
    let (app, channel) = in_production().await;
    app.choose_board("ada", &channel).await;
    let pin = app.publish("ada", &channel, "Salad").await.expect(201);
    app.advance(days(10)).await;
    let remote = pin["pinterest_pin_id"].as_str().unwrap().to_owned();
    (app, channel, id(&pin), remote)
}

fn of_channel(channel: &str, resource: &str) -> String {
    format!("/api/v1/channels/{channel}/{resource}")
}

fn of_pin(pin: &str) -> String {
    format!("{PINS}/{pin}/analytics")
}

/// The paths of all four queries.
fn queries(channel: &str, pin: &str) -> [String; 4] {
    let of = |resource| of_channel(channel, resource);
    [of("analytics"), of("top-pins"), of("pin-metrics"), of_pin(pin)]
}

fn today(app: &TestApp) -> Date {
    app.stack.now().to_zoned(TimeZone::UTC).date()
}

fn ago(app: &TestApp, days: i32) -> String {
    today(app).checked_sub(jiff::Span::new().days(days)).unwrap().to_string()
}

/// How many calls for numbers Pinterest has got.
fn metric_calls(app: &TestApp) -> usize {
    NUMBERS.into_iter().map(|operation| app.pinterest().calls_of(operation)).sum()
}

fn rows(body: &Value) -> &Vec<Value> {
    body["rows"].as_array().unwrap()
}

#[tokio::test]
async fn a_channels_numbers_are_daily_and_unknown_values_are_null() {
    let (app, channel, ..) = ten_days_later().await;
    let query = format!("analytics?from={}&to={}&metrics=SAVE,IMPRESSION", ago(&app, 12), ago(&app, 0));

    let report = app.get(&of_channel(&channel, &query), "ada").await.expect(200);

    assert_eq!((&report["channel_id"], &report["to"]), (&json!(channel), &json!(ago(&app, 0))));
    let rows = rows(&report);
    assert_eq!(rows.len(), 13);
    let unknown_values = json!({"IMPRESSION": null, "SAVE": null});
    let mut sum = 0;
    for (row, days_ago) in rows.iter().zip((0..=12).rev()) {
        assert_eq!(row["date"], ago(&app, days_ago));
        let status = match days_ago {
            0 | 1 => "PROCESSING",
            11 | 12 => "BEFORE_BUSINESS_CREATED",
            _ => "READY",
        };
        assert_eq!(row["data_status"], status, "{row}");
        if status == "READY" {
            sum += row["metrics"]["IMPRESSION"].as_u64().unwrap();
            assert!(row["metrics"]["SAVE"].is_u64(), "{row}");
        } else {
            assert_eq!(row["metrics"], unknown_values, "{row}");
        }
    }
    assert!(sum > 0);
    assert_eq!(report["summary"]["IMPRESSION"], sum);
    assert_eq!(
        report["read_at"].as_str().unwrap().parse::<Timestamp>().unwrap().as_second() / 60,
        app.stack.now().as_second() / 60
    );
}

#[tokio::test]
async fn days_that_are_not_counted_yet_have_no_sum_either() {
    let (app, channel) = in_production().await;
    let today = format!("analytics?from={}&metrics=IMPRESSION", ago(&app, 0));

    let report = app.get(&of_channel(&channel, &today), "ada").await.expect(200);

    let row = json!({"date": ago(&app, 0), "data_status": "PROCESSING", "metrics": {"IMPRESSION": null}});
    assert_eq!(report["rows"], json!([row]));
    assert_eq!(report["summary"], json!({"IMPRESSION": null}));
}

#[tokio::test]
async fn a_query_without_parameters_means_thirty_days_of_all_metrics() {
    let (app, channel, pin, _) = ten_days_later().await;
    for (path, metrics) in [(of_channel(&channel, "analytics"), 9), (of_pin(&pin), 7)] {
        let report = app.get(&path, "ada").await.expect(200);

        assert_eq!((&report["from"], &report["to"]), (&json!(ago(&app, 29)), &json!(ago(&app, 0))), "{path}");
        assert_eq!(rows(&report).len(), 30);
        assert!(
            rows(&report).iter().all(|row| row["metrics"].as_object().unwrap().len() == metrics),
            "{report}"
        );
    }
    let oldest = format!("analytics?from={}", ago(&app, 89));
    assert_eq!(rows(&app.get(&of_channel(&channel, &oldest), "ada").await.expect(200)).len(), 90);
    let before_limit = format!("analytics?to={}", ago(&app, 80));
    let report = app.get(&of_channel(&channel, &before_limit), "ada").await.expect(200);
    assert_eq!(report["from"], ago(&app, 89), "no further than Pinterest looks");
}

#[tokio::test]
async fn a_pins_numbers_have_comments_and_reactions_of_its_whole_life() {
    let (app, channel, pin, remote) = ten_days_later().await;
    let query =
        format!("{}?from={}&metrics=IMPRESSION,TOTAL_REACTIONS,SAVE_RATE", of_pin(&pin), ago(&app, 11));

    let report = app.get(&query, "ada").await.expect(200);

    let ids = (&report["pin_id"], &report["pinterest_pin_id"], &report["channel_id"]);
    assert_eq!(ids, (&json!(pin), &json!(remote), &json!(channel)));
    assert_eq!(rows(&report)[0]["data_status"], "BEFORE_PIN_CREATED");
    assert_eq!(rows(&report)[0]["metrics"], json!({"IMPRESSION": null, "SAVE_RATE": null}));
    assert!(rows(&report)[1]["metrics"]["SAVE_RATE"].is_f64(), "{report}");
    assert!(report["lifetime"]["TOTAL_REACTIONS"].is_u64(), "{report}");
    assert_eq!(report["lifetime"].as_object().unwrap().len(), 1);
    assert!(report["summary"].get("TOTAL_REACTIONS").is_none(), "no day counts it, so no days do");
}

#[tokio::test]
async fn an_image_is_not_asked_for_video_metrics() {
    let (app, _, pin, _) = ten_days_later().await;

    let refused = app.get(&format!("{}?metrics=VIDEO_START", of_pin(&pin)), "ada").await;

    assert_eq!(status_and_code(&refused), "422 invalid_metric");
    assert!(refused.json()["fix"].as_str().unwrap().contains("USER_FOLLOW"), "{}", refused.text);
}

#[tokio::test]
async fn the_best_pins_and_the_whole_list_name_the_pins_that_are_ours() {
    let (app, channel, pin, remote) = ten_days_later().await;
    app.connect("eve").await; // the same account, another tenant
    let of_eve = app.get("/api/v1/channels", "eve").await.expect(200)["items"][0]["id"].clone();
    app.choose_board("eve", of_eve.as_str().unwrap()).await;
    let foreign_pin = app.publish("eve", of_eve.as_str().unwrap(), "Eve's").await.expect(201);
    let url = format!("https://www.pinterest.com/pin/{remote}/");

    let top = app.get(&of_channel(&channel, "top-pins?sort_by=SAVE&metrics=SAVE"), "ada").await.expect(200);
    let list = app.get(&of_channel(&channel, "pin-metrics"), "ada").await.expect(200);

    assert_eq!((&top["sort_by"], &top["next"]), (&json!("SAVE"), &Value::Null));
    assert!(top["counted_until"].is_string());
    let best = &top["items"][0];
    assert_eq!((&best["pin_id"], &best["pinterest_pin_id"]), (&json!(pin), &json!(remote)));
    assert_eq!(best["pinterest_pin_url"], url);
    assert!(best["metrics"]["SAVE"].is_u64(), "{best}");
    let new = &top["items"][1];
    assert_eq!((&new["pinterest_pin_id"], &new["pin_id"]), (&foreign_pin["pinterest_pin_id"], &Value::Null));
    assert_eq!(
        (&new["metrics"], &new["data_status"]["SAVE"]),
        (&json!({"SAVE": null}), &json!("PROCESSING"))
    );

    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(
        (&items[0]["pin_id"], &items[0]["title"]),
        (&Value::Null, &json!("Eve's")),
        "whose Pin it is, she knows"
    );
    assert_eq!((&items[1]["pin_id"], &items[1]["title"]), (&json!(pin), &json!("Salad")));
    let (recent, lifetime) = (&items[1]["last_90_days"], &items[1]["lifetime"]);
    assert!(recent["IMPRESSION"].as_u64().unwrap() > 0 && lifetime["TOTAL_COMMENTS"].is_u64(), "{list}");

    let foreign = app.get(&of_channel(of_eve.as_str().unwrap(), "pin-metrics"), "eve").await.expect(200);
    assert_eq!(foreign["items"][0]["pin_id"], foreign_pin["id"]);
    assert_eq!(foreign["items"][1]["pin_id"], Value::Null);
}

#[tokio::test]
async fn a_long_list_comes_page_by_page() {
    let (app, channel, ..) = ten_days_later().await;
    for number in 0..4 {
        app.publish("ada", &channel, &format!("Pin {number}")).await.expect(201);
    }
    let (mut titles, mut cursor) = (Vec::new(), String::new());
    loop {
        let page =
            app.get(&of_channel(&channel, &format!("pin-metrics?limit=2{cursor}")), "ada").await.expect(200);
        assert!(page["items"].as_array().unwrap().len() <= 2);
        titles.extend(page["items"].as_array().unwrap().iter().map(|item| item["title"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        cursor =
            format!("&cursor={}", url::form_urlencoded::byte_serialize(next.as_bytes()).collect::<String>());
    }
    assert_eq!(titles, ["Pin 3", "Pin 2", "Pin 1", "Pin 0", "Salad"]);
    assert_eq!(app.pinterest().calls_of(Operation::ListPins), 3);

    let invalid_cursor = app.get(&of_channel(&channel, "pin-metrics?cursor=nonsense"), "ada").await;
    assert_eq!(status_and_code(&invalid_cursor), "422 invalid_cursor");
    assert_eq!(invalid_cursor.json()["field"], "cursor");
}

#[tokio::test]
async fn the_same_query_calls_pinterest_once_in_five_minutes() {
    let (app, channel, pin, _) = ten_days_later().await;
    for (number, query) in queries(&channel, &pin).into_iter().enumerate() {
        let first = app.get(&query, "ada").await.expect(200);
        assert_eq!(metric_calls(&app), number + 1);
        assert_eq!(app.get(&query, "ada").await.expect(200), first);
    }
    assert_eq!(metric_calls(&app), 4);
    let spelled_out = of_channel(&channel, "top-pins?sort_by=IMPRESSION&limit=10");
    app.get(&spelled_out, "ada").await.expect(200);
    assert_eq!(metric_calls(&app), 4, "the same query in more words");
    app.get(&of_channel(&channel, "analytics?metrics=SAVE"), "ada").await.expect(200);
    assert_eq!(metric_calls(&app), 5, "another query");

    app.advance(minutes(5)).await;
    for query in queries(&channel, &pin) {
        app.get(&query, "ada").await.expect(200);
    }
    assert_eq!(metric_calls(&app), 9);
}

#[tokio::test]
async fn a_cached_answer_is_for_its_caller_only_and_not_after_a_disconnection() {
    let (app, channel, pin, _) = ten_days_later().await;
    let all = queries(&channel, &pin);
    for query in &all {
        app.get(query, "ada").await.expect(200);
    }
    for query in &all {
        assert_eq!(app.get(query, "eve").await.problem(404), "not_found", "{query}");
    }

    let path = format!("/api/v1/channels/{channel}");
    app.call(Method::DELETE, &path, &app.user("ada"), None).await.expect(200);
    for query in &all {
        assert_eq!(app.get(query, "ada").await.problem(404), "not_found", "{query}");
    }
    assert_eq!(metric_calls(&app), 4);
}
