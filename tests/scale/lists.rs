//! Lists of Pins: a page costs what it holds, and not what the tenant has.

use std::{collections::BTreeMap, sync::atomic::Ordering::Relaxed};

use app::handlers::Pins;
use domain::PinId;
use dynoxide::{
    ImportOptions,
    actions::query::QueryRequest,
    types::{AttributeValue, Item},
};
use edge::handle;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    alone,
    env::{self, MAIN, ScaleEnv},
    month::{INVOCATION, schedule},
    seed, size,
};

/// What every run has.
const USUAL: usize = 5000;
/// So many of them are still to come: all that a tenant may have open, or fewer.
const OPEN: usize = 1000;
const CHANNELS: usize = 3;
const TENANT: &str = "tenant-00000000";
const LIFE: SignedDuration = SignedDuration::from_hours(60 * 24);
/// So many rows are brought in at once.
const BATCH: usize = 10_000;

/// What one page asked for: queries, and read units.
type Costs = BTreeMap<String, (u64, f64)>;

/// The first two pages of every kind of list, of a tenant with so many Pins.
fn costs(pins: usize) -> Costs {
    env::run(false, async |env| {
        env.big_tenant.store(CHANNELS, Relaxed);
        let channels = seed::connect(env, CHANNELS, LIFE, true).await.channels;
        schedule(&env.publish(), &channels[0], 0, env.now() + SignedDuration::from_hours(24)).await;
        let names: Vec<_> = channels.iter().map(|channel| channel.id.to_string()).collect();
        bring_in(env, pins, &names);
        env.deliver().tick(Instant::now() + INVOCATION).await.unwrap();
        let setup = env.setup();
        let pins = Pins::new(
            setup.main_table().unwrap(),
            setup.media_bucket().unwrap(),
            setup.media_fetch().unwrap(),
            &setup,
        );
        page(env, &pins, "state=failed").await; // the tenant's channels are noted once
        let month = env.epoch() - SignedDuration::from_hours(31 * 24);
        let mut costs = Costs::new();
        for query in [
            String::new(),
            format!("sort=publish_at&from={month}&to={}", env.epoch()),
            format!("sort=publish_at&from={month}&to={}&channel_id={}", env.epoch(), names[1]),
            "sort=-publish_at&state=published".to_owned(),
            "sort=publish_at&state=scheduled".to_owned(),
            format!("channel_id={}", names[1]),
            format!("channel_id={}&state=failed", names[2]),
            "state=published".to_owned(),
            "state=cancelled".to_owned(),
        ] {
            let (asked, next) = page(env, &pins, &query).await;
            costs.insert(query.clone(), asked);
            let (asked, _) = page(env, &pins, &format!("{query}&cursor={}", next.unwrap())).await;
            costs.insert(format!("{query} again"), asked);
        }
        costs
    })
}

/// One page, which is full: what it asked for, and where the next one begins.
async fn page(env: &ScaleEnv, pins: &Pins, query: &str) -> ((u64, f64), Option<String>) {
    let before = env.metered();
    let path = format!("/api/v1/pins?{query}");
    let answer = handle(pins, tests::request(TENANT, "GET", &path, None, &Value::Null)).await;
    let text = String::from_utf8_lossy(answer.body()).into_owned();
    let page: Value = serde_json::from_str(&text).unwrap();
    let asked = env.metered().since(&before);
    let queries = asked.of(|what| what.starts_with("Query")).calls;
    assert_eq!(page["items"].as_array().map(Vec::len), Some(50), "{query}");
    ((queries, asked.all().read_units), page["next"].as_str().map(str::to_owned))
}

/// Rows like the one that is there: one an hour back from now, of which one in ten has failed and one in ten was cancelled,
/// and some that are to come.
fn bring_in(env: &ScaleEnv, pins: usize, channels: &[String]) {
    let values = json!({ ":pk": {"S": format!("TENANT#{TENANT}")}, ":pin": {"S": "PIN#"} });
    let one = QueryRequest {
        table_name: MAIN.to_owned(),
        key_condition_expression: Some("pk = :pk AND begins_with(sk, :pin)".to_owned()),
        expression_attribute_values: serde_json::from_value(values).unwrap(),
        ..QueryRequest::default()
    };
    let pattern = env.database.query(one).unwrap().items.unwrap().remove(0);
    let row = |number: usize| row(&pattern, number, &channels[number % channels.len()], env.epoch());
    for from in (0..pins).step_by(BATCH) {
        let rows: Vec<_> = (from..pins.min(from + BATCH)).map(row).collect();
        env.database.import_items(MAIN, rows, ImportOptions::default()).unwrap();
    }
}

fn row(pattern: &Item, number: usize, channel: &str, now: Timestamp) -> Item {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let hours = i64::try_from(number).unwrap() - i64::try_from(OPEN).unwrap();
    let at = now - SignedDuration::from_hours(1) * i32::try_from(hours).unwrap();
    let asked = at - SignedDuration::from_hours(24 * 60);
    let mut entropy = [0; 10];
    entropy[2..].copy_from_slice(&number.to_be_bytes());
    let id = PinId::new(asked, entropy).to_string();
    let (state, group) = match number {
        _ if at > now => ("scheduled", "open"),
        _ if number % 10 == 7 => ("failed", "failed"),
        _ if number % 10 == 8 => ("cancelled", "cancelled"),
        _ => ("published", "published"),
    };
    let error = json!({"M": {"code": {"S": "c"}, "detail": {"S": "d"}, "fix": {"S": "f"}}});
    let mut row = pattern.clone();
    row.retain(|name, _| !name.starts_with("due_"));
    row.extend([
        ("id".to_owned(), text(&id)),
        ("sk".to_owned(), text(&format!("PIN#{id}"))),
        ("channel_id".to_owned(), text(channel)),
        ("queue_pk".to_owned(), text(&format!("{channel}#{group}"))),
        ("queue_sk".to_owned(), text(&id)),
        ("state".to_owned(), text(state)),
        ("publish_at".to_owned(), text(&format!("{at:.3}"))),
        ("published_at".to_owned(), text(&at.to_string())),
        ("created_at".to_owned(), text(&asked.to_string())),
        ("pinterest_pin_id".to_owned(), text(&number.to_string())),
        ("error".to_owned(), serde_json::from_value(error).unwrap()),
    ]);
    row
}

#[test]
fn a_page_of_a_list_costs_the_same_among_many_pins_as_among_few() {
    let _alone = alone();
    let (few, many) = (costs(USUAL), costs(size("SCALE_LIST_PINS", 3 * USUAL)));
    for (query, (queries, units)) in &many {
        println!("  {queries} queries, {units:>5.1} units: {query}");
        let (before, least) = few[query];
        assert!(*queries <= before && *units <= least * 1.1 + 1.0, "{query}: {units}, among few {least}");
    }
}
