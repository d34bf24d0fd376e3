//! Numbers: asked of Pinterest as they are, kept for minutes, and never made up.

mod refused;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::Operation;

use crate::{
    refusals::said,
    stage::{PINS, Stage, days, id, minutes},
};

/// Every operation of Pinterest's that has numbers.
const NUMBERS: [Operation; 4] =
    [Operation::AccountAnalytics, Operation::TopPins, Operation::PinAnalytics, Operation::ListPins];

/// A stage whose channels are on the real Pinterest, as it is simulated: with a channel of Ada's.
async fn in_production() -> (Stage, String) {
    let stage = Stage::configured().await;
    stage.save(json!({"environment": "production"})).await;
    let channel = stage.connect("ada").await;
    (stage, channel)
}

/// The same, with a Pin of ten days ago: its id, and Pinterest's id of it.
async fn ten_days_later() -> (Stage, String, String, String) {
    let (stage, channel) = in_production().await;
    stage.choose_board("ada", &channel).await;
    let pin = stage.publish("ada", &channel, "Salad").await.expect(201);
    stage.advance(days(10)).await;
    let remote = pin["pinterest_pin_id"].as_str().unwrap().to_owned();
    (stage, channel, id(&pin), remote)
}

fn of_channel(channel: &str, what: &str) -> String {
    format!("/api/v1/channels/{channel}/{what}")
}

fn of_pin(pin: &str) -> String {
    format!("{PINS}/{pin}/analytics")
}

/// All four questions.
fn questions(channel: &str, pin: &str) -> [String; 4] {
    let of = |what| of_channel(channel, what);
    [of("analytics"), of("top-pins"), of("pin-metrics"), of_pin(pin)]
}

fn today(stage: &Stage) -> Date {
    stage.stack.now().to_zoned(TimeZone::UTC).date()
}

fn ago(stage: &Stage, days: i32) -> String {
    today(stage).checked_sub(jiff::Span::new().days(days)).unwrap().to_string()
}

/// How often Pinterest was asked for numbers.
fn asked(stage: &Stage) -> usize {
    NUMBERS.into_iter().map(|operation| stage.pinterest().calls_of(operation)).sum()
}

fn rows(body: &Value) -> &Vec<Value> {
    body["rows"].as_array().unwrap()
}

#[tokio::test]
async fn a_channels_numbers_come_day_by_day_and_what_nobody_knows_is_null() {
    let (stage, channel, ..) = ten_days_later().await;
    let query = format!("analytics?from={}&to={}&metrics=SAVE,IMPRESSION", ago(&stage, 12), ago(&stage, 0));

    let seen = stage.get(&of_channel(&channel, &query), "ada").await.expect(200);

    assert_eq!((&seen["channel_id"], &seen["to"]), (&json!(channel), &json!(ago(&stage, 0))));
    let rows = rows(&seen);
    assert_eq!(rows.len(), 13);
    let nothing = json!({"IMPRESSION": null, "SAVE": null});
    let mut sum = 0;
    for (row, back) in rows.iter().zip((0..=12).rev()) {
        assert_eq!(row["date"], ago(&stage, back));
        let status = match back {
            0 | 1 => "PROCESSING",
            11 | 12 => "BEFORE_BUSINESS_CREATED",
            _ => "READY",
        };
        assert_eq!(row["data_status"], status, "{row}");
        if status == "READY" {
            sum += row["metrics"]["IMPRESSION"].as_u64().unwrap();
            assert!(row["metrics"]["SAVE"].is_u64(), "{row}");
        } else {
            assert_eq!(row["metrics"], nothing, "{row}");
        }
    }
    assert!(sum > 0);
    assert_eq!(seen["summary"]["IMPRESSION"], sum);
    assert_eq!(
        seen["read_at"].as_str().unwrap().parse::<Timestamp>().unwrap().as_second() / 60,
        stage.stack.now().as_second() / 60
    );
}

#[tokio::test]
async fn days_that_are_not_counted_yet_have_no_sum_either() {
    let (stage, channel) = in_production().await;
    let today = format!("analytics?from={}&metrics=IMPRESSION", ago(&stage, 0));

    let seen = stage.get(&of_channel(&channel, &today), "ada").await.expect(200);

    let row = json!({"date": ago(&stage, 0), "data_status": "PROCESSING", "metrics": {"IMPRESSION": null}});
    assert_eq!(seen["rows"], json!([row]));
    assert_eq!(seen["summary"], json!({"IMPRESSION": null}));
}

#[tokio::test]
async fn without_a_question_thirty_days_of_all_metrics_are_meant() {
    let (stage, channel, pin, _) = ten_days_later().await;
    for (path, metrics) in [(of_channel(&channel, "analytics"), 9), (of_pin(&pin), 7)] {
        let seen = stage.get(&path, "ada").await.expect(200);

        assert_eq!((&seen["from"], &seen["to"]), (&json!(ago(&stage, 29)), &json!(ago(&stage, 0))), "{path}");
        assert_eq!(rows(&seen).len(), 30);
        assert!(rows(&seen).iter().all(|row| row["metrics"].as_object().unwrap().len() == metrics), "{seen}");
    }
    let oldest = format!("analytics?from={}", ago(&stage, 89));
    assert_eq!(rows(&stage.get(&of_channel(&channel, &oldest), "ada").await.expect(200)).len(), 90);
    let early = format!("analytics?to={}", ago(&stage, 80));
    let seen = stage.get(&of_channel(&channel, &early), "ada").await.expect(200);
    assert_eq!(seen["from"], ago(&stage, 89), "no further than Pinterest looks");
}

#[tokio::test]
async fn a_pins_numbers_have_comments_and_reactions_of_its_whole_life() {
    let (stage, channel, pin, remote) = ten_days_later().await;
    let query =
        format!("{}?from={}&metrics=IMPRESSION,TOTAL_REACTIONS,SAVE_RATE", of_pin(&pin), ago(&stage, 11));

    let seen = stage.get(&query, "ada").await.expect(200);

    let ids = (&seen["pin_id"], &seen["pinterest_pin_id"], &seen["channel_id"]);
    assert_eq!(ids, (&json!(pin), &json!(remote), &json!(channel)));
    assert_eq!(rows(&seen)[0]["data_status"], "BEFORE_PIN_CREATED");
    assert_eq!(rows(&seen)[0]["metrics"], json!({"IMPRESSION": null, "SAVE_RATE": null}));
    assert!(rows(&seen)[1]["metrics"]["SAVE_RATE"].is_f64(), "{seen}");
    assert!(seen["lifetime"]["TOTAL_REACTIONS"].is_u64(), "{seen}");
    assert_eq!(seen["lifetime"].as_object().unwrap().len(), 1);
    assert!(seen["summary"].get("TOTAL_REACTIONS").is_none(), "no day counts it, so no days do");
}

#[tokio::test]
async fn what_only_videos_have_is_not_asked_of_an_image() {
    let (stage, _, pin, _) = ten_days_later().await;

    let refused = stage.get(&format!("{}?metrics=VIDEO_START", of_pin(&pin)), "ada").await;

    assert_eq!(said(&refused), "422 invalid_metric");
    assert!(refused.json()["fix"].as_str().unwrap().contains("USER_FOLLOW"), "{}", refused.text);
}

#[tokio::test]
async fn the_best_pins_and_the_whole_list_name_the_pins_that_are_ours() {
    let (stage, channel, pin, remote) = ten_days_later().await;
    stage.connect("eve").await; // the same account, another tenant
    let of_eve = stage.get("/api/v1/channels", "eve").await.expect(200)["items"][0]["id"].clone();
    stage.choose_board("eve", of_eve.as_str().unwrap()).await;
    let stranger = stage.publish("eve", of_eve.as_str().unwrap(), "Eve's").await.expect(201);
    let url = format!("https://www.pinterest.com/pin/{remote}/");

    let top = stage.get(&of_channel(&channel, "top-pins?sort_by=SAVE&metrics=SAVE"), "ada").await.expect(200);
    let list = stage.get(&of_channel(&channel, "pin-metrics"), "ada").await.expect(200);

    assert_eq!((&top["sort_by"], &top["next"]), (&json!("SAVE"), &Value::Null));
    assert!(top["counted_until"].is_string());
    let best = &top["items"][0];
    assert_eq!((&best["pin_id"], &best["pinterest_pin_id"]), (&json!(pin), &json!(remote)));
    assert_eq!(best["pinterest_pin_url"], url);
    assert!(best["metrics"]["SAVE"].is_u64(), "{best}");
    let new = &top["items"][1];
    assert_eq!((&new["pinterest_pin_id"], &new["pin_id"]), (&stranger["pinterest_pin_id"], &Value::Null));
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

    let theirs = stage.get(&of_channel(of_eve.as_str().unwrap(), "pin-metrics"), "eve").await.expect(200);
    assert_eq!(theirs["items"][0]["pin_id"], stranger["id"]);
    assert_eq!(theirs["items"][1]["pin_id"], Value::Null);
}

#[tokio::test]
async fn a_long_list_comes_page_by_page() {
    let (stage, channel, ..) = ten_days_later().await;
    for number in 0..4 {
        stage.publish("ada", &channel, &format!("Pin {number}")).await.expect(201);
    }
    let (mut titles, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = stage
            .get(&of_channel(&channel, &format!("pin-metrics?limit=2{cursor}")), "ada")
            .await
            .expect(200);
        assert!(page["items"].as_array().unwrap().len() <= 2);
        titles.extend(page["items"].as_array().unwrap().iter().map(|item| item["title"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        cursor =
            format!("&cursor={}", url::form_urlencoded::byte_serialize(next.as_bytes()).collect::<String>());
    }
    assert_eq!(titles, ["Pin 3", "Pin 2", "Pin 1", "Pin 0", "Salad"]);
    assert_eq!(stage.pinterest().calls_of(Operation::ListPins), 3);

    let nowhere = stage.get(&of_channel(&channel, "pin-metrics?cursor=nonsense"), "ada").await;
    assert_eq!(said(&nowhere), "422 invalid_cursor");
    assert_eq!(nowhere.json()["field"], "cursor");
}

#[tokio::test]
async fn the_same_question_asks_pinterest_once_in_five_minutes() {
    let (stage, channel, pin, _) = ten_days_later().await;
    for (number, question) in questions(&channel, &pin).into_iter().enumerate() {
        let first = stage.get(&question, "ada").await.expect(200);
        assert_eq!(asked(&stage), number + 1);
        assert_eq!(stage.get(&question, "ada").await.expect(200), first);
    }
    assert_eq!(asked(&stage), 4);
    let spelled = of_channel(&channel, "top-pins?sort_by=IMPRESSION&limit=10");
    stage.get(&spelled, "ada").await.expect(200);
    assert_eq!(asked(&stage), 4, "the same question in more words");
    stage.get(&of_channel(&channel, "analytics?metrics=SAVE"), "ada").await.expect(200);
    assert_eq!(asked(&stage), 5, "another question");

    stage.advance(minutes(5)).await;
    for question in questions(&channel, &pin) {
        stage.get(&question, "ada").await.expect(200);
    }
    assert_eq!(asked(&stage), 9);
}

#[tokio::test]
async fn what_was_answered_is_told_to_nobody_else_and_not_after_the_end() {
    let (stage, channel, pin, _) = ten_days_later().await;
    let all = questions(&channel, &pin);
    for question in &all {
        stage.get(question, "ada").await.expect(200);
    }
    for question in &all {
        assert_eq!(stage.get(question, "eve").await.problem(404), "not_found", "{question}");
    }

    let path = format!("/api/v1/channels/{channel}");
    stage.call(Method::DELETE, &path, &stage.user("ada"), None).await.expect(200);
    for question in &all {
        assert_eq!(stage.get(question, "ada").await.problem(404), "not_found", "{question}");
    }
    assert_eq!(asked(&stage), 4);
}
