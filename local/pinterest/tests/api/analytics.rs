//! Numbers: the same to the same question, none where Pinterest has none, refused where Pinterest refuses.

use serde_json::{Value, json};
use simulated_pinterest::{Environment, Operation};

use crate::harness::{Harness, SCOPES};

const DAY: i64 = 24 * 60 * 60;
/// The day on which the clock starts is 2027-01-15; ten days later, this is asked.
const DAYS: &str = "start_date=2027-01-14&end_date=2027-01-25";

/// A Pin of ten days ago, and a token.
async fn ten_days_later() -> (Harness, String, String) {
    let harness = Harness::start().await;
    let token = harness.access_token().await;
    let pin = harness.post(&token, "/pins", &harness.image_pin("Salad")).await.text("id");
    harness.advance(10 * DAY);
    (harness, token, pin)
}

/// Each day, its status, and whether it has numbers.
fn rows(body: &Value) -> Vec<(String, String, bool)> {
    let rows = body["all"]["daily_metrics"].as_array().unwrap();
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let has_numbers = |row: &Value| !row["metrics"].as_object().unwrap().is_empty();
    rows.iter().map(|row| (text(row, "date"), text(row, "data_status"), has_numbers(row))).collect()
}

fn row(date: &str, status: &str, has_numbers: bool) -> (String, String, bool) {
    (date.to_owned(), status.to_owned(), has_numbers)
}

#[tokio::test]
async fn a_pin_has_numbers_from_its_first_day_to_the_day_before_yesterday() {
    let (harness, token, pin) = ten_days_later().await;
    let path = format!("/pins/{pin}/analytics?{DAYS}&metric_types=IMPRESSION,SAVE_RATE,TOTAL_REACTIONS");

    let response = harness.get(&token, &path).await;

    assert_eq!(response.status, 200, "{response:?}");
    let rows = rows(&response.body);
    assert_eq!(rows.len(), 12);
    assert_eq!(rows[0], row("2027-01-14", "BEFORE_PIN_CREATED", false));
    assert_eq!(rows[1], row("2027-01-15", "READY", true));
    assert_eq!(
        rows[9..],
        [
            row("2027-01-23", "READY", true),
            row("2027-01-24", "PROCESSING", false),
            row("2027-01-25", "PROCESSING", false),
        ]
    );
    let all = &response.body["all"];
    let daily = all["daily_metrics"].as_array().unwrap();
    let sum: u64 = daily.iter().filter_map(|row| row["metrics"]["IMPRESSION"].as_u64()).sum();
    assert!(sum > 0);
    assert_eq!(all["summary_metrics"]["IMPRESSION"], sum);
    assert!(
        all["lifetime_metrics"]["TOTAL_REACTIONS"].is_u64()
            && all["summary_metrics"].get("TOTAL_REACTIONS").is_none()
    );
    assert_eq!(harness.get(&token, &path).await.body, response.body, "the same question has the same answer");
}

#[tokio::test]
async fn an_account_has_what_its_pins_have_and_its_best_pins_come_first() {
    let (harness, token, first) = ten_days_later().await;
    let second = harness.post(&token, "/pins", &harness.image_pin("New")).await.text("id");

    let account = harness.get(&token, &format!("/user_account/analytics?{DAYS}")).await;
    let pin = harness.get(&token, &format!("/pins/{first}/analytics?{DAYS}&metric_types=IMPRESSION")).await;
    let top = harness.get(&token, &format!("/user_account/analytics/top_pins?{DAYS}&sort_by=SAVE")).await;

    let sum = |body: &Value| body["all"]["summary_metrics"]["IMPRESSION"].clone();
    assert_eq!(rows(&account.body)[0], row("2027-01-14", "BEFORE_BUSINESS_CREATED", false));
    assert_eq!(account.body["all"]["summary_metrics"].as_object().unwrap().len(), 9);
    assert_eq!(sum(&account.body), sum(&pin.body), "the other Pin is of today");
    assert_eq!(top.body["date_availability"]["latest_available_timestamp"], 1_800_748_799_000_u64);
    let pins = top.body["pins"].as_array().unwrap();
    assert_eq!((&pins[0]["pin_id"], &pins[1]["pin_id"]), (&json!(first), &json!(second)));
    assert_eq!(pins[0]["metrics"]["IMPRESSION"], sum(&pin.body));
    assert_eq!((&pins[1]["metrics"], &pins[1]["data_status"]["SAVE"]), (&json!({}), &json!("PROCESSING")));
}

#[tokio::test]
async fn a_list_of_pins_has_their_numbers_in_short_when_they_are_asked_for() {
    let (harness, token, _) = ten_days_later().await;

    let without_metrics = harness.get(&token, "/pins").await;
    let with = harness.get(&token, "/pins?pin_metrics=true").await;

    assert_eq!(without_metrics.items()[0]["pin_metrics"], Value::Null);
    let numbers = &with.items()[0]["pin_metrics"];
    assert_eq!(numbers["90d"]["impression"], numbers["lifetime_metrics"]["impression"]);
    assert!(numbers["90d"]["clickthrough"].is_u64() && numbers["lifetime_metrics"]["comment"].is_u64());
}

#[tokio::test]
async fn a_query_outside_the_contract_is_refused() {
    let (harness, token, pin) = ten_days_later().await;
    let account = "/user_account/analytics";
    let of_pin = format!("/pins/{pin}/analytics");
    for (path, refusal) in [
        (account.to_owned(), (400, 400)),
        (format!("{account}?start_date=2027-01-20&end_date=2027-01-19"), (400, 400)),
        (format!("{account}?start_date=soon&end_date=2027-01-19"), (400, 400)),
        (format!("{account}?start_date=2026-10-26&end_date=2027-01-19"), (400, 400)),
        (format!("{account}?{DAYS}&metric_types=LIKES"), (400, 400)),
        (format!("{account}/top_pins?{DAYS}"), (400, 400)),
        (format!("{account}/top_pins?{DAYS}&sort_by=SAVE_RATE"), (400, 400)),
        (format!("{account}/top_pins?{DAYS}&sort_by=SAVE&num_of_pins=51"), (400, 400)),
        (format!("{of_pin}?{DAYS}"), (400, 400)),
        (format!("{of_pin}?{DAYS}&metric_types=VIDEO_START"), (400, 400)),
        (format!("/pins/1/analytics?{DAYS}&metric_types=SAVE"), (404, 404)),
    ] {
        assert_eq!(harness.get(&token, &path).await.refusal(), refusal, "{path}");
    }
    let oldest = format!("{account}?start_date=2026-10-27&end_date=2027-01-25");
    assert_eq!(harness.get(&token, &oldest).await.status, 200, "90 days back");
}

#[tokio::test]
async fn numbers_need_their_scopes_and_are_not_for_the_sandbox() {
    let (harness, _, pin) = ten_days_later().await;
    let of_pin = format!("/pins/{pin}/analytics?{DAYS}&metric_types=SAVE");
    let paths = [
        (format!("/user_account/analytics?{DAYS}"), "user_accounts:read"),
        (format!("/user_account/analytics/top_pins?{DAYS}&sort_by=SAVE"), "pins:read"),
        (of_pin, "boards:read"),
    ];
    for (path, scope) in &paths {
        let others: Vec<_> = SCOPES.split(',').filter(|granted| granted != scope).collect();
        let pair = harness.connect(Environment::Production, &others.join(","), "demo_account").await;
        let response = harness.get(&pair.text("access_token"), path).await;
        assert_eq!(response.refusal(), (401, 3), "{path} without {scope}");
    }

    let pair = harness.connect(Environment::Sandbox, SCOPES, "demo_account").await;
    for (path, _) in &paths {
        let url = format!("{}{path}", harness.api(Environment::Sandbox));
        let request = harness.client.get(url).bearer_auth(pair.text("access_token"));
        assert_eq!(crate::harness::send(request).await.refusal(), (403, 29), "{path}");
    }
    let counts = [Operation::AccountAnalytics, Operation::TopPins, Operation::PinAnalytics];
    assert_eq!(counts.map(|operation| harness.pinterest.calls_of(operation)), [2, 2, 2]);
}
