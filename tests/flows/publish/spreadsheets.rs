//! Bulk files as people have them: Pinterest's own, and those of spreadsheets.

use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::{FaultKind, Operation};

use crate::{
    harness::token_faults::{LONG, inject},
    harness::{Answer, PINS, TestApp, answer, minutes},
};

const TEMPLATE: &str = "/api/v1/pins/bulk/template.csv";
const PINTERESTS: &str = "Title,Media URL,Pinterest board,Thumbnail,Description,Link,Publish date,Keywords";

/// Sends a file of rows for the channel.
async fn send(app: &TestApp, channel: &str, query: &str, file: impl Into<Vec<u8>>) -> Answer {
    let address = format!("{}{PINS}/bulk?channel_id={channel}{query}", app.stack.url());
    let request = app.client.post(address).bearer_auth(app.user("ada")).header("content-type", "text/csv");
    answer(request.body(file.into())).await
}

fn rows(answer: &Value) -> Vec<(&str, &str)> {
    let rows = answer["rows"].as_array().unwrap();
    rows.iter()
        .map(|row| (row["status"].as_str().unwrap(), row["code"].as_str().unwrap_or_default()))
        .collect()
}

/// The media of each accepted row.
async fn media(app: &TestApp, answer: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    for row in answer["rows"].as_array().unwrap() {
        all.push(app.pin("ada", row["pin_id"].as_str().unwrap()).await["media"].take());
    }
    all
}

#[tokio::test]
async fn pinterest_s_own_file_makes_images_and_videos() {
    let (app, channel) = TestApp::start_connected().await;
    let file = format!(
        "{PINTERESTS}\n\
         An image,https://images.example.com/a.jpg,Recipes,,\"Fresh, green\",https://example.com/a,,\"salad,green\"\n\
         A video,https://videos.example.com/b.mp4,Recipes,0:03,,,,\n\
         A cover,https://videos.example.com/c.MOV,Recipes,https://images.example.com/c.jpg,,,,\n\
         The first frame,https://videos.example.com/d.m4v,Recipes,,,,,\n\
         An image with a moment,https://images.example.com/e.png,Recipes,0:03,,,,\n\
         A video with no moment,https://videos.example.com/f.mp4,Recipes,soon,,,,\n"
    );

    let answer = send(&app, &channel, "", file).await.expect(200);

    let (accepted, refused) = (("accepted", ""), ("refused", "invalid_thumbnail"));
    assert_eq!(rows(&answer), [accepted, accepted, accepted, accepted, refused, refused]);
    let created_rows = json!({"rows": answer["rows"].as_array().unwrap()[..4]});
    let video = |name: &str, cover: Value| json!({"kind": "video", "url": format!("https://videos.example.com/{name}"), "cover": cover});
    assert_eq!(
        media(&app, &created_rows).await,
        [
            json!({"kind": "image", "url": "https://images.example.com/a.jpg"}),
            video("b.mp4", json!({"frame_seconds": 3})),
            video("c.MOV", json!({"url": "https://images.example.com/c.jpg"})),
            video("d.m4v", json!({"frame_seconds": 0})),
        ]
    );
}

#[tokio::test]
async fn a_file_that_a_spreadsheet_saved_is_read_in_its_encoding_and_with_its_separator() {
    let (app, channel) = TestApp::start_connected().await;
    let table = "Title;Media URL;Pinterest board;\r\n\
                 Şölen;https://images.example.com/a.jpg; recipes ;\r\n\
                 ;;;\r\n\
                 Kahve, şekersiz;https://images.example.com/b.jpg;Recipes;\r\n";
    let utf_16: Vec<u8> =
        format!("\u{feff}{}", table.replace(';', "\t")).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let first = send(&app, &channel, "", format!("\u{feff}{table}")).await.expect(200);
    assert_eq!(rows(&first), [("accepted", ""); 2]);
    assert_eq!((&first["rows"][0]["line"], &first["rows"][1]["line"]), (&json!(2), &json!(4)));
    let pin = app.pin("ada", first["rows"][1]["pin_id"].as_str().unwrap()).await;
    assert_eq!(pin["title"], "Kahve, şekersiz");

    for variant in
        [format!("sep=;\r\n{table}").into_bytes(), table.replace("\r\n", "\r").into_bytes(), utf_16]
    {
        let repeated = send(&app, &channel, "", variant).await.expect(200);
        assert_eq!(rows(&repeated), [("exists", ""); 2], "it says the same");
    }

    let ansi = b"Title;Media URL\r\n\xdeenlik;https://images.example.com/a.jpg\r\n".to_vec();
    let refused = send(&app, &channel, "", ansi).await;
    assert_eq!(refused.problem(400), "invalid_csv");
    assert!(refused.json()["fix"].as_str().unwrap().contains("CSV UTF-8"), "{}", refused.text);
}

#[tokio::test]
async fn an_invalid_row_is_refused_alone() {
    let (app, channel) = TestApp::start_connected().await;
    let file = "Title,Media URL,Publish date\n\
                Good,https://images.example.com/a.jpg,\n\
                Green, fresh,https://images.example.com/b.jpg,\n\
                Short,https://images.example.com/c.jpg\n\
                ,,\n\
                Rewritten,https://images.example.com/d.jpg,12/7/2026 22:00\n\
                No image,,\n\
                Also good,https://images.example.com/e.jpg,\n";

    let answer = send(&app, &channel, "", file).await.expect(200);

    assert_eq!(
        rows(&answer),
        [
            ("accepted", ""),
            ("refused", "invalid_csv"),
            ("refused", "invalid_csv"),
            ("refused", "ambiguous_date"),
            ("refused", "missing_field"),
            ("accepted", ""),
        ]
    );
    let of = |row: usize, field: &str| answer["rows"][row][field].as_str().unwrap_or_default().to_owned();
    assert!(of(3, "fix").contains("as text") && of(3, "field") == "publish_at", "{answer}");
    assert_eq!((of(4, "field").as_str(), &answer["rows"][4]["line"]), ("media_url", &json!(7)));
}

#[tokio::test]
async fn a_day_without_a_time_is_the_time_of_day_at_which_the_file_is_sent() {
    let (app, channel) = TestApp::start_connected().await;
    let now = app.stack.now().to_zoned(jiff::tz::TimeZone::UTC);
    let (today, tomorrow) = (now.date(), now.date().tomorrow().unwrap());
    let file = format!(
        "Title,Media URL,Publish date\nToday,https://images.example.com/a.jpg,{today}\n\
         Tomorrow,https://images.example.com/b.jpg,{}\n",
        tomorrow.strftime("%Y/%m/%d")
    );

    let first = send(&app, &channel, "", file.clone()).await.expect(200);

    assert_eq!(rows(&first), [("accepted", ""); 2]);
    app.advance(minutes(2)).await;
    assert_eq!((app.at_pinterest("Today"), app.at_pinterest("Tomorrow")), (1, 0));
    let repeated = send(&app, &channel, "", file).await.expect(200);
    assert_eq!(rows(&repeated), [("exists", ""); 2], "two minutes later it is the same file");
    app.advance(minutes(24 * 60)).await;
    assert_eq!(app.at_pinterest("Tomorrow"), 1);
}

#[tokio::test]
async fn a_file_that_is_sent_again_says_which_pins_were_cancelled_or_have_failed() {
    let (app, channel) = TestApp::start_connected().await;
    let tomorrow = (app.stack.now() + minutes(24 * 60)).strftime("%Y-%m-%d %H:%M").to_string();
    let file = format!(
        "Title,Media URL,Publish date\nCancelled,https://images.example.com/a.jpg,{tomorrow}\n\
         Fails,https://images.example.com/b.jpg,\nWaits,https://images.example.com/c.jpg,{tomorrow}\n"
    );
    let first = send(&app, &channel, "", file.clone()).await.expect(200);
    let id = |row: usize| first["rows"][row]["pin_id"].as_str().unwrap();
    app.call(Method::DELETE, &format!("{PINS}/{}", id(0)), &app.user("ada"), None).await.expect(200);
    inject(&app, Operation::CreatePin, FaultKind::Scope, LONG);
    app.advance(minutes(1)).await;

    let repeated = send(&app, &channel, "", file).await.expect(200);

    assert_eq!(rows(&repeated), [("exists", "pin_cancelled"), ("exists", "pin_failed"), ("exists", "")]);
    let states: Vec<_> =
        repeated["rows"].as_array().unwrap().iter().map(|row| row["pin_state"].clone()).collect();
    assert_eq!(states, ["cancelled", "failed", "scheduled"]);
    for row in &repeated["rows"].as_array().unwrap()[..2] {
        assert!(row["detail"].is_string() && row["fix"].is_string(), "{row}");
    }
    assert_eq!(repeated["rows"][1]["pin_id"], first["rows"][1]["pin_id"]);
}

#[tokio::test]
async fn the_template_is_a_file_that_is_taken() {
    let (app, channel) = TestApp::start_connected().await;

    let template = app.get(TEMPLATE, "ada").await;

    assert_eq!(template.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(template.headers["content-disposition"], "attachment; filename=\"pins.csv\"");
    assert!(template.text.starts_with(PINTERESTS), "{}", template.text);
    let answer = send(&app, &channel, "&dry_run=true", template.text).await.expect(200);
    assert_eq!(rows(&answer), [("valid", ""); 2], "{answer}");
    let open = answer_without_token(&app).await;
    assert_eq!(open.status, 401);
}

async fn answer_without_token(app: &TestApp) -> Answer {
    answer(app.client.get(format!("{}{TEMPLATE}", app.stack.url()))).await
}
