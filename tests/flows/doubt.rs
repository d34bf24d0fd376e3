//! Lost answers: what became of a Pin is found out on its board, and only then is it sent again.

use reqwest::{Method, header::LOCATION};
use serde_json::{Value, json};
use simulated_pinterest::{Environment, Fault, FaultKind, Operation, PinOrder};

use crate::stage::{
    APP_ID, APP_SECRET, Answer, PINS, Stage, answer, id, minutes, pin, seconds, until, waits,
};

/// The answer is lost, and no Pin was made.
const BEFORE: [FaultKind; 4] =
    [FaultKind::Status500Before, FaultKind::CutBefore, FaultKind::Code2787Before, FaultKind::GarbageBefore];
/// The answer is lost, and the Pin is there.
const AFTER: [FaultKind; 5] = [
    FaultKind::Status500After,
    FaultKind::CutAfter,
    FaultKind::CutInAnswer,
    FaultKind::Code2787After,
    FaultKind::Garbage,
];

/// Publishes a Pin whose answer is lost by `kind`: its id.
async fn lose(stage: &Stage, channel: &str, title: &str, kind: FaultKind) -> String {
    stage.pinterest().inject(Fault::once(Operation::CreatePin, kind));
    let lost = stage.publish("ada", channel, title).await.expect(202);
    waits(&lost, "outcome_unknown");
    assert!(lost["retry_at"].is_string(), "{lost}");
    assert_eq!(lost["pinterest_pin_id"], Value::Null);
    id(&lost)
}

/// Lets all three looks pass, in steps as a person at `/dev/advance` would.
async fn looks(stage: &Stage) {
    for pause in [20, 60, 280] {
        stage.advance(seconds(pause)).await;
    }
}

/// The Pin after it was found or sent again: bound to the one Pin of its title at Pinterest.
async fn bound(stage: &Stage, pin: &str, title: &str) -> Value {
    let pin = stage.pin("ada", pin).await;
    assert_eq!(pin["state"], "published", "{pin}");
    let there = remotes(stage, title);
    assert_eq!(there.len(), 1, "{title}: {there:?}");
    assert_eq!(pin["pinterest_pin_id"], there[0], "{pin}");
    assert_eq!(pin["error"], Value::Null);
    pin
}

/// The ids of all Pins of this title at Pinterest.
fn remotes(stage: &Stage, title: &str) -> Vec<String> {
    let pins = stage.pinterest().pins(Environment::Sandbox);
    pins.into_iter().filter(|pin| pin.title.as_deref() == Some(title)).map(|pin| pin.id).collect()
}

/// The lines of a Pin's timeline, as `event: detail`.
fn lines(pin: &Value) -> Vec<String> {
    let entries = pin["timeline"].as_array().unwrap();
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
    entries.iter().map(|entry| format!("{}: {}", text(entry, "event"), text(entry, "detail"))).collect()
}

/// Loses answers in these ways, and expects one Pin for each in the end.
async fn each_lost_answer_ends_as_one_pin(
    stage: &Stage,
    channel: &str,
    before: &[FaultKind],
    after: &[FaultKind],
) {
    let mut pins = Vec::new();
    for (number, kind) in before.iter().chain(after).enumerate() {
        let title = format!("Lost {number}");
        pins.push((lose(stage, channel, &title, kind.clone()).await, title, number >= before.len()));
    }

    looks(stage).await;

    for (pin, title, was_made) in pins {
        let lines = lines(&bound(stage, &pin, &title).await);
        let told = lines.join("\n");
        assert!(told.contains("waiting: Pinterest's answer did not come, so the Pin may exist"), "{told}");
        let (end, attempts) = match was_made {
            true => ("published: found on the board as ", 1),
            false => ("published: created as ", 2),
        };
        assert!(lines.last().unwrap().starts_with(end), "{told}");
        assert_eq!(lines.iter().filter(|line| line.starts_with("sending:")).count(), attempts, "{told}");
        assert_eq!(told.contains("looked: not on the board: the attempt made nothing"), !was_made, "{told}");
    }
    assert_eq!(stage.sent(), 2 * before.len() + after.len());
}

/// A token of the account's owner's own, to do at Pinterest what they might do there.
async fn owner(stage: &Stage) -> String {
    let page = stage.start("ada").await;
    let redirect_uri = reqwest::Url::parse(&page).unwrap();
    let redirect_uri = redirect_uri.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1;
    let form = "application/x-www-form-urlencoded";
    let back = stage.client.post(&page).body("decision=allow").header("content-type", form);
    let back = reqwest::Url::parse(answer(back).await.headers[LOCATION].to_str().unwrap()).unwrap();
    let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1;
    let mut body = reqwest::Url::parse("http://form").unwrap();
    let pairs = [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", &*redirect_uri)];
    body.query_pairs_mut().extend_pairs(pairs);
    let url = format!("{}/oauth/token", stage.pinterest().sandbox_api_url());
    let tokens = stage.client.post(url).basic_auth(APP_ID, Some(APP_SECRET)).header("content-type", form);
    let tokens = answer(tokens.body(body.query().unwrap().to_owned())).await.expect(200);
    tokens["access_token"].as_str().unwrap().to_owned()
}

/// One call of the owner's at Pinterest.
async fn as_owner(stage: &Stage, token: &str, method: Method, path: &str, body: Value) -> Answer {
    let url = format!("{}/{path}", stage.pinterest().sandbox_api_url());
    answer(stage.client.request(method, url).bearer_auth(token).json(&body)).await
}

/// So many Pins of the owner's own on a board.
async fn fill(stage: &Stage, owner: &str, board: &str, count: usize) {
    let media = json!({"source_type": "image_url", "url": "https://images.example.com/old.jpg"});
    for number in 0..count {
        let old = json!({"board_id": board, "title": format!("Old {number}"), "media_source": media});
        as_owner(stage, owner, Method::POST, "pins", old).await.expect(201);
    }
}

/// A board whose first 250 Pins were made within one second, and so many more.
async fn board_of_one_second(stage: &Stage, owner: &str, more: usize) -> String {
    for board in stage.pinterest().add_boards(Environment::Sandbox, "demo_account", 20).unwrap() {
        until(|| stage.stack.now().subsec_millisecond() < 20).await;
        let began = stage.stack.now().as_second();
        fill(stage, owner, &board, 250).await;
        if stage.stack.now().as_second() == began {
            fill(stage, owner, &board, more).await;
            return board;
        }
    }
    panic!("this machine is too slow");
}

async fn default_board(stage: &Stage, channel: &str) -> String {
    let channel = stage.channel("ada", channel).await;
    channel["default_board"]["pinterest_board_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn whichever_way_an_answer_is_lost_there_is_one_pin_in_the_end() {
    let (stage, channel) = Stage::connected().await;
    each_lost_answer_ends_as_one_pin(&stage, &channel, &BEFORE, &AFTER).await;
}

#[tokio::test]
async fn a_list_that_lags_by_two_minutes_makes_no_double() {
    let (stage, channel) = Stage::connected().await;
    stage.pinterest().change_policy(|policy| policy.lag_seconds = 120).unwrap();
    let (before, after) = (&[FaultKind::CutBefore], &[FaultKind::CutAfter, FaultKind::Status500After]);
    each_lost_answer_ends_as_one_pin(&stage, &channel, before, after).await;
}

#[tokio::test]
async fn a_list_in_no_order_hides_nothing() {
    let (stage, channel) = Stage::connected().await;
    stage.pinterest().change_policy(|policy| policy.pin_order = PinOrder::Shuffled).unwrap();
    let (before, after) = (&[FaultKind::CutBefore], &[FaultKind::CutAfter, FaultKind::Status500After]);
    each_lost_answer_ends_as_one_pin(&stage, &channel, before, after).await;
}

#[tokio::test]
async fn a_list_with_the_oldest_first_hides_nothing() {
    let (stage, channel) = Stage::connected().await;
    stage.pinterest().change_policy(|policy| policy.pin_order = PinOrder::OldestFirst).unwrap();
    let (before, after) = (&[FaultKind::CutBefore], &[FaultKind::CutAfter, FaultKind::Status500After]);
    each_lost_answer_ends_as_one_pin(&stage, &channel, before, after).await;
}

#[tokio::test]
async fn a_board_of_more_than_one_page_is_read_to_where_the_pin_can_be() {
    let (stage, channel) = Stage::connected().await;
    let (owner, board) = (owner(&stage).await, default_board(&stage, &channel).await);
    for _ in 0..15 {
        fill(&stage, &owner, &board, 20).await;
        stage.advance(minutes(1)).await;
    }
    stage.advance(minutes(10)).await;

    let orders = [(PinOrder::NewestFirst, 1), (PinOrder::OldestFirst, 2), (PinOrder::Shuffled, 2)];
    for (order, pages) in orders {
        stage.pinterest().change_policy(|policy| policy.pin_order = order).unwrap();
        let (made, never) = (format!("{order:?} made"), format!("{order:?} never"));
        let first = lose(&stage, &channel, &made, FaultKind::CutAfter).await;
        let read = stage.pinterest().calls_of(Operation::ListBoardPins);
        stage.advance(seconds(20)).await;
        bound(&stage, &first, &made).await;
        assert_eq!(stage.pinterest().calls_of(Operation::ListBoardPins) - read, pages, "{order:?}");

        let second = lose(&stage, &channel, &never, FaultKind::CutBefore).await;
        looks(&stage).await;
        bound(&stage, &second, &never).await;
    }
}

#[tokio::test]
async fn a_page_of_pins_of_one_second_says_nothing_about_the_order_of_a_list() {
    let (stage, channel) = Stage::connected().await;
    let board = board_of_one_second(&stage, &owner(&stage).await, 10).await;
    stage.advance(minutes(10)).await;
    stage.pinterest().change_policy(|policy| policy.pin_order = PinOrder::OldestFirst).unwrap();
    stage.pinterest().inject(Fault::once(Operation::CreatePin, FaultKind::CutAfter));
    let mut body = pin(&channel, "On the last page");
    body["board_id"] = json!(board);
    let pin = id(&stage.post(PINS, "ada", body).await.expect(202));

    looks(&stage).await;

    bound(&stage, &pin, "On the last page").await;
    assert_eq!(stage.sent(), 261);
}

#[tokio::test]
async fn two_identical_pins_on_purpose_stay_two_whatever_is_lost() {
    let (stage, channel) = Stage::connected().await;
    let pairs = [
        [FaultKind::CutAfter, FaultKind::Code2787After],
        [FaultKind::CutAfter, FaultKind::CutBefore],
        [FaultKind::CutBefore, FaultKind::CutAfter],
        [FaultKind::CutBefore, FaultKind::Status500Before],
    ];
    for (number, [first, second]) in pairs.into_iter().enumerate() {
        let title = format!("Twins {number}");
        let one = lose(&stage, &channel, &title, first).await;
        let other = lose(&stage, &channel, &title, second).await;
        assert_ne!(one, other);

        looks(&stage).await;

        let (one, other) = (stage.pin("ada", &one).await, stage.pin("ada", &other).await);
        assert_eq!((&one["state"], &other["state"]), (&json!("published"), &json!("published")), "{title}");
        let mut ours =
            [one["pinterest_pin_id"].as_str().unwrap(), other["pinterest_pin_id"].as_str().unwrap()];
        let mut there = remotes(&stage, &title);
        ours.sort_unstable();
        there.sort_unstable();
        assert_eq!(ours.as_slice(), there, "{title}: each is bound to a Pin of its own");
    }
}

#[tokio::test]
async fn an_older_identical_pin_of_ours_is_not_taken_for_the_new_one() {
    let (stage, channel) = Stage::connected().await;
    let old = stage.publish("ada", &channel, "Same").await.expect(201);

    let never = lose(&stage, &channel, "Same", FaultKind::CutBefore).await;
    looks(&stage).await;
    let never = stage.pin("ada", &never).await;
    assert_eq!(never["state"], "published");
    assert_ne!(never["pinterest_pin_id"], old["pinterest_pin_id"]);
    assert_eq!(stage.at_pinterest("Same"), 2);

    let made = lose(&stage, &channel, "Same", FaultKind::CutAfter).await;
    assert_eq!(stage.at_pinterest("Same"), 3);
    looks(&stage).await;
    let made = stage.pin("ada", &made).await;
    assert_eq!(made["pinterest_pin_id"], remotes(&stage, "Same")[0], "the newest is the new one");
    assert_eq!(stage.at_pinterest("Same"), 3);
}

#[tokio::test]
async fn looks_that_fail_do_not_count() {
    let (stage, channel) = Stage::connected().await;
    let never = lose(&stage, &channel, "Never", FaultKind::CutBefore).await;
    let made = lose(&stage, &channel, "Made", FaultKind::CutAfter).await;
    let kinds = [FaultKind::Status500Before, FaultKind::CutInAnswer, FaultKind::Garbage, FaultKind::Scope];
    for kind in kinds {
        stage.pinterest().inject(Fault::once(Operation::ListBoardPins, kind).times(2));
    }
    let rest = Fault::once(Operation::ListBoardPins, FaultKind::CutBefore);
    stage.pinterest().inject(rest.times(100));

    stage.advance(minutes(60)).await;

    for pin in [&never, &made] {
        let pin = stage.pin("ada", pin).await;
        waits(&pin, "outcome_unknown");
        let told = lines(&pin).join("\n");
        assert!(told.contains("looked: the board could not be read"), "{told}");
    }
    assert_eq!((stage.sent(), stage.at_pinterest("Never"), stage.at_pinterest("Made")), (2, 0, 1));

    stage.pinterest().clear_faults();
    stage.advance(minutes(40)).await;
    bound(&stage, &never, "Never").await;
    bound(&stage, &made, "Made").await;
    assert_eq!(stage.sent(), 3);
}

#[tokio::test]
async fn a_board_that_can_never_be_read_ends_a_pin_in_doubt_without_another_try() {
    let (stage, channel) = Stage::connected().await;
    stage.pinterest().inject(Fault::once(Operation::ListBoardPins, FaultKind::CutBefore).times(1000));
    stage.pinterest().inject(Fault::once(Operation::CreatePin, FaultKind::CutAfter));
    let mut body = pin(&channel, "Who knows");
    body["publish_within"] = json!("PT3H");
    let pin = id(&stage.post(PINS, "ada", body).await.expect(202));

    stage.advance(minutes(4 * 60)).await;

    let pin = stage.pin("ada", &pin).await;
    assert_eq!(
        (&pin["state"], &pin["error"]["code"]),
        (&json!("failed"), &json!("outcome_unknown")),
        "{pin}"
    );
    assert_eq!((stage.sent(), stage.at_pinterest("Who knows")), (1, 1));
}

#[tokio::test]
async fn a_board_that_was_deleted_meanwhile_fails_the_pin_by_its_name() {
    let (stage, channel) = Stage::connected().await;
    let (owner, board) = (owner(&stage).await, default_board(&stage, &channel).await);
    let made = lose(&stage, &channel, "Made", FaultKind::CutAfter).await;
    let never = lose(&stage, &channel, "Never", FaultKind::CutBefore).await;
    as_owner(&stage, &owner, Method::DELETE, &format!("boards/{board}"), Value::Null).await.expect(204);

    looks(&stage).await;

    for pin in [made, never] {
        let pin = stage.pin("ada", &pin).await;
        assert_eq!(pin["state"], "failed", "{pin}");
        assert_eq!(pin["error"]["code"], "board_id_invalid");
        assert_eq!(pin["error"]["detail"], "board_id is invalid");
        assert!(pin["error"]["fix"].as_str().unwrap().contains("default board"));
    }
    assert_eq!(stage.sent(), 2);
}

#[tokio::test]
async fn an_outage_ends_with_one_pin() {
    let (stage, channel) = Stage::connected().await;
    let outage = Fault::once(Operation::CreatePin, FaultKind::Status500Before).times(10);
    stage.pinterest().inject(outage);
    let pin = id(&stage.publish("ada", &channel, "Patient").await.expect(202));

    stage.advance(minutes(80)).await;

    bound(&stage, &pin, "Patient").await;
    assert_eq!(stage.sent(), 11);
}

#[tokio::test]
async fn an_outage_of_all_of_pinterest_ends_with_one_pin() {
    let (stage, channel) = Stage::connected().await;
    stage.pinterest().inject(Fault::once(None, FaultKind::Status500Before).times(10));
    let never = id(&stage.publish("ada", &channel, "Patient").await.expect(202));

    stage.advance(minutes(3 * 60)).await;

    bound(&stage, &never, "Patient").await;
}

#[tokio::test]
async fn a_pin_in_doubt_is_not_cancelled_and_not_retried_by_request() {
    let (stage, channel) = Stage::connected().await;
    let pin = lose(&stage, &channel, "Doubt", FaultKind::CutAfter).await;

    let path = format!("{PINS}/{pin}");
    let cancelled = stage.call(Method::DELETE, &path, &stage.user("ada"), None).await;
    assert_eq!(cancelled.problem(409), "wrong_state");
    let retried = stage.post(&format!("{path}/retry"), "ada", json!({})).await;
    assert_eq!(retried.problem(409), "wrong_state");

    looks(&stage).await;
    bound(&stage, &pin, "Doubt").await;
}

#[tokio::test]
async fn a_pin_in_doubt_has_its_looks_even_when_it_is_late_and_is_not_sent_again() {
    let (stage, channel) = Stage::connected().await;
    let mut pins = Vec::new();
    for (title, kind) in [("Late made", FaultKind::CutAfter), ("Late never", FaultKind::CutBefore)] {
        stage.pinterest().inject(Fault::once(Operation::CreatePin, kind));
        let mut body = pin(&channel, title);
        body["publish_within"] = json!("PT1M");
        pins.push(id(&stage.post(PINS, "ada", body).await.expect(202)));
    }
    stage.pinterest().change_policy(|policy| policy.lag_seconds = 120).unwrap();

    looks(&stage).await;

    bound(&stage, &pins[0], "Late made").await;
    let never = stage.pin("ada", &pins[1]).await;
    assert_eq!((&never["state"], &never["error"]["code"]), (&json!("failed"), &json!("too_late")), "{never}");
    assert_eq!((stage.sent(), stage.at_pinterest("Late never")), (2, 0));
}

#[tokio::test]
async fn a_process_that_ends_while_it_sends_leaves_one_pin() {
    for kind in [FaultKind::HangAfter, FaultKind::HangBefore] {
        let (stage, channel) = Stage::connected().await;
        stage.pinterest().inject(Fault::once(Operation::CreatePin, kind));
        let url = format!("{}{PINS}", stage.stack.url());
        let request = stage.client.post(url).bearer_auth(stage.user("ada")).json(&pin(&channel, "Cut off"));
        let request = tokio::spawn(request.send());
        until(|| stage.sent() == 1).await;
        let listed = stage.get(PINS, "ada").await.expect(200);
        assert_eq!(listed["items"][0]["state"], "sending");
        request.abort();

        stage.advance(seconds(30)).await;
        assert_eq!(stage.pin("ada", &id(&listed["items"][0])).await["state"], "sending", "it may be alive");
        looks(&stage).await;

        let pin = bound(&stage, &id(&listed["items"][0]), "Cut off").await;
        let told = lines(&pin).join("\n");
        assert!(told.contains("the process that was sending it ended without a word"), "{told}");
    }
}
