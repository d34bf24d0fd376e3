//! `GET /user_account/analytics`, `…/top_pins`, `GET /pins/{pin_id}/analytics` and `GET /pins?pin_metrics=true`.

use std::collections::BTreeMap;

use domain::{Environment, PinterestPinId, Refusal};
use jiff::civil::{Date, date};
use pinterest::{CHANNEL_METRICS, Error, IMAGE_METRICS, Metrics, Period, Report};
use serde_json::{Value, json};
use wiremock::Request;

use crate::harness::{self, answering, header, only_request, token};

const PRODUCTION: Environment = Environment::Production;

const PERIOD: Period = Period { from: date(2025, 9, 1), to: date(2025, 9, 30) };

fn pin() -> PinterestPinId {
    PinterestPinId::try_from("813744226420795884".to_owned()).unwrap()
}

fn query(request: &Request) -> BTreeMap<String, String> {
    request.url.query_pairs().into_owned().collect()
}

fn query_pairs<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn numbers(value: Value) -> Metrics {
    serde_json::from_value(value).unwrap()
}

/// What is made of an account's numbers that Pinterest answers like this.
async fn report(body: Value) -> Result<Report, Error> {
    let (_server, client) = answering("GET", "/v5/user_account/analytics", harness::json(200, body)).await;
    client.account_analytics(PRODUCTION, &token(), PERIOD, CHANNEL_METRICS).await
}

fn days(report: &Report) -> Vec<(Date, Option<&str>, Metrics)> {
    let day = |day: &pinterest::Day| day.metrics.clone();
    report
        .days
        .iter()
        .map(|day_report| (day_report.date, day_report.data_status.as_deref(), day(day_report)))
        .collect()
}

#[tokio::test]
async fn the_request_for_an_accounts_numbers_has_dates_and_comma_separated_metrics() {
    let path = "/v5/user_account/analytics";
    let (server, client) = answering("GET", path, harness::json(200, json!({ "all": {} }))).await;

    client.account_analytics(PRODUCTION, &token(), PERIOD, &["IMPRESSION", "SAVE"]).await.unwrap();

    let request = only_request(&server).await;
    assert_eq!(header(&request, "authorization"), "Bearer pina_planted");
    let expected =
        [("start_date", "2025-09-01"), ("end_date", "2025-09-30"), ("metric_types", "IMPRESSION,SAVE")];
    assert_eq!(query(&request), query_pairs(expected));
}

#[tokio::test]
async fn a_pins_numbers_are_read_as_the_contract_shows_them() {
    let body = json!({ "all": {
        "lifetime_metrics": { "TOTAL_COMMENTS": 10, "TOTAL_REACTIONS": 12 },
        "daily_metrics": [
            { "date": "2025-09-01", "data_status": "READY", "metrics": { "IMPRESSION": 240, "SAVE_RATE": 0.18 } },
            { "date": "2025-09-30", "data_status": "PROCESSING", "metrics": {} },
        ],
        "summary_metrics": { "IMPRESSION": 240, "SAVE_RATE": 0.18 },
    }});
    let path = "/v5/pins/813744226420795884/analytics";
    let (server, client) = answering("GET", path, harness::json(200, body)).await;

    let report = client.pin_analytics(PRODUCTION, &token(), &pin(), PERIOD, IMAGE_METRICS).await.unwrap();

    let metric_types = query(&only_request(&server).await).remove("metric_types").unwrap();
    assert_eq!(metric_types.split(',').collect::<Vec<_>>(), IMAGE_METRICS);
    let sums = numbers(json!({ "IMPRESSION": 240, "SAVE_RATE": 0.18 }));
    assert_eq!(
        days(&report),
        [(PERIOD.from, Some("READY"), sums.clone()), (PERIOD.to, Some("PROCESSING"), Metrics::new()),]
    );
    assert_eq!(report.sums, sums);
    assert_eq!(report.lifetime, numbers(json!({ "TOTAL_COMMENTS": 10, "TOTAL_REACTIONS": 12 })));
}

#[tokio::test]
async fn a_zero_of_a_day_without_data_is_no_number() {
    let day = |date: &str, status: &str, number: Value| json!({ "date": date, "data_status": status, "metrics": { "IMPRESSION": number, "SAVE": null } });
    let report = report(json!({ "all": {
        "daily_metrics": [
            day("2025-09-01", "READY", json!(0)),
            day("2025-09-02", "ESTIMATE", json!(7)),
            day("2025-09-03", "PROCESSING", json!(0)),
            day("2025-09-04", "BEFORE_PIN_CREATED", json!(0)),
            day("2025-09-05", "A_WORD_OF_TOMORROW", json!(5)),
            { "date": "2025-09-06", "metrics": { "IMPRESSION": 3 } },
        ],
        "summary_metrics": { "IMPRESSION": 10, "SAVE": 0 },
    }}))
    .await
    .unwrap();

    let metrics: Vec<_> = report.days.iter().map(|day| day.metrics.clone()).collect();
    let (no_metrics, impressions) = (Metrics::new(), |number: u64| numbers(json!({ "IMPRESSION": number })));
    assert_eq!(
        metrics,
        [impressions(0), impressions(7), no_metrics.clone(), no_metrics.clone(), no_metrics, impressions(3)]
    );
    assert_eq!(report.sums, impressions(10), "no day knows how often it was saved");
}

#[tokio::test]
async fn sums_of_days_without_data_are_no_sums() {
    let day = json!({ "date": "2025-09-30", "data_status": "PROCESSING", "metrics": { "IMPRESSION": 0 } });
    let body = json!({ "all": { "daily_metrics": [day], "summary_metrics": { "IMPRESSION": 0 } } });

    assert_eq!(report(body).await.unwrap().sums, Metrics::new());
    assert_eq!(report(json!({})).await.unwrap(), Report::default());
}

#[tokio::test]
async fn an_answer_without_a_report_is_unknown() {
    for body in [json!([]), json!({ "all": 5 }), json!({ "all": { "daily_metrics": 5 } })] {
        let error = report(body.clone()).await.unwrap_err();

        assert!(matches!(error, Error::Unknown { source: Some(_), .. }), "{body}: {error:?}");
    }
}

#[tokio::test]
async fn one_unreadable_day_or_number_is_skipped() {
    let body = json!({ "all": {
        "daily_metrics": [
            { "data_status": "READY", "metrics": { "SAVE": 9 } },
            null,
            { "date": "2025-09-30", "metrics": { "SAVE": "1", "IMPRESSION": "many" } },
            { "date": "2025-09-29", "metrics": null },
        ],
        "summary_metrics": null,
        "lifetime_metrics": { "TOTAL_COMMENTS": "10" },
    } });

    let report = report(body).await.unwrap();

    let days: Vec<_> = report.days.iter().map(|day| (day.date.day(), day.metrics.len())).collect();
    assert_eq!((days, report.sums.len()), (vec![(30, 1), (29, 0)], 0));
    assert_eq!(report.lifetime["TOTAL_COMMENTS"].as_u64(), Some(10));
}

#[tokio::test]
async fn the_best_pins_come_with_a_status_of_each_number() {
    let body = json!({
        "date_availability": { "latest_available_timestamp": 1_649_116_799_000_u64, "is_realtime": false },
        "sort_by": "SAVE",
        "pins": [{
            "pin_id": "642396334344813594",
            "metrics": { "IMPRESSION": 7, "SAVE": 1, "OUTBOUND_CLICK": 0 },
            "data_status": { "IMPRESSION": "READY", "SAVE": "READY", "OUTBOUND_CLICK": "PROCESSING" },
        }],
    });
    let path = "/v5/user_account/analytics/top_pins";
    let (server, client) = answering("GET", path, harness::json(200, body)).await;

    let top =
        client.top_pins(PRODUCTION, &token(), PERIOD, &["IMPRESSION", "SAVE"], "SAVE", 50).await.unwrap();

    let expected = [
        ("start_date", "2025-09-01"),
        ("end_date", "2025-09-30"),
        ("metric_types", "IMPRESSION,SAVE"),
        ("sort_by", "SAVE"),
        ("num_of_pins", "50"),
    ];
    assert_eq!(query(&only_request(&server).await), query_pairs(expected));
    assert_eq!(top.counted_until, Some("2022-04-04T23:59:59Z".parse().unwrap()));
    assert_eq!(top.pins[0].id.as_str(), "642396334344813594");
    assert_eq!(top.pins[0].metrics, numbers(json!({ "IMPRESSION": 7, "SAVE": 1 })));
    assert_eq!(top.pins[0].data_status["OUTBOUND_CLICK"], "PROCESSING");
}

#[tokio::test]
async fn many_pins_come_page_by_page_each_with_its_numbers_or_none() {
    let image_metrics = json!({ "pin_click": 7, "impression": 2, "clickthrough": 3 });
    let video_metrics =
        json!({ "pin_click": 7, "impression": 2, "clickthrough": 3, "reaction": 10, "comment": 2 });
    let items = json!([
        { "id": "1", "title": "Salad", "pin_metrics": { "90d": image_metrics, "lifetime_metrics": video_metrics } },
        { "id": "2", "title": null, "pin_metrics": null },
        { "id": "3" },
    ]);
    let body = json!({ "items": items, "bookmark": "next+/=" });
    let (server, client) = answering("GET", "/v5/pins", harness::json(200, body)).await;

    let page = client.pin_totals(PRODUCTION, &token(), 3, Some("b+/=&x")).await.unwrap();

    let expected = [("pin_metrics", "true"), ("page_size", "3"), ("bookmark", "b+/=&x")];
    assert_eq!(query(&only_request(&server).await), query_pairs(expected));
    assert_eq!(page.bookmark.as_deref(), Some("next+/="));
    let [first, others @ ..] = page.items.as_slice() else { panic!("{page:?}") };
    let (recent, lifetime) = (first.recent().unwrap(), first.lifetime().unwrap());
    assert_eq!(recent.outbound_click, Some(3.into()));
    assert_eq!((recent.reaction.clone(), lifetime.reaction.clone()), (None, Some(10.into())));
    assert!(others.iter().all(|pin| pin.recent().is_none() && pin.lifetime().is_none()));
}

#[tokio::test]
async fn an_account_that_may_not_see_its_numbers_is_refused_for_good() {
    let body = json!({ "code": 403, "message": "Not authorized to access the user account analytics." });
    let (_server, client) = answering("GET", "/v5/user_account/analytics", harness::json(403, body)).await;

    let error = client.account_analytics(PRODUCTION, &token(), PERIOD, CHANNEL_METRICS).await.unwrap_err();

    let Error::Refused { refusal, response } = error else { panic!("{error:?}") };
    assert_eq!((refusal, response.http_status), (Refusal::Other, Some(403)));
}
