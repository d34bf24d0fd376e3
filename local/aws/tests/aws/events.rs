use crate::harness::{TestClock, call, in_folder, in_memory};
use loopback_aws::LoopbackAws;
use serde_json::{Value, json};
use std::{fs::OpenOptions, io::Write};

#[tokio::test]
async fn an_event_gets_an_id_and_is_stored() {
    let aws = in_memory().await;

    let mut first = entry("pin.published", r#"{"pin":"1"}"#);
    first["Time"] = json!(1_700_000_000.5);
    first["Resources"] = json!(["arn:aws:any"]);
    let (status, answer) = put_events(&aws, &[first, entry("pin.failed", "{}")]).await;
    let events = aws.events();

    assert_eq!((status, &answer["FailedEntryCount"]), (200, &json!(0)));
    assert_eq!(answer["Entries"], json!([{ "EventId": events[0].id }, { "EventId": events[1].id }]));
    assert_ne!(events[0].id, events[1].id);
    assert_eq!(events[0].source, "pinwright");
    assert_eq!(events[0].detail_type, "pin.published");
    assert_eq!(events[0].detail, json!({ "pin": "1" }));
    assert_eq!(events[0].resources, ["arn:aws:any"]);
    assert_eq!(events[0].time.as_millisecond(), 1_700_000_000_500);
    assert_eq!(events[1].time, TestClock::new().now());
}

#[tokio::test]
async fn a_malformed_entry_fails_alone() {
    let aws = in_memory().await;

    let nameless = json!({ "Source": "pinwright", "Detail": "{}" });
    let (status, answer) =
        put_events(&aws, &[entry("a", "not json"), nameless, entry("b", "[]"), entry("c", "{}")]).await;

    let codes: Vec<&Value> = (0..4).map(|n| &answer["Entries"][n]["ErrorCode"]).collect();
    assert_eq!((status, &answer["FailedEntryCount"]), (200, &json!(3)));
    assert_eq!(
        codes,
        [&json!("MalformedDetail"), &json!("InvalidArgument"), &json!("MalformedDetail"), &Value::Null]
    );
    assert_eq!(aws.events().iter().map(|event| event.detail_type.as_str()).collect::<Vec<_>>(), ["c"]);
}

#[tokio::test]
async fn a_call_takes_one_to_ten_entries() {
    let aws = in_memory().await;
    let entries = vec![entry("a", "{}"); 11];

    let (no_entries, _) = put_events(&aws, &[]).await;
    let (ten, _) = put_events(&aws, &entries[..10]).await;
    let (eleven, fault) = put_events(&aws, &entries).await;

    assert_eq!((no_entries, ten, eleven), (400, 200, 400));
    assert_eq!(fault["__type"], "ValidationException");
    assert_eq!(aws.events().len(), 10);
}

#[tokio::test]
async fn a_call_takes_at_most_256_kilobytes() {
    let aws = in_memory().await;
    let detail = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - 8));
    let others = "pinwright".len() + "a".len();

    let (fits, _) = put_events(&aws, &[entry("a", &detail(256 * 1024 - others))]).await;
    let (too_large, fault) = put_events(&aws, &[entry("a", &detail(256 * 1024 - others + 1))]).await;

    assert_eq!((fits, too_large), (200, 400));
    assert_eq!(fault["__type"], "ValidationException");
}

#[tokio::test]
async fn events_outlive_a_restart_and_their_ids_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let aws = in_folder(folder.path()).await;
    put_events(&aws, &[entry("a", "{}"), entry("b", "{}")]).await;
    let before = aws.events();
    aws.stop().await.unwrap();

    let aws = in_folder(folder.path()).await;
    put_events(&aws, &[entry("c", "{}")]).await;
    let events = aws.events();

    assert_eq!(events[..2], before);
    assert_eq!(events[2].detail_type, "c");
    assert!(before.iter().all(|event| event.id != events[2].id));
}

#[tokio::test]
async fn an_incomplete_line_after_a_crash_is_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let aws = in_folder(folder.path()).await;
    put_events(&aws, &[entry("a", "{}")]).await;
    aws.stop().await.unwrap();
    let mut file = OpenOptions::new().append(true).open(folder.path().join("events.jsonl")).unwrap();
    file.write_all(br#"{"id":"0000"#).unwrap();

    let aws = in_folder(folder.path()).await;
    put_events(&aws, &[entry("b", "{}")]).await;
    aws.stop().await.unwrap();
    let aws = in_folder(folder.path()).await;

    assert_eq!(aws.events().iter().map(|event| event.detail_type.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

#[tokio::test]
async fn only_the_last_ten_thousand_events_are_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let event = |n: usize| {
        json!({
            "id": n.to_string(), "source": "s", "detail-type": "t", "time": "2026-03-01T12:00:00Z",
            "resources": [], "detail": {},
        })
    };
    let lines: Vec<String> = (0..10_005).map(|n| event(n).to_string() + "\n").collect();
    std::fs::write(folder.path().join("events.jsonl"), lines.concat()).unwrap();

    let events = in_folder(folder.path()).await.events();

    assert_eq!((events.len(), events[0].id.as_str()), (10_000, "5"));
}

fn entry(detail_type: &str, detail: &str) -> Value {
    json!({ "Source": "pinwright", "DetailType": detail_type, "Detail": detail, "EventBusName": "default" })
}

async fn put_events(aws: &LoopbackAws, entries: &[Value]) -> (u16, Value) {
    call(aws.url(), "AWSEvents.PutEvents", &json!({ "Entries": entries }).to_string()).await
}
