//! An event bus that refuses entries, or does not answer: no event is lost, and those of one row keep their order.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use adapters::Transports;
use app::{Setup, handlers::Events};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
};
use aws_smithy_types::body::SdkBody;
use platform::{Clock, Random, Variables};
use serde_json::{Value, json};

use crate::harness::network;

/// The most records that a stream has here: several calls of ten entries.
const MAX_RECORDS: usize = 40;
/// How many rows they are of: some call has two records of one row.
const ROWS: usize = 5;

/// How the bus takes one entry.
type Takes = Box<dyn FnMut() -> bool + Send>;

/// A bus that refuses entries, and the ids of the events that it took, in order.
struct Bus {
    takes: Mutex<Takes>,
    accepted: Mutex<Vec<String>>,
}

impl std::fmt::Debug for Bus {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Bus")
    }
}

#[derive(Debug, Clone)]
struct Connector(Arc<Bus>);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let mut entries = Vec::new();
        for entry in body["Entries"].as_array().unwrap() {
            if (self.0.takes.lock().unwrap())() {
                let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
                self.0.accepted.lock().unwrap().push(detail["id"].as_str().unwrap().to_owned());
                entries.push(json!({ "EventId": "1" }));
            } else {
                entries.push(json!({ "ErrorCode": "ThrottlingException", "ErrorMessage": "slow down" }));
            }
        }
        let failed = entries.iter().filter(|entry| entry.get("ErrorCode").is_some()).count();
        let answer = json!({ "FailedEntryCount": failed, "Entries": entries });
        let answer = HttpResponse::new(200.try_into().unwrap(), SdkBody::from(answer.to_string()));
        HttpConnectorFuture::ready(Ok(answer))
    }
}

fn events(bus: &Arc<Bus>) -> Events {
    let connector = Connector(bus.clone());
    let aws = http_client_fn(move |_, _| SharedHttpConnector::new(connector.clone()));
    let variables = Variables::from_iter([
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("EVENT_BUS", "pinwright"),
    ]);
    let transports = Transports { aws, ..network() };
    let setup = Setup::with_transports(transports, variables, Clock::system(), Random::system()).unwrap();
    Events::new(setup.event_bus().unwrap())
}

/// The change that gives a row this version: a Pin that is published and cancelled in turn, which is an event each time.
fn record(row: usize, version: u64, number: usize) -> Value {
    let sample: Value = serde_json::from_str(include_str!("../../../events/events.json")).unwrap();
    let published = &sample["Records"][1]["dynamodb"]["NewImage"];
    let image = |version: u64| {
        let mut image = published.clone();
        image["state"] = json!({ "S": if version.is_multiple_of(2) { "cancelled" } else { "published" } });
        image["version"] = json!({ "N": version.to_string() });
        let id = image["id"]["S"].as_str().unwrap();
        let id = format!("{}{row}", &id[..id.len() - 1]);
        image["sk"] = json!({ "S": format!("PIN#{id}") });
        image["id"] = json!({ "S": id });
        image
    };
    let mut record = sample["Records"][1].clone();
    record["dynamodb"]["Keys"]["sk"] = image(version)["sk"].clone();
    record["dynamodb"]["NewImage"] = image(version);
    record["dynamodb"]["OldImage"] = image(version - 1);
    record["dynamodb"]["SequenceNumber"] = json!(number.to_string());
    record
}

/// Hands records over as Lambda does: after a failure, those from the named one on again.
async fn deliver(events: &Events, records: &[Value]) {
    let mut from = 0;
    for _ in 0..10 * MAX_RECORDS {
        let stream = serde_json::from_value(json!({ "Records": records[from..] })).unwrap();
        let unhandled = events.publish(stream).await.batch_item_failures;
        match unhandled.first() {
            None => return,
            Some(first) => {
                let number = first.item_identifier.as_deref().unwrap();
                from += records[from..]
                    .iter()
                    .position(|record| record["dynamodb"]["SequenceNumber"] == number)
                    .expect("a record of the batch");
            }
        }
    }
    panic!("the stream does not come to its end");
}

/// The row and the version of an event, by its id.
fn parts(id: &str) -> (String, u64) {
    let (row, version) = id.split_once('|').unwrap();
    (row.to_owned(), version.parse().unwrap())
}

#[tokio::test]
async fn every_event_arrives_and_those_of_a_row_in_order_however_many_entries_the_bus_refuses() {
    for seed in 0..100 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut versions = BTreeMap::new();
        let records: Vec<_> = (0..rng.usize(1..=MAX_RECORDS))
            .map(|number| {
                let row = rng.usize(0..ROWS);
                let version = versions.entry(row).and_modify(|version| *version += 1).or_insert(1);
                record(row, *version, number)
            })
            .collect();
        let refuses = f64::from(rng.u32(0..6)) / 10.0;
        let takes: Takes = Box::new(move || rng.f64() >= refuses);
        let bus = Arc::new(Bus { takes: Mutex::new(takes), accepted: Mutex::default() });
        deliver(&events(&bus), &records).await;

        let mut newest = BTreeMap::new();
        for id in bus.accepted.lock().unwrap().iter() {
            let (row, version) = parts(id);
            let before: u64 = newest.insert(row.clone(), version).unwrap_or(0);
            assert!(version >= before, "seed {seed}: {row} goes back from {before} to {version}");
            assert!(
                version <= before + 1,
                "seed {seed}: {row} misses what is between {before} and {version}"
            );
        }
        let newest: Vec<_> = newest.into_values().collect();
        assert_eq!(newest, versions.into_values().collect::<Vec<_>>(), "seed {seed}");
    }
}
