//! Every call that the product makes of Pinterest is one that Pinterest's official description allows. The simulated
//! Pinterest holds each call to it, in every flow; here is one flow with all of them.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::{Value, json};
use simulated_pinterest::{FaultKind, Operation};

use crate::{
    harness::token_faults::inject,
    harness::{PINS, TestApp, days, id, minutes, pin, seconds},
    media::{
        files::{MP4, uploaded},
        uploads::PNG,
    },
};

/// Whatever a Pin may show.
async fn all_media(app: &TestApp) -> Vec<Value> {
    let image = |name: &str| json!({"url": format!("https://images.example.com/{name}.jpg")});
    let with_texts = json!({
        "url": "https://images.example.com/3.jpg", "title": "x".repeat(100), "description": "x".repeat(800),
        "link": "https://www.example.com/3",
    });
    let own = json!({"media_id": uploaded(app, "ada", "image/png", PNG).await});
    let film = uploaded(app, "ada", "video/mp4", MP4).await;
    vec![
        json!({"kind": "image", "url": "https://images.example.com/a.jpg"}),
        json!({"kind": "image", "content_type": "image/png", "base64": STANDARD.encode(PNG)}),
        json!({"kind": "image", "media_id": own["media_id"]}),
        json!({"kind": "carousel", "items": [image("1"), image("2"), with_texts, image("4"), image("5")]}),
        json!({"kind": "carousel", "items": [own, own]}),
        json!({"kind": "video", "media_id": film}),
        json!({"kind": "video", "media_id": film, "cover": {"frame_seconds": 3}}),
        json!({"kind": "video", "media_id": film, "cover": {"url": "https://images.example.com/cover.jpg"}}),
    ]
}

#[tokio::test]
async fn every_call_of_every_kind_of_pin_is_in_the_official_description() {
    let app = TestApp::start_configured().await;
    app.save(json!({"environment": "production"})).await;
    let path = format!("{}/test", crate::harness::SETTINGS);
    app.call(Method::POST, &path, &app.admin(), None).await.expect(200);
    let channel = app.connect("ada").await;
    let of_channel = |resource: &str| format!("/api/v1/channels/{channel}/{resource}");
    let boards = app.get(&of_channel("boards?sections=true"), "ada").await.expect(200);
    let new = json!({"name": "Soups", "description": "Warm", "privacy": "PUBLIC"});
    app.post(&of_channel("boards"), "ada", new).await.expect(201);
    let sectioned = boards["items"].as_array().unwrap();
    let sectioned = sectioned.iter().find(|board| board["sections"][0].is_object()).unwrap();

    let mut ids = Vec::new();
    for (number, media) in all_media(&app).await.into_iter().enumerate() {
        let mut body = pin(&channel, &format!("👩{number}{}", "x".repeat(98)));
        body["board_id"] = sectioned["pinterest_board_id"].clone();
        body["board_section_id"] = sectioned["sections"][0]["pinterest_section_id"].clone();
        body["description"] = json!("é".repeat(800));
        body["alt_text"] = json!("x".repeat(500));
        body["link"] = json!(format!("https://example.com/{}", "a".repeat(2028)));
        body["dominant_color"] = json!("#6E7874");
        body["ai_disclosures"] = json!({"values": ["AI_MODIFIED", "SYNTHETIC_PERFORMER"]});
        body["media"] = media;
        let response = app.post(PINS, "ada", body.clone()).await;
        assert!(response.status.is_success(), "{body}: {}", response.text);
        ids.push(id(&response.json()));
    }
    app.advance(minutes(5)).await;
    // One whose answer is lost is looked for on its board.
    inject(&app, Operation::CreatePin, FaultKind::CutAfter, 1);
    let bare = json!({
        "channel_id": channel, "board_id": sectioned["pinterest_board_id"],
        "media": {"kind": "image", "url": "https://images.example.com/b.jpg"},
    });
    ids.push(id(&app.post(PINS, "ada", bare).await.expect(202)));
    app.advance(seconds(60)).await;
    for pin in &ids {
        assert_eq!(app.pin("ada", pin).await["state"], "published");
    }

    app.advance(days(25)).await; // the tokens are refreshed on the way
    let queries = [
        of_channel("analytics"),
        of_channel("pin-metrics"),
        of_channel("top-pins?sort_by=SAVE"),
        format!("{PINS}/{}/analytics", ids[0]),
        format!("{PINS}/{}/analytics", ids[5]),
    ];
    for query in queries {
        app.get(&query, "ada").await.expect(200);
    }

    let calls = app.pinterest().calls();
    let refused: Vec<_> =
        calls.iter().filter(|call| call.status.is_some_and(|status| status >= 400)).collect();
    assert!(refused.is_empty(), "{refused:?}");
    let response: BTreeSet<_> = calls
        .iter()
        .filter_map(|call| call.operation)
        .map(|operation| json!(operation).to_string())
        .collect();
    let all = [
        Operation::Token,
        Operation::UserAccount,
        Operation::AccountAnalytics,
        Operation::TopPins,
        Operation::ListBoards,
        Operation::CreateBoard,
        Operation::ListSections,
        Operation::ListBoardPins,
        Operation::ListPins,
        Operation::CreatePin,
        Operation::PinAnalytics,
        Operation::RegisterMedia,
        Operation::GetMedia,
        Operation::UploadMedia,
    ];
    let missing: Vec<_> =
        all.into_iter().filter(|operation| !response.contains(&json!(operation).to_string())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
