//! `POST /pins` and `GET /boards/{board_id}/pins`.

use domain::{
    AiDisclosure, AltText, Color, Cover, Description, Environment, PinterestMediaId, SectionId, SignedUrl,
    Slide, Title, WebAddress,
};
use pinterest::{Error, ImageData, MediaUrl, PinMedia};
use serde_json::{Value, json};

use crate::harness::{self, answering, board, draft, header, media, only_request, token};

#[tokio::test]
async fn a_pin_is_sent_with_everything_its_draft_has() {
    let (server, client) =
        answering("POST", "/v5/pins", harness::json(201, json!({ "id": "813744226420795884" }))).await;
    let mut draft = draft();
    draft.section = Some(SectionId::try_from("549755885999".to_owned()).unwrap());
    draft.title = Title::new("title", Some("Green salad".to_owned())).unwrap();
    draft.description = Description::new("description", Some("Full recipe: #salad".to_owned())).unwrap();
    draft.link = Some(WebAddress::new("link", "https://www.example.com/salad?a=b".to_owned()).unwrap());
    draft.alt_text = AltText::new("alt_text", Some("A bowl".to_owned())).unwrap();
    draft.dominant_color = Some(Color::new("#6E7874".to_owned()).unwrap());
    draft.ai_disclosures = Some(AiDisclosure::AiModified.into());

    let outcome = client.create_pin(Environment::Production, &token(), &draft, &media()).await;

    let Ok((id, response)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((id.as_str(), response.http_status), ("813744226420795884", Some(201)));
    let request = only_request(&server).await;
    assert_eq!(header(&request, "authorization"), "Bearer pina_planted");
    assert_eq!(header(&request, "content-type"), "application/json");
    let expected = json!({
        "board_id": "549755885175",
        "board_section_id": "549755885999",
        "title": "Green salad",
        "description": "Full recipe: #salad",
        "link": "https://www.example.com/salad?a=b",
        "alt_text": "A bowl",
        "dominant_color": "#6E7874",
        "ai_disclosures": { "values": ["AI_MODIFIED"] },
        "media_source": { "source_type": "image_url", "url": "https://cdn.example.com/p/abc.jpg" },
    });
    assert_eq!(request.body_json::<Value>().unwrap(), expected);
}

#[tokio::test]
async fn missing_fields_of_a_draft_are_left_out() {
    let (server, client) =
        answering("POST", "/sandbox/v5/pins", harness::json(200, json!({ "id": "1" }))).await;

    let outcome = client.create_pin(Environment::Sandbox, &token(), &draft(), &media()).await;

    assert!(outcome.is_ok());
    let expected = json!({
        "board_id": "549755885175",
        "media_source": { "source_type": "image_url", "url": "https://cdn.example.com/p/abc.jpg" },
    });
    assert_eq!(only_request(&server).await.body_json::<Value>().unwrap(), expected);
}

/// What is sent as the media of a Pin that shows `media`.
async fn media_source(media: &PinMedia<'_>) -> Value {
    let (server, client) = answering("POST", "/v5/pins", harness::json(201, json!({ "id": "1" }))).await;
    let outcome = client.create_pin(Environment::Production, &token(), &draft(), media).await;
    assert!(outcome.is_ok());
    only_request(&server).await.body_json::<Value>().unwrap()["media_source"].take()
}

#[tokio::test]
async fn images_are_sent_as_data_with_their_type_by_their_first_bytes() {
    let slides: Vec<Slide> = serde_json::from_value(json!([
        {"url": "https://cdn.example.com/1.jpg", "title": "One"}, {"url": "https://cdn.example.com/2.jpg"},
    ]))
    .unwrap();
    let (png, jpeg) = (b"\x89PNG\r\n\x1a\nand so on", b"\xff\xd8\xff\xe0and so on");
    let data = |content: &[u8]| ImageData::new(content).unwrap();

    let image = media_source(&PinMedia::ImageData(data(png))).await;
    let carousel =
        media_source(&PinMedia::CarouselData(vec![(data(png), &slides[0]), (data(jpeg), &slides[1])])).await;

    let (png, jpeg) = ("iVBORw0KGgphbmQgc28gb24=", "/9j/4GFuZCBzbyBvbg==");
    assert_eq!(image, json!({ "source_type": "image_base64", "content_type": "image/png", "data": png }));
    assert_eq!(
        carousel,
        json!({ "source_type": "multiple_image_base64", "items": [
            { "content_type": "image/png", "data": png, "title": "One" },
            { "content_type": "image/jpeg", "data": jpeg },
        ] })
    );
    assert!(ImageData::new(b"<!DOCTYPE html>").is_none() && ImageData::new(b"").is_none());
}

#[tokio::test]
async fn a_carousel_is_sent_with_the_texts_of_each_image() {
    let slides: Vec<Slide> = serde_json::from_value(json!([
        {"url": "https://cdn.example.com/1.jpg", "title": "One", "description": "First", "link": "https://example.com/1"},
        {"url": "https://cdn.example.com/2.jpg"},
    ]))
    .unwrap();
    let signed =
        |name: &str| MediaUrl::Signed(SignedUrl::new(format!("https://bucket.example.com/{name}?signed")));

    let media =
        media_source(&PinMedia::Carousel(vec![(signed("1"), &slides[0]), (signed("2"), &slides[1])])).await;

    let expected = json!({"source_type": "multiple_image_urls", "items": [
        {"url": "https://bucket.example.com/1?signed", "title": "One", "description": "First", "link": "https://example.com/1"},
        {"url": "https://bucket.example.com/2?signed"},
    ]});
    assert_eq!(media, expected);
}

#[tokio::test]
async fn a_video_is_sent_by_its_id_with_one_cover() {
    let id = PinterestMediaId::try_from("12345".to_owned()).unwrap();
    let url = WebAddress::new("url", "https://cdn.example.com/cover.jpg".to_owned()).unwrap();
    for (cover, name, value) in [
        (Cover::Frame { frame_seconds: 3 }, "cover_image_key_frame_time", json!(3)),
        (Cover::Image { url }, "cover_image_url", json!("https://cdn.example.com/cover.jpg")),
    ] {
        let media = media_source(&PinMedia::Video(&id, &cover)).await;
        assert_eq!(media, json!({"source_type": "video_id", "media_id": "12345", name: value}));
    }
}

#[tokio::test]
async fn a_success_that_names_no_pin_leaves_the_outcome_unknown() {
    for body in ["", "OK", "{\"id\": \"81", "{}", "{\"id\": null}", "{\"id\": \"soon\"}", "[]"] {
        let response =
            wiremock::ResponseTemplate::new(201).set_body_string(body).insert_header("x-pinterest-rid", "42");
        let (_server, client) = answering("POST", "/v5/pins", response).await;

        let outcome = client.create_pin(Environment::Production, &token(), &draft(), &media()).await;

        let Err(Error::Unknown { response, .. }) = outcome else {
            panic!("{body}: {outcome:?}");
        };
        assert_eq!((response.http_status, response.request_id.as_deref()), (Some(201), Some("42")));
    }
}

#[tokio::test]
async fn the_request_for_a_page_of_a_board_has_its_bookmark() {
    let body = json!({ "items": [{ "id": "1" }], "bookmark": "next=" });
    let (server, client) = answering("GET", "/v5/boards/7/pins", harness::json(200, body)).await;

    let page =
        client.board_pins(Environment::Production, &token(), &board("7"), Some("a+b/c=")).await.unwrap();

    assert_eq!(page.bookmark.as_deref(), Some("next="));
    assert_eq!(only_request(&server).await.url.query(), Some("page_size=250&bookmark=a%2Bb%2Fc%3D"));
}

#[tokio::test]
async fn a_listed_pin_is_read_with_its_texts() {
    let body = json!({ "items": [
        { "id": "1", "created_at": "2022-10-13T01:40:29", "title": "T", "description": "D", "link": "https://e.com/",
          "alt_text": "A", "creative_type": "NEW", "media": { "media_type": "image" } },
        { "id": "2", "title": null, "description": null, "link": null, "alt_text": null },
    ]});
    let (_server, client) = answering("GET", "/v5/boards/7/pins", harness::json(200, body)).await;

    let page = client.board_pins(Environment::Production, &token(), &board("7"), None).await.unwrap();

    assert_eq!(page.bookmark, None);
    let [full, bare] = page.items.as_slice() else {
        panic!("{page:?}");
    };
    assert_eq!(full.id.as_str(), "1");
    assert_eq!((full.title.as_deref(), full.description.as_deref()), (Some("T"), Some("D")));
    assert_eq!((full.link.as_deref(), full.alt_text.as_deref()), (Some("https://e.com/"), Some("A")));
    assert_eq!((&bare.title, &bare.description, &bare.link, &bare.alt_text), (&None, &None, &None, &None));
}

#[tokio::test]
async fn the_time_of_a_pin_is_utc_unless_it_names_a_zone() {
    let times = json!([
        "2022-10-13T01:40:29",
        "2022-10-13T01:40:29.123456",
        "2022-10-13T01:40:29Z",
        "2022-10-13T03:40:29+02:00",
        "yesterday",
        "",
        null,
        1_665_625_229,
        "Thu, 13 Oct 2022 01:40:29 GMT",
        "2022-13-13T01:40:29",
    ]);
    let items: Vec<Value> =
        times.as_array().unwrap().iter().map(|time| json!({ "id": "1", "created_at": time })).collect();
    let (_server, client) =
        answering("GET", "/v5/boards/7/pins", harness::json(200, json!({ "items": items }))).await;

    let page = client.board_pins(Environment::Production, &token(), &board("7"), None).await.unwrap();

    let second = |pin: &domain::matching::BoardPin| pin.created_at.map(jiff::Timestamp::as_second);
    let seconds: Vec<Option<i64>> = page.items.iter().map(second).collect();
    let expected = Some(1_665_625_229);
    assert_eq!(seconds, [expected, expected, expected, expected, None, None, None, expected, expected, None]);
}

#[tokio::test]
async fn a_page_with_a_pin_that_cannot_be_read_is_not_taken_for_the_whole_page() {
    let body = json!({ "items": [{ "id": "1" }, { "id": "?", "title": "Perhaps ours" }] });
    let (_server, client) = answering("GET", "/v5/boards/7/pins", harness::json(200, body)).await;

    let page = client.board_pins(Environment::Production, &token(), &board("7"), None).await;

    assert!(page.is_err());
}

#[tokio::test]
async fn other_items_are_left_out_of_a_page_of_pins_and_an_id_may_be_a_number() {
    let body = json!({ "items": [null, { "id": 813_744_226_420_795_884_u64, "title": 5 }, "odd"] });
    let (_server, client) = answering("GET", "/v5/boards/7/pins", harness::json(200, body)).await;

    let page = client.board_pins(Environment::Production, &token(), &board("7"), None).await.unwrap();

    let [pin] = page.items.as_slice() else { panic!("{page:?}") };
    assert_eq!((pin.id.as_str(), &pin.title), ("813744226420795884", &None));
}

#[tokio::test]
async fn a_video_without_a_status_is_on_its_way() {
    let (_server, client) =
        answering("GET", "/v5/media/9", harness::json(200, json!({ "media_id": "9" }))).await;
    let id = domain::PinterestMediaId::try_from("9".to_owned()).unwrap();

    let status = client.video(Environment::Production, &token(), &id).await.unwrap();

    assert_eq!(status, domain::delivery::MediaStatus::Processing);
}
