use crate::harness::{KEYS, SETTINGS, call, call_as, in_folder, in_memory};
use loopback_aws::LoopbackAws;
use serde_json::{Value, json};

const TOKEN: &str = "5a8c2a34-8f5d-4d0c-9a4f-111111111111";
const OTHER_TOKEN: &str = "5a8c2a34-8f5d-4d0c-9a4f-222222222222";

#[tokio::test]
async fn a_secret_starts_with_the_value_it_is_given() {
    let aws = in_memory().await;

    let (status, secret) = get(&aws, json!({ "SecretId": KEYS })).await;

    assert_eq!(status, 200);
    assert_eq!(secret["Name"], KEYS);
    assert_eq!(secret["SecretString"], "the first keys");
    assert_eq!(secret["VersionStages"], json!(["AWSCURRENT"]));
    assert_eq!(secret["CreatedDate"], 1_772_366_400.0);
}

#[tokio::test]
async fn a_secret_is_found_by_its_arn_too() {
    let aws = in_memory().await;
    let (_, by_name) = get(&aws, json!({ "SecretId": KEYS })).await;

    let (_, by_arn) = get(&aws, json!({ "SecretId": by_name["ARN"] })).await;

    assert!(
        by_name["ARN"].as_str().unwrap().starts_with("arn:aws:secretsmanager:us-east-1:000000000000:secret:")
    );
    assert_eq!(by_arn, by_name);
}

#[tokio::test]
async fn a_secret_that_does_not_exist_is_not_found() {
    let aws = in_memory().await;

    let read = get(&aws, json!({ "SecretId": "nobody's" })).await;
    let written = put(&aws, "nobody's", "value", TOKEN).await;

    let fault = json!({
        "__type": "ResourceNotFoundException",
        "Message": "Secrets Manager can't find the specified secret.",
    });
    assert_eq!(read, (400, fault.clone()));
    assert_eq!(written, (400, fault));
}

#[tokio::test]
async fn a_secret_without_a_value_is_an_error() {
    let aws = in_memory().await;

    let answer = get(&aws, json!({ "SecretId": SETTINGS })).await;

    let fault = json!({
        "__type": "ResourceNotFoundException",
        "Message": "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
    });
    assert_eq!(answer, (400, fault));
}

#[tokio::test]
async fn a_new_value_is_current_and_the_old_one_previous() {
    let aws = in_memory().await;
    let written = put(&aws, KEYS, "the second keys", TOKEN).await;

    let (_, current) = get(&aws, json!({ "SecretId": KEYS })).await;
    let (_, previous) = get(&aws, json!({ "SecretId": KEYS, "VersionStage": "AWSPREVIOUS" })).await;
    let (_, by_version) = get(&aws, json!({ "SecretId": KEYS, "VersionId": previous["VersionId"] })).await;

    assert_eq!(written.0, 200);
    assert_eq!(written.1["VersionId"], TOKEN);
    assert_eq!((&current["VersionId"], &current["SecretString"]), (&json!(TOKEN), &json!("the second keys")));
    assert_eq!(previous["SecretString"], "the first keys");
    assert_eq!(by_version, previous);
}

#[tokio::test]
async fn a_repeated_put_changes_nothing() {
    let aws = in_memory().await;
    let first = put(&aws, KEYS, "second", TOKEN).await;

    let again = put(&aws, KEYS, "second", TOKEN).await;

    let (_, previous) = get(&aws, json!({ "SecretId": KEYS, "VersionStage": "AWSPREVIOUS" })).await;
    assert_eq!(again, first);
    assert_eq!(previous["SecretString"], "the first keys");
}

#[tokio::test]
async fn a_token_stands_for_one_value_only() {
    let aws = in_memory().await;
    put(&aws, KEYS, "second", TOKEN).await;

    let (status, fault) = put(&aws, KEYS, "third", TOKEN).await;
    let (_, current) = get(&aws, json!({ "SecretId": KEYS })).await;

    assert_eq!((status, &fault["__type"]), (400, &json!("ResourceExistsException")));
    assert_eq!(current["SecretString"], "second");
}

#[tokio::test]
async fn a_put_without_a_value_or_with_a_short_token_is_refused() {
    let aws = in_memory().await;

    let no_value = json!({ "SecretId": KEYS, "ClientRequestToken": TOKEN }).to_string();
    let (_, no_value) = call(aws.url(), "secretsmanager.PutSecretValue", &no_value).await;
    let (_, short_token) = put(&aws, KEYS, "value", "short").await;

    assert_eq!(no_value["__type"], "InvalidRequestException");
    assert_eq!(short_token["__type"], "InvalidParameterException");
}

#[tokio::test]
async fn a_stored_value_outlives_a_restart_and_wins_over_the_initial_value() {
    let folder = tempfile::tempdir().unwrap();
    let aws = in_folder(folder.path()).await;
    put(&aws, KEYS, "second", TOKEN).await;
    put(&aws, KEYS, "third", OTHER_TOKEN).await;
    put(&aws, SETTINGS, "settings", TOKEN).await;
    aws.stop().await.unwrap();

    let aws = in_folder(folder.path()).await;
    let (_, keys) = get(&aws, json!({ "SecretId": KEYS })).await;
    let (_, previous) = get(&aws, json!({ "SecretId": KEYS, "VersionStage": "AWSPREVIOUS" })).await;
    let (_, settings) = get(&aws, json!({ "SecretId": SETTINGS })).await;

    assert_eq!(keys["SecretString"], "third");
    assert_eq!(previous["SecretString"], "second");
    assert_eq!(settings["SecretString"], "settings");
}

#[tokio::test]
async fn a_call_that_the_product_does_not_make_is_refused() {
    let aws = in_memory().await;

    let (status, fault) = call(aws.url(), "secretsmanager.ListSecrets", "{}").await;

    assert_eq!((status, &fault["__type"]), (400, &json!("UnknownOperationException")));
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_not_repeated() {
    let aws = in_memory().await;

    let body = json!({ "SecretId": KEYS, "SecretString": ["hush"], "ClientRequestToken": TOKEN }).to_string();
    let (status, fault) = call(aws.url(), "secretsmanager.PutSecretValue", &body).await;

    assert_eq!((status, &fault["__type"]), (400, &json!("SerializationException")));
    assert!(!fault.to_string().contains("hush"));
}

#[tokio::test]
async fn a_page_that_leads_its_own_name_here_reads_no_secret() {
    let aws = in_memory().await;
    let address = aws.url().strip_prefix("http://").unwrap();

    let body = json!({ "SecretId": KEYS }).to_string();
    let (status, fault) = call_as(address, "evil.example", "secretsmanager.GetSecretValue", &body).await;

    assert_eq!((status, &fault["__type"]), (400, &json!("AccessDeniedException")));
}

async fn get(aws: &LoopbackAws, request: Value) -> (u16, Value) {
    call(aws.url(), "secretsmanager.GetSecretValue", &request.to_string()).await
}

async fn put(aws: &LoopbackAws, id: &str, value: &str, token: &str) -> (u16, Value) {
    let request = json!({ "SecretId": id, "SecretString": value, "ClientRequestToken": token });
    call(aws.url(), "secretsmanager.PutSecretValue", &request.to_string()).await
}
