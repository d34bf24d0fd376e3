//! Idempotency: one Pin for each key, and one send for each Pin, with any number of processes.

use std::collections::BTreeSet;

use futures::future::join_all;
use local::Person;
use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::{Environment, Fault, FaultKind, Operation};
use tokio::time::{Duration, Instant};

use super::bulk::{LINES, send};
use crate::{
    harness::{Answer, PINS, TestApp, answer, days, id, minutes, pin, seconds},
    operations::upgrade::rows,
};

/// Posts a body as it is, with a key.
async fn post(app: &TestApp, token: &str, key: &str, body: &str) -> Answer {
    let request = app.client.post(format!("{}{PINS}", app.stack.url())).bearer_auth(token);
    let request = request.header("content-type", "application/json").header("idempotency-key", key);
    answer(request.body(body.to_owned())).await
}

async fn with_key(app: &TestApp, sub: &str, key: &str, body: &Value) -> Answer {
    post(app, &app.user(sub), key, &body.to_string()).await
}

/// The titles of all Pins at Pinterest, sorted.
fn titles(app: &TestApp) -> Vec<String> {
    let pins = app.pinterest().pins(Environment::Sandbox);
    let mut titles: Vec<_> = pins.into_iter().filter_map(|pin| pin.title).collect();
    titles.sort();
    titles
}

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(300)
}

#[tokio::test]
async fn twenty_posts_at_once_with_one_key_make_one_pin() {
    let (app, channel) = TestApp::start_connected().await;
    let body = pin(&channel, "Once");

    let answers = join_all((0..20).map(|_| with_key(&app, "ada", "key-1", &body))).await;

    let statuses: Vec<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert!(statuses.iter().all(|status| [201, 202].contains(status)), "{statuses:?}");
    assert!(statuses.contains(&201), "{statuses:?}");
    let ids: BTreeSet<_> = answers.iter().map(|answer| id(&answer.json())).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert_eq!((app.at_pinterest("Once"), app.send_count()), (1, 1));

    let repeated = with_key(&app, "ada", "key-1", &body).await.expect(201);
    assert_eq!(ids.first(), Some(&id(&repeated)));
    assert_eq!(app.send_count(), 1);
    assert_eq!(app.get(PINS, "ada").await.expect(200)["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn two_bodies_at_once_with_one_key_publish_one_and_refuse_the_other() {
    let (app, channel) = TestApp::start_connected().await;
    let bodies: Vec<_> = (0..10).map(|number| pin(&channel, &format!("Body {}", number % 2))).collect();

    let answers = join_all(bodies.iter().map(|body| with_key(&app, "ada", "key", body))).await;

    let (created, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status.is_success());
    assert_eq!((created.len(), refused.len()), (5, 5));
    assert!(refused.iter().all(|answer| answer.problem(422) == "idempotency_key_reused"));
    assert_eq!(titles(&app).len(), 1);
}

#[tokio::test]
async fn a_key_with_another_body_is_refused_and_nothing_is_sent() {
    let (app, channel) = TestApp::start_connected().await;
    with_key(&app, "ada", "key", &pin(&channel, "First")).await.expect(201);

    let other = with_key(&app, "ada", "key", &pin(&channel, "Second")).await;

    assert_eq!(other.problem(422), "idempotency_key_reused");
    assert_eq!(titles(&app), ["First"]);
}

#[tokio::test]
async fn the_same_content_is_the_same_body_however_it_is_spaced_and_ordered() {
    let (app, channel) = TestApp::start_connected().await;
    let url = "https://images.example.com/salad.jpg";
    let bodies = [
        format!(r#"{{"channel_id":"{channel}","title":"Salad","media":{{"kind":"image","url":"{url}"}}}}"#),
        format!(
            "{{ \"channel_id\" : \"{channel}\",\r\n\t\"title\": \"Salad\",\n \"media\": \
             {{ \"kind\": \"image\" , \"url\": \"{url}\" }} }}\n"
        ),
        format!(
            r#"{{"media":{{"url":"{url}","kind":"image"}},"title":"\u0053alad","channel_id":"{channel}"}}"#
        ),
    ];

    let mut ids = BTreeSet::new();
    for body in bodies {
        ids.insert(id(&post(&app, &app.user("ada"), "key", &body).await.expect(201)));
    }

    assert_eq!((ids.len(), app.send_count()), (1, 1));
}

/// What a process leaves behind that dies between its two writes: the key, and no Pin.
async fn forget_pin(app: &TestApp, pin: &Value) {
    let key = json!({"pk": {"S": "TENANT#ada"}, "sk": {"S": format!("PIN#{}", id(pin))}});
    let body = json!({"TableName": "pinwright-main", "Key": key});
    rows::aws(app, app.stack.aws().dynamodb_url(), "DynamoDB_20120810.DeleteItem", body).await;
}

#[tokio::test]
async fn a_request_that_died_before_its_pin_was_written_is_finished_by_the_next_one() {
    let (app, channel) = TestApp::start_connected().await;
    let mut body = pin(&channel, "Later");
    body["publish_at"] = json!(app.stack.now() + minutes(60));
    let first = with_key(&app, "ada", "key", &body).await.expect(202);
    forget_pin(&app, &first).await;
    app.advance(minutes(10)).await;

    let answers = join_all((0..5).map(|_| with_key(&app, "ada", "key", &body))).await;

    for answer in answers {
        assert_eq!(answer.expect(202)["id"], first["id"]);
    }
    let mut other = body.clone();
    other["title"] = json!("Another");
    assert_eq!(with_key(&app, "ada", "key", &other).await.problem(422), "idempotency_key_reused");
    let (again, from) = (app.pin("ada", &id(&first)).await, first["created_at"].as_str().unwrap());
    assert_eq!(again["created_at"], first["created_at"], "when it was asked for first");
    let listed = app.get(&format!("{PINS}?from={from}"), "ada").await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    app.advance(minutes(60)).await;
    assert_eq!(titles(&app), ["Later"]);
}

#[tokio::test]
async fn a_request_that_is_refused_before_its_pin_is_stored_uses_up_no_key() {
    let (app, channel) = TestApp::start_connected().await;
    let mut nowhere = pin(&channel, "Nowhere");
    nowhere["channel_id"] = json!(channel.replace("ch_0", "ch_7"));
    let mut long = pin(&channel, "Long");
    long["title"] = json!("x".repeat(101));
    assert_eq!(with_key(&app, "ada", "key", &nowhere).await.problem(404), "not_found");
    assert_eq!(with_key(&app, "ada", "key", &long).await.problem(422), "too_long");
    with_key(&app, "ada", "key", &pin(&channel, "Right")).await.expect(201);
    assert_eq!(titles(&app), ["Right"]);
}

#[tokio::test]
async fn a_row_of_a_file_that_died_before_its_pin_was_written_is_made_by_the_next_call() {
    let (app, channel) = TestApp::start_connected().await;
    let file = format!("{}\n{}", pin(&channel, "One"), pin(&channel, "Two"));
    let first = send(&app, "", LINES, &file).await.expect(200);
    let lost = json!({"id": first["rows"][1]["pin_id"]});
    forget_pin(&app, &lost).await;

    let again = send(&app, "", LINES, &file).await.expect(200);

    let told = |row: &Value| (row["status"].as_str().unwrap().to_owned(), row["pin_id"].clone());
    assert_eq!(told(&again["rows"][0]), ("exists".to_owned(), first["rows"][0]["pin_id"].clone()));
    assert_eq!(told(&again["rows"][1]), ("accepted".to_owned(), lost["id"].clone()));
    app.stack.tick().await.unwrap();
    assert_eq!(titles(&app).len(), 2);
}

#[tokio::test]
async fn a_key_belongs_to_its_tenant() {
    let (app, ada) = TestApp::start_connected().await;
    let bob = app.connect("bob").await;
    app.choose_board("bob", &bob).await;

    let first = with_key(&app, "ada", "key", &pin(&ada, "Ada's")).await.expect(201);
    let second = with_key(&app, "bob", "key", &pin(&bob, "Bob's")).await.expect(201);
    assert_ne!(first["id"], second["id"]);
    assert_eq!(titles(&app), ["Ada's", "Bob's"]);

    let colleague = Person { sub: "eve".into(), tenant: Some("ada".into()), admin: false };
    let body = pin(&ada, "Ada's").to_string();
    let colleagues_answer = post(&app, &app.stack.token(colleague), "key", &body).await.expect(201);
    assert_eq!(colleagues_answer["id"], first["id"], "the people of one tenant share its keys");
    assert_eq!(app.send_count(), 2);
}

#[tokio::test]
async fn a_key_is_known_after_its_pins_time_has_come() {
    let (app, channel) = TestApp::start_connected().await;
    let mut body = pin(&channel, "Soon");
    body["publish_at"] = json!(app.stack.now() + minutes(1));
    let first = with_key(&app, "ada", "key-1", &body).await.expect(202);
    app.advance(minutes(30)).await;

    let repeated = with_key(&app, "ada", "key-1", &body).await.expect(201);

    assert_eq!((id(&repeated), &repeated["state"]), (id(&first), &json!("published")));
}

#[tokio::test]
async fn a_key_is_free_again_after_seven_days() {
    let (app, channel) = TestApp::start_connected().await;
    let body = pin(&channel, "Weekly");
    let first = with_key(&app, "ada", "key", &body).await.expect(201);

    app.advance(days(7) - minutes(5)).await;
    assert_eq!(with_key(&app, "ada", "key", &body).await.expect(201)["id"], first["id"]);
    app.advance(minutes(6)).await;
    let second = with_key(&app, "ada", "key", &body).await.expect(201);

    assert_ne!(second["id"], first["id"]);
    assert_eq!(app.at_pinterest("Weekly"), 2);
    assert_eq!(with_key(&app, "ada", "key", &body).await.expect(201)["id"], second["id"]);
}

#[tokio::test]
async fn a_repeated_key_gives_the_same_refusal_without_a_call_to_pinterest() {
    let (app, channel) = TestApp::start_connected().await;
    let refusal = FaultKind::Refused { status: 400, code: 1, message: "Too dull".into() };
    app.pinterest().inject(Fault::once(Operation::CreatePin, refusal));
    let body = pin(&channel, "Dull");

    let first = with_key(&app, "ada", "key", &body).await;
    assert_eq!(first.problem(422), "refused_by_pinterest");
    let repeated = with_key(&app, "ada", "key", &body).await;
    assert_eq!(repeated.problem(422), "refused_by_pinterest");

    let pin = first.json()["pin_id"].as_str().unwrap().to_owned();
    assert_eq!(repeated.json()["pin_id"], pin);
    assert_eq!(repeated.json()["detail"], first.json()["detail"]);
    assert_eq!(app.pin("ada", &pin).await["state"], "failed");
    assert_eq!(app.send_count(), 1);
}

#[tokio::test]
async fn a_key_of_a_lost_answer_gives_the_waiting_pin_and_later_the_published_one() {
    let (app, channel) = TestApp::start_connected().await;
    app.pinterest().inject(Fault::once(Operation::CreatePin, FaultKind::CutAfter));
    let body = pin(&channel, "Lost");

    let first = with_key(&app, "ada", "key", &body).await.expect(202);
    let repeated = with_key(&app, "ada", "key", &body).await.expect(202);
    assert_eq!((&repeated["id"], &repeated["reason"]), (&first["id"], &json!("outcome_unknown")));
    app.advance(minutes(1)).await;

    let published = with_key(&app, "ada", "key", &body).await.expect(201);
    assert_eq!(published["id"], first["id"]);
    assert_eq!((app.at_pinterest("Lost"), app.send_count()), (1, 1));
}

#[tokio::test]
async fn thirty_different_pins_at_once_are_all_published_once() {
    let (app, channel) = TestApp::start_connected().await;
    let bodies: Vec<_> = (0..30).map(|number| pin(&channel, &format!("Pin {number:02}"))).collect();

    let answers = join_all(bodies.iter().map(|body| app.post(PINS, "ada", body.clone()))).await;

    let remotes: BTreeSet<_> =
        answers.into_iter().map(|answer| answer.expect(201)["pinterest_pin_id"].to_string()).collect();
    assert_eq!(remotes.len(), 30);
    let expected: Vec<_> = (0..30).map(|number| format!("Pin {number:02}")).collect();
    assert_eq!(titles(&app), expected);
}

#[tokio::test]
async fn workers_at_once_and_requests_meanwhile_publish_each_pin_once() {
    let (app, channel) = TestApp::start_connected().await;
    for number in 0..12 {
        let (title, at) = (format!("Later {number:02}"), app.stack.now() + minutes(60));
        app.schedule("ada", &channel, &title, at).await.expect(202);
    }
    let workers = [minutes(61); 3].map(|offset| app.functions(offset).deliver);
    let bodies: Vec<_> = (0..8).map(|number| pin(&channel, &format!("Now {number:02}"))).collect();

    let (ticks, answers, first_request, second_request) = tokio::join!(
        join_all(workers.iter().map(|worker| worker.tick(deadline()))),
        join_all(bodies.iter().map(|body| app.post(PINS, "ada", body.clone()))),
        app.stack.tick(),
        app.stack.tick(),
    );

    ticks.into_iter().for_each(Result::unwrap);
    first_request.and(second_request).unwrap();
    assert!(answers.iter().all(|answer| answer.status == 201));
    let expected = (0..12).map(|number| format!("Later {number:02}"));
    let expected: Vec<_> = expected.chain((0..8).map(|number| format!("Now {number:02}"))).collect();
    assert_eq!(titles(&app), expected);
    assert_eq!(app.send_count(), 20);
    let published = app.get("/api/v1/pins?state=published", "ada").await.expect(200);
    let pins = published["items"].as_array().unwrap();
    assert_eq!(pins.iter().map(|pin| pin["pinterest_pin_id"].to_string()).collect::<BTreeSet<_>>().len(), 20);
}

#[tokio::test]
async fn workers_at_once_find_out_each_lost_answer_once() {
    let (app, channel) = TestApp::start_connected().await;
    let mut pins = Vec::new();
    for number in 0..10 {
        let kind = if number % 2 == 0 { FaultKind::CutAfter } else { FaultKind::CutBefore };
        app.pinterest().inject(Fault::once(Operation::CreatePin, kind));
        // Two Pins of each title: each must get its own Pin at Pinterest.
        pins.push(app.publish("ada", &channel, &format!("Lost {}", number / 4)).await.expect(202));
        // Pinterest works again, so the channel does not rest.
        app.publish("ada", &channel, "Sound").await.expect(201);
    }

    for offset in [20, 70, 330].map(seconds) {
        let workers = [offset; 3].map(|offset| app.functions(offset).deliver);
        let ticks = join_all(workers.iter().map(|worker| worker.tick(deadline()))).await;
        ticks.into_iter().for_each(Result::unwrap);
    }

    let mut bound_ids = BTreeSet::new();
    for pin in &pins {
        let pin = app.pin("ada", &id(pin)).await;
        assert_eq!(pin["state"], "published", "{pin}");
        bound_ids.insert(pin["pinterest_pin_id"].as_str().unwrap().to_owned());
    }
    assert_eq!(bound_ids.len(), 10, "each is bound to a Pin of its own");
    let remote_ids: BTreeSet<_> =
        app.pinterest().pins(Environment::Sandbox).into_iter().map(|pin| pin.id).collect();
    assert!(bound_ids.is_subset(&remote_ids));
    assert_eq!(remote_ids.len(), 20, "with those between them");
}

#[tokio::test]
async fn a_pin_that_is_cancelled_while_workers_reach_for_it_is_either_cancelled_or_published() {
    let (app, channel) = TestApp::start_connected().await;
    let mut pins = Vec::new();
    for number in 0..12 {
        let (title, at) = (format!("Race {number:02}"), app.stack.now() + minutes(60));
        pins.push(id(&app.schedule("ada", &channel, &title, at).await.expect(202)));
    }
    let (worker, ada) = (app.functions(minutes(61)).deliver, app.user("ada"));
    let paths: Vec<_> = pins.iter().map(|pin| format!("{PINS}/{pin}")).collect();

    let (tick, answers) = tokio::join!(
        worker.tick(deadline()),
        join_all(paths.iter().rev().map(|path| app.call(Method::DELETE, path, &ada, None))),
    );

    tick.unwrap();
    for (number, answer) in (0..12).rev().zip(answers) {
        let remote_count = app.at_pinterest(&format!("Race {number:02}"));
        let state = app.pin("ada", &pins[number]).await["state"].clone();
        match answer.status.as_u16() {
            200 => assert_eq!((state, remote_count), (json!("cancelled"), 0), "{number}"),
            _ => {
                assert_eq!(answer.problem(409), "wrong_state");
                assert_eq!((state, remote_count), (json!("published"), 1), "{number}");
            }
        }
    }
}

#[tokio::test]
async fn a_null_field_counts_as_absent() {
    let (app, channel) = TestApp::start_connected().await;
    let body = pin(&channel, "Once");
    let created = with_key(&app, "ada", "k", &body).await.expect(201);
    let mut with_nulls = body.clone();
    with_nulls["link"] = Value::Null;
    with_nulls["publish_at"] = Value::Null;
    assert_eq!(with_key(&app, "ada", "k", &with_nulls).await.expect(201)["id"], created["id"]);
    assert_eq!(app.send_count(), 1);
}
