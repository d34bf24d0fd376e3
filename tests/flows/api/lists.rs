//! Lists: pages, filters, and wrong parameters.

use jiff::SignedDuration;
use local::Data;
use serde_json::{Value, json};
use simulated_pinterest::{FaultKind, Operation};

use crate::{
    harness::problems::Findings,
    harness::{PINS, TestApp, days, id, pin},
    publish::bulk::{LINES, send},
};

#[tokio::test]
async fn a_list_with_wrong_parameters_is_refused() {
    let (app, channel) = TestApp::start_connected().await;
    let mut findings = Findings::default();
    let pins = app.publish("ada", &channel, "One").await.expect(201);
    let pin = pins["id"].as_str().unwrap();
    for list in [PINS, "/api/v1/channels"] {
        for limit in
            ["0", "201", "abc", "-1", "1.5", "1e1", "99999999999999999999", "%00", "%20", "%31%30%30%30"]
        {
            let path = format!("{list}?limit={limit}");
            findings.compare(&path, &app.get(&path, "ada").await, "422 invalid_limit");
        }
        for cursor in ["garbage", "%00", "ch_", "pin_", "eyJhIjoxfQ", "-", &"x".repeat(4000)] {
            let path = format!("{list}?cursor={cursor}");
            findings.compare(&path, &app.get(&path, "ada").await, "422 *");
        }
        for limit in ["1", "200", ""] {
            app.get(&format!("{list}?limit={limit}"), "ada").await.expect(200);
        }
    }
    for (path, expected) in [
        (format!("{PINS}?cursor={channel}"), "422 *"),
        (format!("/api/v1/channels?cursor={pin}"), "422 *"),
        (format!("{PINS}?state=nonsense"), "422 invalid_state"),
        (format!("{PINS}?state=Published"), "422 invalid_state"),
        (format!("{PINS}?state=in_doubt"), "422 invalid_state"),
        (format!("{PINS}?state=published,failed"), "422 invalid_state"),
        (format!("{PINS}?channel_id=garbage"), "422 invalid_id"),
        (format!("{PINS}?channel_id={pin}"), "422 invalid_id"),
    ] {
        findings.compare(&path, &app.get(&path, "ada").await, expected);
    }
}

#[tokio::test]
async fn a_page_of_rare_pins_ends_before_the_whole_table_is_read() {
    let app = TestApp::start_with(Data::Memory, [("TENANT_LIMITS", "pins_per_minute=5000")]).await;
    app.configure().await;
    let channel = app.connect("ada").await;
    app.choose_board("ada", &channel).await;
    let rare = app.publish("ada", &channel, "Rare").await.expect(201);
    let row = |number: usize| {
        let mut row = pin(&channel, &format!("Row {number}"));
        row["publish_at"] = json!(app.stack.now() + SignedDuration::from_hours(48));
        row.to_string()
    };
    for from in [0, 1000, 2000] {
        let file: Vec<_> = (from..from + 1000).map(row).collect();
        let mut unfinished = true;
        while unfinished {
            let answer = send(&app, "", LINES, &file.join("\n")).await.expect(200);
            unfinished = answer["rows"].as_array().unwrap().iter().any(|row| row["status"] == "not_done");
        }
    }
    let list = format!("{PINS}?state=published&");

    let first = app.get(&format!("{list}limit=1"), "ada").await.expect(200);

    assert_eq!(first["items"], json!([]), "the newest two thousand are none of them");
    assert!(first["next"].is_string());
    let (items, pages) = all(&app, &list, 1).await;
    assert_eq!((ids(&items), pages), (vec![id(&rare)], 3), "found, and then the end");
}

/// All items of a list, read page by page, and the number of pages.
async fn all(app: &TestApp, list: &str, limit: usize) -> (Vec<Value>, usize) {
    let mut items = Vec::new();
    let mut cursor = String::new();
    for page in 1..=50 {
        let path = format!("{list}limit={limit}{cursor}");
        let mut answer = app.get(&path, "ada").await.expect(200);
        let page_items = answer["items"].as_array_mut().unwrap();
        assert!(page_items.len() <= limit, "{path}");
        items.append(page_items);
        match answer["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (items, page),
        }
    }
    panic!("{list} does not end");
}

fn ids(items: &[Value]) -> Vec<String> {
    items.iter().map(id).collect()
}

#[tokio::test]
async fn pages_of_a_list_hold_all_pins_exactly_once_newest_first_and_by_channel_and_state() {
    let (app, first) = TestApp::start_connected().await;
    let page = app.start_oauth("ada").await;
    let redirect = app.decide(&page, "decision=allow&account=second_account").await;
    let ticket = json!({"connection": redirect.split_once("#connection=").unwrap().1});
    let second = app.post("/api/v1/connections/claim", "ada", ticket).await.expect(201);
    let second = id(&second);
    app.choose_board("ada", &second).await;
    let mut created = Vec::new();
    let mut scheduled = Vec::new();
    for number in 0..11 {
        let channel = if number % 3 == 0 { &second } else { &first };
        let mut body = pin(channel, &format!("Pin {number}"));
        if number % 4 == 1 {
            body["publish_at"] = json!(app.stack.now() + days(1));
        }
        if number == 10 {
            let refusal = FaultKind::Refused { status: 400, code: 1, message: "no".to_owned() };
            app.pinterest().inject(simulated_pinterest::Fault::once(Operation::CreatePin, refusal));
        }
        let response = app.post(PINS, "ada", body).await.json();
        let id = response["id"].as_str().or(response["pin_id"].as_str()).unwrap().to_owned();
        if number % 4 == 1 {
            scheduled.push(id.clone());
        }
        created.push(id);
        app.advance(SignedDuration::from_secs(1)).await; // ids sort by the millisecond
    }
    created.reverse();
    scheduled.reverse();

    for limit in [1, 3, 11, 200] {
        let (items, _) = all(&app, &format!("{PINS}?"), limit).await;
        assert_eq!(ids(&items), created, "by {limit}");
        let (items, _) = all(&app, &format!("{PINS}?state=scheduled&"), limit).await;
        assert_eq!(ids(&items), scheduled, "scheduled, by {limit}");
        let (of_second, _) = all(&app, &format!("{PINS}?channel_id={second}&"), limit).await;
        assert_eq!(of_second.len(), 4);
        assert!(of_second.iter().all(|pin| pin["channel_id"] == *second));
        let both = format!("{PINS}?channel_id={second}&state=scheduled&");
        assert_eq!(all(&app, &both, limit).await.0.len(), 1);
        let states: usize = {
            let mut sum = 0;
            for state in ["scheduled", "sending", "waiting", "published", "failed", "cancelled"] {
                let (page_items, _) = all(&app, &format!("{PINS}?state={state}&"), limit).await;
                assert!(page_items.iter().all(|pin| pin["state"] == state));
                sum += page_items.len();
            }
            sum
        };
        assert_eq!(states, 11);
    }
    assert_eq!(all(&app, &format!("{PINS}?state=failed&"), 5).await.0.len(), 1);

    let (channels, pages) = all(&app, "/api/v1/channels?", 1).await;
    let mut both = ids(&channels);
    both.sort();
    assert!(pages <= 3);
    assert_eq!(both, {
        let mut expected = vec![first, second];
        expected.sort();
        expected
    });
}

#[tokio::test]
async fn a_pin_that_is_made_while_a_list_is_read_moves_nothing_in_it() {
    let (app, channel) = TestApp::start_connected().await;
    for number in 0..4 {
        app.publish("ada", &channel, &format!("Old {number}")).await.expect(201);
        app.advance(SignedDuration::from_secs(1)).await;
    }
    let first = app.get(&format!("{PINS}?limit=2"), "ada").await.expect(200);
    app.publish("ada", &channel, "New").await.expect(201);
    let next = first["next"].as_str().unwrap();
    let second = app.get(&format!("{PINS}?limit=2&cursor={next}"), "ada").await.expect(200);
    let titles: Vec<_> = [&first, &second]
        .iter()
        .flat_map(|page| page["items"].as_array().unwrap())
        .map(|pin| pin["title"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(titles, ["Old 3", "Old 2", "Old 1", "Old 0"]);
}
