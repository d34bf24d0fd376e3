//! Bulk files: many Pins in one request.

use serde_json::{Value, json};
use simulated_pinterest::{FaultKind, Operation};

use crate::{
    harness::token_faults::{LONG, calls, inject},
    harness::{Answer, PINS, TestApp, answer, minutes, pin},
};

const BULK: &str = "/api/v1/pins/bulk";
pub(crate) const LINES: &str = "application/x-ndjson";

pub(crate) async fn send(app: &TestApp, query: &str, content_type: &str, file: &str) -> Answer {
    let request = app.client.post(format!("{}{BULK}{query}", app.stack.url()));
    let request = request.bearer_auth(app.user("ada")).header("content-type", content_type);
    answer(request.body(file.to_owned())).await
}

fn line(channel: &str, title: &str) -> String {
    pin(channel, title).to_string()
}

/// The status and the code of each row.
fn row_results(answer: &Value) -> Vec<(&str, &str)> {
    let rows = answer["rows"].as_array().unwrap();
    rows.iter()
        .map(|row| (row["status"].as_str().unwrap(), row["code"].as_str().unwrap_or_default()))
        .collect()
}

async fn pin_count(app: &TestApp) -> usize {
    app.get(&format!("{PINS}?limit=200"), "ada").await.expect(200)["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn each_row_is_a_pin_that_the_next_tick_sends() {
    let (app, channel) = TestApp::start_connected().await;
    let file = [line(&channel, "One"), line(&channel, "Two")].join("\n");

    let answer = send(&app, "", LINES, &file).await.expect(200);

    assert_eq!(row_results(&answer), [("accepted", ""), ("accepted", "")]);
    assert_eq!((&answer["rows"][1]["line"], app.send_count()), (&json!(2), 0));
    app.stack.tick().await.unwrap();
    assert_eq!((app.at_pinterest("One"), app.at_pinterest("Two")), (1, 1));
}

#[tokio::test]
async fn the_same_file_twice_makes_nothing_twice() {
    let (app, channel) = TestApp::start_connected().await;
    let first_line = line(&channel, "One");
    let file = [first_line.clone(), line(&channel, "Two"), first_line.replacen("{\"", "{ \"", 1)].join("\n");
    let first = send(&app, "", LINES, &file).await.expect(200);
    let pin_id = |answer: &Value, row: usize| answer["rows"][row]["pin_id"].clone();
    assert_eq!(
        pin_id(&first, 0),
        pin_id(&first, 2),
        "the same content is the same row, however it is spaced"
    );

    let repeated = send(&app, "", LINES, &format!("\n{file}\n")).await.expect(200);

    assert_eq!(row_results(&repeated), [("exists", ""); 3]);
    assert_eq!((pin_id(&repeated, 0), pin_id(&repeated, 1)), (pin_id(&first, 0), pin_id(&first, 1)));
    assert_eq!(pin_count(&app).await, 2);
}

#[tokio::test]
async fn a_row_that_breaks_a_rule_does_not_keep_the_others_away() {
    let (app, channel) = TestApp::start_connected().await;
    let mut long = pin(&channel, "Long");
    long["title"] = json!("x".repeat(101));
    let mut typo = pin(&channel, "Typo");
    typo["tittle"] = json!("x");
    let foreign = line("ch_00000000000000000000000000", "Foreign");
    let file = [line(&channel, "Good"), long.to_string(), typo.to_string(), foreign, "not JSON".into()];

    let answer = send(&app, "", LINES, &file.join("\n")).await.expect(200);

    let expected = [
        ("accepted", ""),
        ("refused", "too_long"),
        ("refused", "unknown_field"),
        ("refused", "not_found"),
        ("refused", "invalid_json"),
    ];
    assert_eq!(row_results(&answer), expected);
    assert_eq!(answer["rows"][1]["field"], "title");
    assert!(answer["rows"][1]["fix"].as_str().unwrap().contains("1 too many"), "{answer}");
    assert_eq!(pin_count(&app).await, 1);
}

#[tokio::test]
async fn pinterest_s_own_columns_name_boards_and_sections() {
    let (app, channel) = TestApp::start_connected().await;
    let boards = format!("/api/v1/channels/{channel}/boards?sections=true");
    let boards = app.get(&boards, "ada").await.expect(200)["items"].take();
    let with = boards.as_array().unwrap().iter().find(|board| board["sections"][0].is_object()).unwrap();
    let (board, section) = (with["name"].as_str().unwrap(), with["sections"][0]["name"].as_str().unwrap());
    let file = format!(
        "Title,Media URL,Pinterest board,Description,Link,Publish date,Keywords\n\
         A,https://images.example.com/a.jpg,{board},\"Fresh, green\",https://example.com/a,,\n\
         B,https://images.example.com/b.jpg,{board}/{section},,,,salad\n\
         C,https://images.example.com/c.jpg,Nowhere,,,,\n"
    );
    let before = app.pinterest().calls_of(Operation::ListBoards);

    let answer = send(&app, &format!("?channel_id={channel}"), "text/csv", &file).await.expect(200);

    assert_eq!(row_results(&answer), [("accepted", ""), ("accepted", ""), ("refused", "board_id_invalid")]);
    assert_eq!(app.pinterest().calls_of(Operation::ListBoards), before + 1, "the list is read once");
    app.advance(minutes(1)).await;
    let remote_pins = app.pinterest().pins(simulated_pinterest::Environment::Sandbox);
    let of = |title: &str| remote_pins.iter().find(|pin| pin.title.as_deref() == Some(title)).unwrap();
    assert_eq!((of("A").board.as_str(), of("A").section.as_deref()), (board, None));
    assert_eq!(of("A").description.as_deref(), Some("Fresh, green"));
    assert_eq!(of("B").section.as_deref(), Some(section));
}

#[tokio::test]
async fn a_board_list_that_fails_is_read_once_and_only_its_rows_are_not_done() {
    let (app, channel) = TestApp::start_connected().await;
    let row = |title: &str, board: &str| format!("{title},https://images.example.com/{title}.jpg,{board}\n");
    let file = ["Title,Media URL,Pinterest board\n", &row("A", "Recipes"), &row("B", "Ideas"), &row("C", "")]
        .concat();
    let file = [file, row("D", "Recipes")].concat();
    let query = format!("?channel_id={channel}");
    for (kind, code) in [
        (FaultKind::Status500Before, "pinterest_unreachable"),
        (FaultKind::RateLimited { reset: 60 }, "pinterest_rate_limited"),
    ] {
        inject(&app, Operation::ListBoards, kind, LONG);
        let before = calls(&app, Operation::ListBoards);

        let answer = send(&app, &query, "text/csv", &file).await.expect(200);

        let waits = ("not_done", code);
        let (status, _) = row_results(&answer)[2];
        assert_eq!(row_results(&answer), [waits, waits, (status, ""), waits]);
        assert!(["accepted", "exists"].contains(&status), "{answer}");
        let fixes = answer["rows"].as_array().unwrap().iter().filter(|row| row["fix"].is_string());
        assert_eq!(fixes.count(), 3, "{answer}");
        assert_eq!(calls(&app, Operation::ListBoards) - before, 1);
        app.pinterest().clear_faults();
    }
    let answer = send(&app, &query, "text/csv", &file).await.expect(200);
    assert_eq!(
        row_results(&answer),
        [("accepted", ""), ("refused", "board_id_invalid"), ("exists", ""), ("accepted", "")]
    );
}

#[tokio::test]
async fn a_token_that_is_refused_to_rows_is_renewed() {
    let (app, channel) = TestApp::start_connected().await;
    let file = "Title,Media URL,Pinterest board\nA,https://images.example.com/a.jpg,Recipes\n";
    let query = format!("?channel_id={channel}");
    inject(&app, Operation::ListBoards, FaultKind::Unauthorized, 1);

    let answer = send(&app, &query, "text/csv", file).await.expect(200);

    assert_eq!(row_results(&answer), [("not_done", "token_refresh")]);
    let before = calls(&app, Operation::Token);
    app.advance(minutes(1)).await;
    assert_eq!(calls(&app, Operation::Token), before + 1);
    let answer = send(&app, &query, "text/csv", file).await.expect(200);
    assert_eq!(row_results(&answer), [("accepted", "")]);
}

#[tokio::test]
async fn a_repeated_row_is_a_duplicate_even_after_its_publish_at() {
    let (app, channel) = TestApp::start_connected().await;
    let mut body = pin(&channel, "Soon");
    body["publish_at"] = json!(app.stack.now() + minutes(1));
    let first = send(&app, "", LINES, &body.to_string()).await.expect(200);
    app.advance(minutes(30)).await;

    let repeated = send(&app, "", LINES, &body.to_string()).await.expect(200);

    assert_eq!(row_results(&repeated), [("exists", "")]);
    assert_eq!(repeated["rows"][0]["pin_id"], first["rows"][0]["pin_id"]);
    app.advance(minutes(24 * 60 * 40)).await;
    let later = send(&app, "", LINES, &body.to_string()).await.expect(200);
    assert_eq!(
        row_results(&later),
        [("refused", "publish_at_past")],
        "a month after its end it is forgotten"
    );
}

#[tokio::test]
async fn a_dry_run_checks_files_too() {
    let (app, channel) = TestApp::start_connected().await;
    let mut body = pin(&channel, "Nowhere");
    body["media"] = json!({"kind": "image", "media_id": "media_00000000000000000000000000"});

    let answer = send(&app, "?dry_run=true", LINES, &body.to_string()).await.expect(200);

    assert_eq!(row_results(&answer), [("refused", "not_found")]);
}

#[tokio::test]
async fn a_dry_run_checks_and_stores_nothing() {
    let (app, channel) = TestApp::start_connected().await;
    let file = [line(&channel, "One"), line(&channel, &"x".repeat(101))].join("\n");

    let answer = send(&app, "?dry_run=true", LINES, &file).await.expect(200);

    assert_eq!(row_results(&answer), [("valid", ""), ("refused", "too_long")]);
    assert_eq!(pin_count(&app).await, 0);
    let answer = send(&app, "", LINES, &file).await.expect(200);
    assert_eq!(row_results(&answer)[0].0, "accepted", "a dry run leaves no trace");
}

#[tokio::test]
async fn a_thousand_rows_are_taken_in_one_call_and_not_one_more() {
    let (app, channel) = TestApp::start_connected().await;
    let lines: Vec<_> = (0..1001).map(|number| line(&channel, &format!("Row {number}"))).collect();
    let many = send(&app, "", LINES, &lines.join("\n")).await;
    assert_eq!(many.problem(422), "too_many_rows");

    let answer = send(&app, "", LINES, &lines[..1000].join("\n")).await.expect(200);

    let ends = row_results(&answer);
    let accepted = ends.iter().filter(|(status, _)| *status == "accepted").count();
    let not_done = ends.iter().filter(|(status, _)| *status == "not_done").count();
    assert_eq!((accepted + not_done, ends.len()), (1000, 1000), "{:?}", ends.last());
    let remaining = send(&app, "", LINES, &lines[..1000].join("\n")).await.expect(200);
    assert!(remaining["rows"].as_array().unwrap().iter().all(|row| row["pin_id"].is_string()), "it goes on");
}

#[tokio::test]
async fn an_invalid_file_of_rows_is_a_problem() {
    let (app, channel) = TestApp::start_connected().await;
    let valid_line = line(&channel, "Good");
    for (content_type, file, status, code) in [
        ("application/json", valid_line.as_str(), 415, "unsupported_content_type"),
        ("text/csv", "title,colour\na,b\n", 422, "unknown_field"),
        ("text/csv", "PK\u{3}\u{4}", 400, "invalid_csv"),
        (LINES, "", 422, "no_rows"),
    ] {
        assert_eq!(send(&app, "", content_type, file).await.problem(status), code, "{content_type} {file}");
    }
    app.save(json!({"status": "disabled"})).await;
    assert_eq!(send(&app, "", LINES, &valid_line).await.problem(409), "integration_disabled");
}
