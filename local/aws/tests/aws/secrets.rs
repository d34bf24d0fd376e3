use crate::harness::{KEYS, SECRET_KEY, SETTINGS, call, call_as, in_folder, in_memory, send};
use loopback_aws::LoopbackAws;
use serde_json::{Value, json};
use tests::signed_headers;

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

    let get_response = get(&aws, json!({ "SecretId": "nobody's" })).await;
    let put_response = put_secret(&aws, "nobody's", "value", TOKEN).await;

    let fault = json!({
        "__type": "ResourceNotFoundException",
        "Message": "Secrets Manager can't find the specified secret.",
    });
    assert_eq!(get_response, (400, fault.clone()));
    assert_eq!(put_response, (400, fault));
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
    let put_response = put_secret(&aws, KEYS, "the second keys", TOKEN).await;

    let (_, current) = get(&aws, json!({ "SecretId": KEYS })).await;
    let (_, previous) = get(&aws, json!({ "SecretId": KEYS, "VersionStage": "AWSPREVIOUS" })).await;
    let (_, by_version) = get(&aws, json!({ "SecretId": KEYS, "VersionId": previous["VersionId"] })).await;

    assert_eq!(put_response.0, 200);
    assert_eq!(put_response.1["VersionId"], TOKEN);
    assert_eq!((&current["VersionId"], &current["SecretString"]), (&json!(TOKEN), &json!("the second keys")));
    assert_eq!(previous["SecretString"], "the first keys");
    assert_eq!(by_version, previous);
}

#[tokio::test]
async fn a_repeated_put_changes_nothing() {
    let aws = in_memory().await;
    let first = put_secret(&aws, KEYS, "second", TOKEN).await;

    let repeated = put_secret(&aws, KEYS, "second", TOKEN).await;

    let (_, previous) = get(&aws, json!({ "SecretId": KEYS, "VersionStage": "AWSPREVIOUS" })).await;
    assert_eq!(repeated, first);
    assert_eq!(previous["SecretString"], "the first keys");
}

#[tokio::test]
async fn a_token_stands_for_one_value_only() {
    let aws = in_memory().await;
    put_secret(&aws, KEYS, "second", TOKEN).await;

    let (status, fault) = put_secret(&aws, KEYS, "third", TOKEN).await;
    let (_, current) = get(&aws, json!({ "SecretId": KEYS })).await;

    assert_eq!((status, &fault["__type"]), (400, &json!("ResourceExistsException")));
    assert_eq!(current["SecretString"], "second");
}

#[tokio::test]
async fn a_put_without_a_value_or_with_a_short_token_is_refused() {
    let aws = in_memory().await;

    let no_value = json!({ "SecretId": KEYS, "ClientRequestToken": TOKEN }).to_string();
    let (_, no_value) = call(aws.url(), "secretsmanager.PutSecretValue", &no_value).await;
    let (_, short_token) = put_secret(&aws, KEYS, "value", "short").await;

    assert_eq!(no_value["__type"], "InvalidRequestException");
    assert_eq!(short_token["__type"], "InvalidParameterException");
}

#[tokio::test]
async fn a_stored_value_outlives_a_restart_and_wins_over_the_initial_value() {
    let folder = tempfile::tempdir().unwrap();
    let aws = in_folder(folder.path()).await;
    put_secret(&aws, KEYS, "second", TOKEN).await;
    put_secret(&aws, KEYS, "third", OTHER_TOKEN).await;
    put_secret(&aws, SETTINGS, "settings", TOKEN).await;
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
async fn a_page_whose_name_resolves_to_this_machine_reads_no_secret() {
    let aws = in_memory().await;
    let address = aws.url().strip_prefix("http://").unwrap();

    let body = json!({ "SecretId": KEYS }).to_string();
    let get = "secretsmanager.GetSecretValue";
    let (status, fault) = call_as(address, "evil.example", SECRET_KEY, get, &body).await;

    assert_eq!((status, &fault["__type"]), (400, &json!("AccessDeniedException")));
}

#[tokio::test]
async fn nobody_gets_an_answer_without_the_secret_of_this_run() {
    let aws = in_memory().await;
    let secret = json!({ "SecretId": KEYS }).to_string();
    let table = json!({ "TableName": "main" }).to_string();
    let events = json!({ "Entries": [] }).to_string();
    for url in [aws.url(), aws.dynamodb_url()] {
        let host = url.strip_prefix("http://").unwrap();
        for (target, body) in [
            ("secretsmanager.GetSecretValue", &secret),
            ("DynamoDB_20120810.Scan", &table),
            ("AWSEvents.PutEvents", &events),
        ] {
            let (status, fault) = send(host, host, &format!("X-Amz-Target: {target}\r\n"), body).await;
            let unsigned = "MissingAuthenticationTokenException";
            assert_eq!((status, &fault["__type"]), (400, &json!(unsigned)), "{target}");

            let (status, fault) = call_as(host, host, "of another run", target, body).await;
            let invalid_signature = "InvalidSignatureException";
            assert_eq!((status, &fault["__type"]), (400, &json!(invalid_signature)), "{target}");
        }
    }
}

#[tokio::test]
async fn a_signature_is_good_for_its_call_and_no_other() {
    let aws = in_memory().await;
    let host = aws.url().strip_prefix("http://").unwrap();
    let (get, body) = ("secretsmanager.GetSecretValue", json!({ "SecretId": KEYS }).to_string());
    let signed = signed_headers(SECRET_KEY, aws.url(), get, &body);
    let lines = |change: &dyn Fn(&str, &str) -> String| -> String {
        let lines = signed
            .iter()
            .map(|(name, value)| format!("{name}: {}\r\n", change(name.as_str(), value.to_str().unwrap())));
        lines.collect()
    };
    let other_secret = json!({ "SecretId": SETTINGS }).to_string();
    let as_signed = lines(&|_, value| value.to_owned());
    for (case, headers, body, code) in [
        ("another body", as_signed.clone(), &other_secret, "InvalidSignatureException"),
        ("a header more", format!("{as_signed}x-amz-security-token: x\r\n"), &body, "AccessDenied"),
        (
            "another operation",
            as_signed.replace("GetSecretValue", "PutSecretValue"),
            &body,
            "InvalidSignatureException",
        ),
        (
            "another key",
            as_signed.replace("Credential=local", "Credential=AKIA"),
            &body,
            "UnrecognizedClientException",
        ),
        (
            "another service",
            as_signed.replace("/secretsmanager/", "/dynamodb/"),
            &body,
            "UnrecognizedClientException",
        ),
        (
            "an old time",
            lines(&|name, value| match name {
                "x-amz-date" => format!("{}T000000Z", &value[..8]),
                _ => value.to_owned(),
            }),
            &body,
            "InvalidSignatureException",
        ),
        ("no signature", as_signed.replace("Signature=", "Sig="), &body, "IncompleteSignatureException"),
    ] {
        let (status, fault) = send(host, host, &headers, body).await;
        assert_eq!((status, &fault["__type"]), (400, &json!(code)), "{case}");
    }
    assert_eq!(send(host, host, &as_signed, &body).await.0, 200);
}

async fn get(aws: &LoopbackAws, request: Value) -> (u16, Value) {
    call(aws.url(), "secretsmanager.GetSecretValue", &request.to_string()).await
}

async fn put_secret(aws: &LoopbackAws, id: &str, value: &str, token: &str) -> (u16, Value) {
    let request = json!({ "SecretId": id, "SecretString": value, "ClientRequestToken": token });
    call(aws.url(), "secretsmanager.PutSecretValue", &request.to_string()).await
}
