//! What outlives the stack: it is never made anew, and its tables are those that all tests run on.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use loopback_aws::{LoopbackAws, Options, Tables};
use serde_json::{Value, json};
use tests::signed_headers;

use crate::{holds, project::Project, template::list};

/// The types of what people would miss: without tables and secrets all accounts would have to be connected again,
/// without the key a table could not be read, users are the tenants of what is in them, and Pins wait for their files.
const KEPT: [&str; 5] = [
    "AWS::DynamoDB::Table",
    "AWS::SecretsManager::Secret",
    "AWS::KMS::Key",
    "AWS::Cognito::UserPool",
    "AWS::S3::Bucket",
];

#[test]
fn tables_and_secrets_outlive_the_stack() {
    holds(deletion_policies);
}

pub(crate) fn deletion_policies(project: &Project) -> Vec<String> {
    let mut complaints = Vec::new();
    for (id, resource) in KEPT.iter().flat_map(|kind| project.resources(kind)) {
        for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
            if resource[policy] != "Retain" {
                complaints.push(format!("{id} has no {policy} of Retain"));
            }
        }
        if resource["Type"] == KEPT[0] && resource["Properties"]["DeletionProtectionEnabled"] != true {
            complaints.push(format!("{id} can be deleted by hand"));
        }
        // With a name, the table that an old stack left would be in a new one's way.
        for name in ["TableName", "Name", "BucketName"] {
            if !resource["Properties"][name].is_null() {
                complaints.push(format!("{id} has a name of its own"));
            }
        }
    }
    complaints
}

#[test]
fn no_deployment_makes_a_new_key_ring_or_writes_over_what_an_admin_saved() {
    holds(secrets);
}

pub(crate) fn secrets(project: &Project) -> Vec<String> {
    // CloudFormation makes a new value whenever any of this changes, and then no stored token opens again. Whatever
    // has to change, it is not this: keys are added in the secret itself.
    let ring = json!({
        "Description": "Keys that seal Pinterest tokens",
        "GenerateSecretString": {
            "SecretStringTemplate": "{\"current\":\"k1\"}",
            "GenerateStringKey": "k1",
            "PasswordLength": 64,
            "ExcludePunctuation": true,
        },
    });
    let mut complaints = Vec::new();
    let key_ring = &project.resource("KeyRing")["Properties"];
    if key_ring != &ring {
        complaints.push(format!("a deployment would make a new key ring: {key_ring} is not {ring}"));
    }
    for field in ["SecretString", "GenerateSecretString"] {
        if !project.resource("SettingsSecret")["Properties"][field].is_null() {
            complaints.push(format!("a deployment would write over the settings: {field}"));
        }
    }
    for secret in ["KeyRing", "SettingsSecret"] {
        let key_ring = project.resource(secret);
        if key_ring["Type"] != "AWS::SecretsManager::Secret" || !key_ring["Condition"].is_null() {
            complaints.push(format!("{secret} is not a secret that is always there"));
        }
    }
    complaints
}

#[test]
fn files_need_a_signed_address_and_expire() {
    holds(files);
}

pub(crate) fn files(project: &Project) -> Vec<String> {
    let properties = &project.resource("MediaBucket")["Properties"];
    let closed = ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];
    let mut complaints = Vec::new();
    for name in closed.iter().filter(|name| properties["PublicAccessBlockConfiguration"][**name] != true) {
        complaints.push(format!("the bucket can be opened to all: {name}"));
    }
    let tls = json!([{
        "Sid": "NothingWithoutTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [{ "Fn::GetAtt": "MediaBucket.Arn" }, { "Fn::Sub": "${MediaBucket.Arn}/*" }],
        "Condition": { "Bool": { "aws:SecureTransport": false } },
    }]);
    let policy = &project.resource("MediaBucketPolicy")["Properties"];
    if policy["PolicyDocument"]["Statement"] != tls || policy["Bucket"] != json!({ "Ref": "MediaBucket" }) {
        complaints.push(format!("the bucket's policy is not just that nothing goes without TLS: {policy}"));
    }
    let [rule, unused] = list(&properties["LifecycleConfiguration"]["Rules"])[..] else {
        let complaint = "the bucket has no two rules by which files end: all, and those that no Pin names";
        return [complaints, vec![complaint.to_owned()]].concat();
    };
    let tag = json!([{ "Key": "pinwright", "Value": "unused" }]);
    if unused["Status"] != "Enabled" || unused["TagFilters"] != tag || !unused["ExpirationInDays"].is_number()
    {
        complaints.push(format!("files that no Pin names stay: {unused}"));
    }
    let upload_ends = &rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"];
    let ends = rule["Status"] == "Enabled" && rule["ExpirationInDays"] == json!({ "Ref": "MediaDays" });
    if !ends || !upload_ends.is_number() || !rule["Prefix"].is_null() || !rule["TagFilters"].is_null() {
        complaints.push(format!("not all files come to an end: {rule}"));
    }
    if project.template["Parameters"]["MediaDays"]["Default"].as_i64() < Some(365 + 7) {
        complaints.push("a file ends before the Pin that may wait for it longest".to_owned());
    }
    // Pages send, and never read: what lets them in is the address that they were given.
    let cors = &properties["CorsConfiguration"]["CorsRules"];
    let expected_cors = json!([{"AllowedOrigins": ["*"], "AllowedMethods": ["PUT"], "AllowedHeaders": ["content-type", "if-none-match", "x-amz-tagging"], "MaxAge": 3600}]);
    if *cors != expected_cors {
        complaints.push(format!("pages cannot send files, or can do more: {cors}"));
    }
    complaints
}

#[test]
fn the_tables_are_those_of_the_tests() {
    holds(tables);
}

pub(crate) fn tables(project: &Project) -> Vec<String> {
    let local = local();
    let mut complaints = Vec::new();
    for (id, local) in ["MainTable", "TokensTable"].into_iter().zip(local) {
        let properties = &project.resource(id)["Properties"];
        let live = &properties["TimeToLiveSpecification"];
        let live = if live["Enabled"] == true { &live["AttributeName"] } else { &Value::Null };
        for ((what, there), (_, wanted)) in form(properties, live).into_iter().zip(local) {
            if there != wanted {
                complaints.push(format!("{id} has the {what} {there}; all tests run with {wanted}"));
            }
        }
        if properties["BillingMode"] != "PAY_PER_REQUEST" {
            complaints.push(format!("{id} is not paid for by request"));
        }
    }
    if project.resources("AWS::DynamoDB::Table").len() != 2 {
        complaints.push("there are not just the two tables that the code knows".to_owned());
    }
    complaints
}

/// What queries, streams and removal depend on. A description by DynamoDB has the fields of a template's table.
fn form(table: &Value, time_to_live: &Value) -> BTreeMap<&'static str, Value> {
    let sorted = |value: &Value, by: &str| {
        let mut all: Vec<_> = list(value).into_iter().cloned().collect();
        all.sort_by_key(|item| item[by].to_string());
        all
    };
    let mut indexes = sorted(&table["GlobalSecondaryIndexes"], "IndexName");
    for index in &mut indexes {
        *index = json!({
            "IndexName": index["IndexName"],
            "KeySchema": index["KeySchema"],
            "Projection": index["Projection"],
        });
    }
    BTreeMap::from([
        ("keys", table["KeySchema"].clone()),
        ("attributes", json!(sorted(&table["AttributeDefinitions"], "AttributeName"))),
        ("indexes", json!(indexes)),
        ("local indexes", json!(list(&table["LocalSecondaryIndexes"]))),
        ("stream", table["StreamSpecification"]["StreamViewType"].clone()),
        ("time to live", time_to_live.clone()),
    ])
}

/// The tables of the local stack, as its DynamoDB describes them.
fn local() -> [BTreeMap<&'static str, Value>; 2] {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let tables = Tables { main: "main".to_owned(), tokens: "tokens".to_owned() };
        let (now, secrets) = (Arc::new(Timestamp::now), BTreeMap::new());
        let (bucket, secret_key) = ("media".to_owned(), "secret".to_owned());
        let options = Options { folder: None, tables, now, secrets, bucket, secret_key };
        let aws = LoopbackAws::start(options).await.unwrap();
        let mut forms = Vec::new();
        for name in ["main", "tokens"] {
            let table = describe(&aws, "DescribeTable", name).await;
            let live = describe(&aws, "DescribeTimeToLive", name).await;
            forms.push(form(&table["Table"], &live["TimeToLiveDescription"]["AttributeName"]));
        }
        forms.try_into().unwrap()
    })
}

/// One question about a table.
async fn describe(aws: &LoopbackAws, operation: &str, table: &str) -> Value {
    let (url, body) = (aws.dynamodb_url(), json!({ "TableName": table }).to_string());
    let headers = signed_headers(aws.secret_key(), url, &format!("DynamoDB_20120810.{operation}"), &body);
    let tls = rustls::ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into());
    let tls = tls.with_safe_default_protocol_versions().unwrap();
    let tls = tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls).build().unwrap();
    let response = client.post(url).headers(headers).body(body).send().await.unwrap();
    let answer = response.error_for_status().unwrap().text().await.unwrap();
    serde_json::from_str(&answer).unwrap()
}
