use crate::harness::{
    TestClock, call, copy_folder, dynamodb, has_row, in_folder, in_memory, options, put_row,
};
use futures::FutureExt as _;
use jiff::SignedDuration;
use loopback_aws::LoopbackAws;
use serde_json::{Value, json};

#[tokio::test]
async fn both_tables_are_keyed_and_billed_as_in_the_deployed_stack() {
    let aws = in_memory().await;

    for table in ["main", "tokens"] {
        let described = dynamodb(&aws, "DescribeTable", json!({ "TableName": table })).await;
        let ttl = dynamodb(&aws, "DescribeTimeToLive", json!({ "TableName": table })).await;

        assert_eq!(described["Table"]["KeySchema"], keys("pk", "sk"));
        assert_eq!(described["Table"]["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST");
        assert_eq!(
            ttl["TimeToLiveDescription"],
            json!({ "AttributeName": "expires_at", "TimeToLiveStatus": "ENABLED" })
        );
    }
}

#[tokio::test]
async fn main_is_indexed_by_due_time_channel_and_publish_time_and_tokens_by_due_time_only() {
    let aws = in_memory().await;

    let main = indexes(&aws, "main").await;
    let tokens = indexes(&aws, "tokens").await;

    let due = ("due".to_owned(), keys("due_pk", "due_sk"), json!("KEYS_ONLY"));
    let queue = ("queue".to_owned(), keys("queue_pk", "queue_sk"), json!("KEYS_ONLY"));
    let list = ("list".to_owned(), keys("tenant", "publish_at"), json!("INCLUDE"));
    assert_eq!(main, [due.clone(), list, queue]);
    assert_eq!(tokens, [due]);
}

#[tokio::test]
async fn only_main_has_a_stream_and_it_holds_both_images() {
    let aws = in_memory().await;

    let main = dynamodb(&aws, "DescribeTable", json!({ "TableName": "main" })).await;
    let tokens = dynamodb(&aws, "DescribeTable", json!({ "TableName": "tokens" })).await;

    assert_eq!(
        main["Table"]["StreamSpecification"],
        json!({ "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" })
    );
    assert_eq!(tokens["Table"].get("StreamSpecification"), None);
}

#[tokio::test]
async fn a_row_expires_by_the_given_clock_and_only_on_request() {
    let folder = tempfile::tempdir().unwrap();
    for place in [None, Some(folder.path())] {
        let clock = TestClock::new();
        let aws = LoopbackAws::start(options(place, &clock)).await.unwrap();
        let expires_at = clock.now().as_second() + 60;
        let row = json!({ "pk": { "S": "a" }, "sk": { "S": "ROW" }, "expires_at": { "N": expires_at.to_string() } });
        dynamodb(&aws, "PutItem", json!({ "TableName": "tokens", "Item": row })).await;
        put_row(&aws, "tokens", "b").await;

        let at_once = aws.remove_expired().unwrap();
        clock.advance(SignedDuration::from_secs(61));
        let unasked = has_row(&aws, "tokens", "a").await;
        let later = aws.remove_expired().unwrap();

        assert_eq!((at_once, unasked, later), (0, true, 1));
        assert!(!has_row(&aws, "tokens", "a").await);
        assert!(has_row(&aws, "tokens", "b").await);
    }
}

#[tokio::test]
async fn rows_outlive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let aws = in_folder(folder.path()).await;
    put_row(&aws, "main", "a").await;
    aws.stop().await.unwrap();

    let aws = in_folder(folder.path()).await;

    assert!(has_row(&aws, "main", "a").await);
}

#[tokio::test]
async fn a_process_that_dies_leaves_every_answered_write_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let aws = in_folder(folder.path()).await;
    for pk in ["a", "b", "c"] {
        put_row(&aws, "main", pk).await;
    }
    let left_behind = copy_folder(folder.path());

    let aws = in_folder(left_behind.path()).await;

    for pk in ["a", "b", "c"] {
        assert!(has_row(&aws, "main", pk).await);
    }
    assert_eq!(aws.stream().next_batch().unwrap().unwrap().event["Records"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn files_of_an_interrupted_first_start_are_not_used() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["dynamodb.new", "dynamodb.new-wal"] {
        std::fs::write(folder.path().join(name), "half a database").unwrap();
    }

    let aws = in_folder(folder.path()).await;

    put_row(&aws, "main", "a").await;
    assert!(!folder.path().join("dynamodb.new").exists());
}

async fn indexes(aws: &LoopbackAws, table: &str) -> Vec<(String, Value, Value)> {
    let described = dynamodb(aws, "DescribeTable", json!({ "TableName": table })).await;
    let mut indexes: Vec<_> = described["Table"]["GlobalSecondaryIndexes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|index| {
            let name = index["IndexName"].as_str().unwrap().to_owned();
            (name, index["KeySchema"].clone(), index["Projection"]["ProjectionType"].clone())
        })
        .collect();
    indexes.sort_by(|a, b| a.0.cmp(&b.0));
    indexes
}

fn keys(partition: &str, sort: &str) -> Value {
    json!([
        { "AttributeName": partition, "KeyType": "HASH" },
        { "AttributeName": sort, "KeyType": "RANGE" },
    ])
}

/// What `cargo lambda watch` runs is another process: the local stack sleeps until something is due, and has to hear
/// of what others write.
#[tokio::test]
async fn other_processes_get_dynamodbs_answers_and_their_writes_reach_the_stream() {
    let aws = in_memory().await;
    let call = async |operation: &str, body: Value| {
        call(aws.url(), &format!("DynamoDB_20120810.{operation}"), &body.to_string()).await
    };
    let key = json!({ "pk": { "S": "a" }, "sk": { "S": "ROW" } });

    let (status, missing) = call("GetItem", json!({ "TableName": "main", "Key": key })).await;
    assert_eq!((status, missing), (200, json!({})));
    assert_eq!(aws.next_write().now_or_never(), None, "a read is no write");

    let condition = "attribute_not_exists(pk)";
    let request = json!({ "TableName": "main", "Item": key, "ConditionExpression": condition });
    assert_eq!(call("PutItem", request.clone()).await.0, 200);
    assert_eq!(aws.next_write().now_or_never(), Some(()));
    assert!(has_row(&aws, "main", "a").await);

    let (status, refused) = call("PutItem", request.clone()).await;
    assert_eq!(status, 400);
    assert!(refused["__type"].as_str().unwrap().ends_with("#ConditionalCheckFailedException"), "{refused}");

    let part = json!({ "Put": request });
    let (status, cancelled) = call("TransactWriteItems", json!({ "TransactItems": [part] })).await;
    assert_eq!(status, 400);
    assert_eq!(cancelled["CancellationReasons"][0]["Code"], "ConditionalCheckFailed", "{cancelled}");

    assert_eq!(call("DeleteTable", json!({ "TableName": "main" })).await.0, 400, "nobody asks for that");
    assert_eq!(call("PutItem", json!([])).await.0, 400);
}
