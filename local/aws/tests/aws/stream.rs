use crate::harness::{TestClock, dynamodb, in_folder, in_memory, options, put_row};
use aws_lambda_events::dynamodb::Event;
use jiff::SignedDuration;
use loopback_aws::{Batch, Error, LoopbackAws};
use serde_json::json;
use std::fs;

#[tokio::test]
async fn a_batch_is_an_event_as_lambda_sends_it() {
    let clock = TestClock::new();
    let aws = LoopbackAws::start(options(None, &clock)).await.unwrap();
    put_row(&aws, "main", "a").await;
    let changed = json!({ "pk": { "S": "a" }, "sk": { "S": "ROW" }, "n": { "N": "1" } });
    dynamodb(&aws, "PutItem", json!({ "TableName": "main", "Item": changed })).await;
    let key = json!({ "pk": { "S": "a" }, "sk": { "S": "ROW" } });
    dynamodb(&aws, "DeleteItem", json!({ "TableName": "main", "Key": key })).await;
    clock.advance(SignedDuration::from_secs(5));

    let batch = aws.stream().next_batch().unwrap().unwrap();
    let event: Event = serde_json::from_value(batch.event.clone()).unwrap();

    let names: Vec<&str> = event.records.iter().map(|record| record.event_name.as_str()).collect();
    assert_eq!(names, ["INSERT", "MODIFY", "REMOVE"]);
    let modified = &event.records[1];
    assert_eq!(modified.aws_region, "us-east-1");
    assert_eq!(modified.event_source.as_deref(), Some("aws:dynamodb"));
    assert_eq!(modified.event_version.as_deref(), Some("1.1"));
    assert_eq!(modified.change.approximate_creation_date_time.timestamp(), clock.now().as_second());
    assert_eq!(
        modified.change.size_bytes,
        batch.event["Records"][1]["dynamodb"]["SizeBytes"].as_i64().unwrap()
    );
    let raw = &batch.event["Records"][1];
    assert_eq!(raw["dynamodb"]["Keys"], key);
    assert_eq!(raw["dynamodb"]["OldImage"], key);
    assert_eq!(raw["dynamodb"]["NewImage"], changed);
    assert_eq!(raw["dynamodb"]["StreamViewType"], "NEW_AND_OLD_IMAGES");
    let arn = raw["eventSourceARN"].as_str().unwrap();
    assert!(arn.starts_with("arn:aws:dynamodb:us-east-1:000000000000:table/main/stream/"), "{arn}");
    assert_eq!(batch.last, batch.event["Records"][2]["dynamodb"]["SequenceNumber"].as_str().unwrap());
}

#[tokio::test]
async fn tokens_are_not_in_the_stream() {
    let aws = in_memory().await;
    put_row(&aws, "tokens", "a").await;

    let batch = aws.stream().next_batch().unwrap();

    assert!(batch.is_none());
}

#[tokio::test]
async fn a_batch_is_repeated_until_it_is_committed() {
    let aws = in_memory().await;
    let stream = aws.stream();
    put_row(&aws, "main", "a").await;

    let first = stream.next_batch().unwrap().unwrap();
    put_row(&aws, "main", "b").await;
    let repeated = stream.next_batch().unwrap().unwrap();
    stream.commit(&repeated).unwrap();
    let after = stream.next_batch().unwrap();

    assert_eq!(rows(&first), ["a"]);
    assert_eq!(rows(&repeated), ["a", "b"]);
    assert!(after.is_none());
}

#[tokio::test]
async fn a_partly_committed_batch_goes_on_at_its_first_remaining_record() {
    let aws = in_memory().await;
    let stream = aws.stream();
    for pk in ["a", "b", "c"] {
        put_row(&aws, "main", pk).await;
    }

    let batch = stream.next_batch().unwrap().unwrap();
    stream.commit_through(sequence_number(&batch, 0)).unwrap();
    let remaining = stream.next_batch().unwrap().unwrap();

    assert_eq!(rows(&remaining), ["b", "c"]);
}

#[tokio::test]
async fn a_late_commit_of_an_earlier_record_takes_nothing_back() {
    let aws = in_memory().await;
    let stream = aws.stream();
    for pk in ["a", "b"] {
        put_row(&aws, "main", pk).await;
    }

    let batch = stream.next_batch().unwrap().unwrap();
    stream.commit(&batch).unwrap();
    stream.commit_through(sequence_number(&batch, 0)).unwrap();

    assert!(stream.next_batch().unwrap().is_none());
}

#[tokio::test]
async fn a_record_that_was_not_delivered_cannot_be_committed() {
    let aws = in_memory().await;
    let stream = aws.stream();
    put_row(&aws, "main", "a").await;
    stream.next_batch().unwrap();

    let refused = ["1", "999999999999999999999"].map(|number| stream.commit_through(number));

    assert!(refused.iter().all(|refused| matches!(refused, Err(Error::NotDelivered { .. }))));
    assert_eq!(rows(&stream.next_batch().unwrap().unwrap()), ["a"]);
}

#[tokio::test]
async fn a_batch_holds_at_most_a_hundred_records() {
    let aws = in_memory().await;
    let stream = aws.stream();
    let pks: Vec<String> = (0..103).map(|n| format!("{n:03}")).collect();
    for pk in &pks {
        put_row(&aws, "main", pk).await;
    }

    let first = stream.next_batch().unwrap().unwrap();
    stream.commit(&first).unwrap();
    let second = stream.next_batch().unwrap().unwrap();

    assert_eq!(rows(&first), pks[..100]);
    assert_eq!(rows(&second), pks[100..]);
}

#[tokio::test]
async fn only_uncommitted_records_are_repeated_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let aws = in_folder(folder.path()).await;
    for pk in ["a", "b", "c"] {
        put_row(&aws, "main", pk).await;
    }
    let batch = aws.stream().next_batch().unwrap().unwrap();
    aws.stream().commit_through(sequence_number(&batch, 1)).unwrap();
    aws.stop().await.unwrap();

    let aws = in_folder(folder.path()).await;
    put_row(&aws, "main", "d").await;
    let remaining = aws.stream().next_batch().unwrap().unwrap();

    assert_eq!(rows(&remaining), ["c", "d"]);
    assert_eq!(remaining.event["Records"][0], batch.event["Records"][2]);
}

#[tokio::test]
async fn handled_records_leave_the_file_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let aws = in_folder(folder.path()).await;
    for pk in ["a", "b", "c"] {
        put_row(&aws, "main", pk).await;
    }
    let batch = aws.stream().next_batch().unwrap().unwrap();
    aws.stream().commit_through(sequence_number(&batch, 1)).unwrap();
    aws.stop().await.unwrap();

    let aws = in_folder(folder.path()).await;
    aws.stop().await.unwrap();
    fs::remove_file(folder.path().join("stream.json")).unwrap();
    let aws = in_folder(folder.path()).await;

    assert_eq!(rows(&aws.stream().next_batch().unwrap().unwrap()), ["b", "c"]);
}

#[tokio::test]
async fn a_new_database_is_read_from_its_start_in_spite_of_an_old_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = json!({ "stream": "arn of another", "handled": "109999999999999999999" });
    fs::write(folder.path().join("stream.json"), checkpoint.to_string()).unwrap();

    let aws = in_folder(folder.path()).await;
    put_row(&aws, "main", "a").await;

    assert_eq!(rows(&aws.stream().next_batch().unwrap().unwrap()), ["a"]);
}

fn rows(batch: &Batch) -> Vec<&str> {
    let records = batch.event["Records"].as_array().unwrap();
    records.iter().map(|record| record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap()).collect()
}

fn sequence_number(batch: &Batch, record: usize) -> &str {
    batch.event["Records"][record]["dynamodb"]["SequenceNumber"].as_str().unwrap()
}
