//! Lists: pages, filters, and wrong parameters.

use jiff::SignedDuration;
use local::Data;
use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::{FaultKind, Operation};

use crate::{
    harness::problems::Findings,
    harness::{PINS, TestApp, days, id, pin},
    publish::bulk::{LINES, send},
    schedule::workers::{put_row, row},
};

/// By which times a list can be sorted.
const SORTS: [&str; 4] = ["created_at", "-created_at", "publish_at", "-publish_at"];

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
        (format!("{PINS}?sort=title"), "422 invalid_sort"),
        (format!("{PINS}?sort=-"), "422 invalid_sort"),
        (format!("{PINS}?from=yesterday"), "422 invalid_date"),
        (format!("{PINS}?to=2026-13-01"), "422 invalid_date"),
        (format!("{PINS}?from=2026-12-01T09:00:00"), "422 invalid_date"),
        (format!("{PINS}?sort=publish_at&cursor={pin}"), "422 invalid_cursor"),
        (format!("{PINS}?cursor=2026-12-01T09:00:00Z_{pin}"), "422 invalid_cursor"),
        (format!("{PINS}?sort=publish_at&cursor=2026_{pin}"), "422 invalid_cursor"),
    ] {
        findings.compare(&path, &app.get(&path, "ada").await, expected);
    }
}

#[tokio::test]
async fn a_page_of_rare_pins_is_full_however_many_others_there_are() {
    let app = TestApp::start_with(Data::Memory, [("TENANT_LIMITS", "pins_per_minute=5000")]).await;
    app.configure().await;
    let channel = app.connect("ada").await;
    app.choose_board("ada", &channel).await;
    let rare = app.publish("ada", &channel, "Rare").await.expect(201);
    let line = |number: usize| {
        let mut row = pin(&channel, &format!("Row {number}"));
        row["publish_at"] = json!(app.stack.now() + SignedDuration::from_hours(48));
        row.to_string()
    };
    for from in [0, 1000, 2000] {
        let file: Vec<_> = (from..from + 1000).map(line).collect();
        let mut unfinished = true;
        while unfinished {
            let answer = send(&app, "", LINES, &file.join("\n")).await.expect(200);
            unfinished = answer["rows"].as_array().unwrap().iter().any(|row| row["status"] == "not_done");
        }
    }

    for sort in SORTS {
        let list = format!("{PINS}?state=published&sort={sort}&limit=1");
        let page = app.get(&list, "ada").await.expect(200);
        assert_eq!((ids(page["items"].as_array().unwrap()), &page["next"]), (vec![id(&rare)], &json!(null)));
    }
    let first =
        app.get(&format!("{PINS}?state=scheduled&sort=publish_at&limit=200"), "ada").await.expect(200);
    assert_eq!(
        first["items"].as_array().unwrap().len(),
        200,
        "they are of the same time, and the page is full"
    );
}

/// All items of a list, read page by page, and the number of pages. All but the last are full, and none is empty but for an
/// empty list.
async fn all(app: &TestApp, list: &str, limit: usize) -> (Vec<Value>, usize) {
    let mut items = Vec::new();
    let mut cursor = String::new();
    for page in 1..=50 {
        let path = format!("{list}limit={limit}{cursor}");
        let mut answer = app.get(&path, "ada").await.expect(200);
        let page_items = answer["items"].as_array_mut().unwrap();
        let count = page_items.len();
        items.append(page_items);
        match answer["next"].as_str() {
            Some(next) => {
                assert_eq!(count, limit, "{path}");
                cursor = format!("&cursor={next}");
            }
            None => {
                assert!(count <= limit && (count > 0 || page == 1 || list.contains("channels")), "{path}");
                return (items, page);
            }
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
    let second = connect_second(&app).await;
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

#[tokio::test]
async fn every_list_is_the_whole_one_filtered_and_sorted() {
    let (app, first) = TestApp::start_connected().await;
    let second = connect_second(&app).await;
    // Some at once, some for later, in another order than they were asked for; some are cancelled, and one fails.
    for number in 0..16_i64 {
        let channel = if number % 3 == 0 { &second } else { &first };
        let mut body = pin(channel, &format!("Pin {number}"));
        if number % 2 == 1 {
            let hours = SignedDuration::from_hours(2 + (number * 7) % 11);
            body["publish_at"] = json!(app.stack.now() + hours);
        }
        if number == 10 {
            let refusal = FaultKind::Refused { status: 400, code: 1, message: "no".to_owned() };
            app.pinterest().inject(simulated_pinterest::Fault::once(Operation::CreatePin, refusal));
        }
        let made = app.post(PINS, "ada", body).await.json();
        if number % 5 == 3 && number % 2 == 1 {
            app.call(Method::DELETE, &format!("{PINS}/{}", id(&made)), &app.user("ada"), None)
                .await
                .expect(200);
        }
        app.advance(SignedDuration::from_mins(1)).await;
    }
    // The Pins of a channel stay when it goes.
    app.call(Method::DELETE, &format!("/api/v1/channels/{second}"), &app.user("ada"), None).await.expect(200);
    let (everything, _) = all(&app, &format!("{PINS}?"), 200).await;
    assert_eq!(everything.len(), 16);

    let text = |pin: &Value, field: &str| pin[field].as_str().unwrap().to_owned();
    let mut states: Vec<_> = everything.iter().map(|pin| text(pin, "state")).collect();
    states.sort();
    states.dedup();
    assert_eq!(states, ["cancelled", "failed", "published", "scheduled"]);
    states.extend(["sending", "waiting", "needs_review", ""].map(str::to_owned));
    let mut times: Vec<_> = everything.iter().map(|pin| text(pin, "publish_at")).collect();
    times.sort();
    let ranges =
        [String::new(), format!("&from={}&to={}", times[4], times[12]), format!("&from={}", times[8])];
    for (state, channel) in
        states.iter().flat_map(|state| ["", &first, &second].map(|channel| (state, channel)))
    {
        for (sort, range) in SORTS.iter().flat_map(|sort| ranges.iter().map(move |range| (*sort, range))) {
            let field = sort.trim_start_matches('-');
            let bound = |name: &str| range.split('&').find_map(|part| part.strip_prefix(&format!("{name}=")));
            let is_wanted = |pin: &&Value| {
                let at = text(pin, field);
                (state.is_empty() || pin["state"] == **state)
                    && (channel.is_empty() || pin["channel_id"] == *channel)
                    && bound("from").is_none_or(|from| from <= at.as_str())
                    && bound("to").is_none_or(|to| at.as_str() < to)
            };
            let mut wanted: Vec<_> = everything.iter().filter(is_wanted).cloned().collect();
            wanted.sort_by_key(|pin| (text(pin, field), id(pin)));
            if sort.starts_with('-') {
                wanted.reverse();
            }
            for limit in [1, 3, 16] {
                let list = format!("{PINS}?state={state}&channel_id={channel}&sort={sort}{range}&");
                assert_eq!(ids(&all(&app, &list, limit).await.0), ids(&wanted), "{list}limit={limit}");
            }
        }
    }
}

#[tokio::test]
async fn a_pin_that_moves_while_a_list_is_read_moves_no_other() {
    let (app, channel) = TestApp::start_connected().await;
    let mut made = Vec::new();
    for hours in 1..=6 {
        let mut body = pin(&channel, &format!("In {hours} hours"));
        body["publish_at"] = json!(app.stack.now() + SignedDuration::from_hours(hours));
        made.push(id(&app.post(PINS, "ada", body).await.expect(202)));
    }
    for sort in ["publish_at", "-publish_at"] {
        let list = format!("{PINS}?state=scheduled&sort={sort}&limit=2");
        let first = app.get(&list, "ada").await.expect(200);
        let seen = ids(first["items"].as_array().unwrap());
        // The last one that was seen is what the cursor names.
        let at = app.pin("ada", &seen[1]).await["publish_at"].clone();
        let elsewhere = json!({"publish_at": app.stack.now() + days(if sort == "publish_at" { 0 } else { 9 }) + SignedDuration::from_mins(1)});
        let path = format!("{PINS}/{}", seen[1]);
        app.call(Method::PATCH, &path, &app.user("ada"), Some(elsewhere)).await.expect(200);

        let next = first["next"].as_str().unwrap();
        let (rest, _) = all(&app, &format!("{PINS}?state=scheduled&sort={sort}&cursor={next}&"), 200).await;

        let mut wanted: Vec<_> = made.iter().filter(|id| !seen.contains(id)).cloned().collect();
        if sort.starts_with('-') {
            wanted.reverse();
        }
        assert_eq!(ids(&rest), wanted, "{sort}");
        app.call(Method::PATCH, &path, &app.user("ada"), Some(json!({"publish_at": at}))).await.expect(200);
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named_in_the_lists_that_it_may_belong_to() {
    let (app, channel) = TestApp::start_connected().await;
    let mut made = Vec::new();
    for hours in 1..=5 {
        made.push(
            app.schedule("ada", &channel, "One", app.stack.now() + SignedDuration::from_hours(hours))
                .await
                .json(),
        );
        app.advance(SignedDuration::from_secs(1)).await;
    }
    // Of one, the state is of a later version; of another, a field.
    for (number, field, value) in [(1, "state", "pending_approval"), (3, "give_up_at", "never")] {
        let mut row = row(&app, &made[number]).await;
        row[field]["S"] = json!(value);
        put_row(&app, row).await;
    }
    let unreadable = [id(&made[1]), id(&made[3])];
    for (sort, state) in
        SORTS.iter().flat_map(|sort| ["", "scheduled", "cancelled"].map(|state| (sort, state)))
    {
        for limit in [1, 2, 5] {
            let (mut shown, mut named, mut cursor) = (Vec::new(), Vec::new(), String::new());
            loop {
                let path = format!("{PINS}?sort={sort}&state={state}&limit={limit}{cursor}");
                let page = app.get(&path, "ada").await.expect(200);
                let (items, ids) = (
                    page["items"].as_array().unwrap(),
                    page["unreadable"].as_array().map_or(&[][..], Vec::as_slice),
                );
                shown.extend(items.iter().map(id));
                named.extend(ids.iter().map(|id| id.as_str().unwrap().to_owned()));
                let Some(next) = page["next"].as_str() else { break };
                assert_eq!(items.len() + ids.len(), limit, "{path}");
                cursor = format!("&cursor={next}");
            }
            named.sort();
            let (count, wanted) = match state {
                "" => (3, &unreadable[..]),
                "scheduled" => (3, &unreadable[1..]),
                _ => (0, &unreadable[..0]),
            };
            assert_eq!((shown.len(), &named[..]), (count, wanted), "{sort} {state} {limit}");
        }
    }
}

async fn connect_second(app: &TestApp) -> String {
    let page = app.start_oauth("ada").await;
    let back = app.decide(&page, "decision=allow&account=second_account").await;
    let ticket = json!({"connection": back.split_once("#connection=").unwrap().1});
    let second = id(&app.post("/api/v1/connections/claim", "ada", ticket).await.expect(201));
    app.choose_board("ada", &second).await;
    second
}
