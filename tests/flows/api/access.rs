//! Access: every route of the table, with every kind of caller.

use app::{Endpoint, endpoints};
use edge::Access;
use jiff::SignedDuration;
use local::Person;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    api::console::app_js,
    harness::problems::{Findings, missing, status_and_code},
    harness::{Answer, SETTINGS, TestApp, answer, days, id, pin},
    media::uploads::{PNG, offer, send},
};

/// Ada's things, which other callers try to use.
struct Fixtures {
    channel: String,
    pin: String,
    media: String,
    /// The version of the pages' files.
    version: String,
}

impl Fixtures {
    async fn of_ada(app: &TestApp, channel: String) -> Self {
        let tomorrow = app.stack.now() + days(1);
        let pin = app.schedule("ada", &channel, "Later", tomorrow).await.expect(202);
        let script = app_js(app).await;
        let version = script.rsplit('/').nth(1).unwrap().to_owned();
        let media = offer(app, "ada", "image/png", PNG.len()).await;
        send(app, &media, PNG).await.expect(200);
        let media = media["media_id"].as_str().unwrap().to_owned();
        Self { channel, pin: id(&pin), media, version }
    }

    /// The path of a route with the id of one of these things.
    fn path(&self, route: &Endpoint) -> String {
        route.path.replace("{id}", self.id(route)).replace("{version}", &self.version)
    }

    fn id(&self, route: &Endpoint) -> &str {
        if route.path.starts_with("/api/v1/channels/") {
            &self.channel
        } else if route.path.starts_with("/api/v1/pins/") {
            &self.pin
        } else if route.path.starts_with("/api/v1/media/") {
            &self.media
        } else if route.path.starts_with("/assets/") {
            "app.js"
        } else if route.path.starts_with("/problems/") {
            "no_board"
        } else {
            assert!(!route.path.contains("{id}"), "name a thing for {}", route.path);
            ""
        }
    }
}

/// A valid body for the route, so that only the caller is wrong.
fn body(route: &Endpoint, fixtures: &Fixtures) -> Option<Value> {
    match (route.operation_id(), route.method) {
        (Some("change_channel"), _) => Some(json!({"default_board_id": null})),
        (Some("create_board"), _) => Some(json!({"name": "Not yours"})),
        (Some("create_pin"), _) => Some(pin(&fixtures.channel, "Not yours")),
        (Some("save_settings"), _) => Some(json!({"status": "disabled"})),
        (Some("claim_connection"), _) => Some(json!({"connection": "guess"})),
        (_, "POST" | "PUT" | "PATCH") => Some(json!({})),
        _ => None,
    }
}

async fn call_route(
    app: &TestApp,
    route: &Endpoint,
    fixtures: &Fixtures,
    authorization: Option<&str>,
) -> Answer {
    let method = Method::from_bytes(route.method.as_bytes()).unwrap();
    let request = app.client.request(method, format!("{}{}", app.stack.url(), fixtures.path(route)));
    let request = match authorization {
        Some(authorization) => request.header("authorization", authorization),
        None => request,
    };
    let request = match body(route, fixtures) {
        Some(body) => request.json(&body),
        None => request,
    };
    answer(request).await
}

/// What other callers must not change, as Ada and the admin see it.
async fn snapshot(app: &TestApp, fixtures: &Fixtures) -> [Value; 4] {
    let settings = app.call(Method::GET, SETTINGS, &app.admin(), None).await.expect(200);
    let channel = app.channel("ada", &fixtures.channel).await;
    let pin = app.pin("ada", &fixtures.pin).await;
    let pins = app.get("/api/v1/pins", "ada").await.expect(200);
    [settings, channel, pin, pins]
}

#[tokio::test]
async fn without_a_valid_token_only_open_routes_answer() {
    let (app, channel) = TestApp::start_connected().await;
    let fixtures = Fixtures::of_ada(&app, channel).await;
    let elsewhere = TestApp::start().await;
    let token = app.user("ada");
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("{token}") };
    // {"alg":"none","typ":"JWT"} and {"sub":"ada","tenant":"ada","scope":"pinwright/admin","exp":9999999999}
    let unsigned_header = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    let forged =
        "eyJzdWIiOiJhZGEiLCJ0ZW5hbnQiOiJhZGEiLCJzY29wZSI6InBpbndyaWdodC9hZG1pbiIsImV4cCI6OTk5OTk5OTk5OX0";
    let before = snapshot(&app, &fixtures).await;
    let calls = app.pinterest().calls().len();
    let invalid_authorizations = [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some("Bearer garbage".to_owned()),
        Some("Bearer a.b.c".to_owned()),
        Some("Bearer ..".to_owned()),
        Some("Basic YWRhOmFkYQ==".to_owned()),
        Some(format!("Bearer {}", elsewhere.user("ada"))),
        Some(format!("Bearer {}", elsewhere.admin())),
        Some(format!("Bearer {header}.{claims}.")),
        Some(format!("Bearer {header}.{forged}.{signature}")),
        Some(format!("Bearer {unsigned_header}.{forged}.")),
        Some(format!("Bearer {unsigned_header}.{forged}.{signature}")),
        Some(format!("Bearer {token}, Bearer {token}")),
    ];

    {
        let mut findings = Findings::default();
        for route in &endpoints() {
            for authorization in &invalid_authorizations {
                let case = format!("{} {} as {authorization:?}", route.method, route.path);
                let response = call_route(&app, route, &fixtures, authorization.as_deref()).await;
                if route.access == Access::Open {
                    if response.status.as_u16() >= 400 {
                        findings.note(format!("{case}: {} {}", response.status, response.text));
                    }
                } else {
                    findings.compare(&case, &response, "401 unauthenticated");
                }
            }
        }
    }

    assert_eq!(snapshot(&app, &fixtures).await, before);
    assert_eq!(app.pinterest().calls().len(), calls);
}

#[tokio::test]
async fn a_token_is_invalid_after_twelve_hours() {
    let (app, channel) = TestApp::start_connected().await;
    let fixtures = Fixtures::of_ada(&app, channel).await;
    let (user, admin) = (app.user("ada"), app.admin());
    app.advance(SignedDuration::from_mins(12 * 60 - 1)).await;
    app.call(Method::GET, "/api/v1/pins", &user, None).await.expect(200);
    app.advance(SignedDuration::from_mins(2)).await;
    let before = snapshot(&app, &fixtures).await;

    {
        let mut findings = Findings::default();
        for route in endpoints().iter().filter(|route| route.access != Access::Open) {
            for token in [&user, &admin] {
                let refused = call_route(&app, route, &fixtures, Some(&format!("Bearer {token}"))).await;
                findings.compare(
                    &format!("{} {}", route.method, route.path),
                    &refused,
                    "401 unauthenticated",
                );
            }
        }
        for route in endpoints().iter().filter(|route| route.access == Access::Open) {
            let response = call_route(&app, route, &fixtures, Some(&format!("Bearer {user}"))).await;
            assert!(response.status.as_u16() < 400, "{}: {}", route.path, response.text);
        }
    }

    assert_eq!(snapshot(&app, &fixtures).await, before);
}

#[tokio::test]
async fn only_admins_reach_the_routes_of_admins() {
    let (app, channel) = TestApp::start_connected().await;
    let fixtures = Fixtures::of_ada(&app, channel).await;
    let before = snapshot(&app, &fixtures).await;
    let calls = app.pinterest().calls().len();
    let mut admin_routes = 0;

    {
        let mut findings = Findings::default();
        for route in endpoints().iter().filter(|route| route.access == Access::Admin) {
            admin_routes += 1;
            for sub in ["ada", "root", "admin", "pinwright/admin"] {
                let token = format!("Bearer {}", app.user(sub));
                let refused = call_route(&app, route, &fixtures, Some(&token)).await;
                findings.compare(
                    &format!("{} {} as {sub}", route.method, route.path),
                    &refused,
                    "403 not_admin",
                );
            }
        }
    }

    assert!(admin_routes >= 3);
    assert_eq!(snapshot(&app, &fixtures).await, before);
    assert_eq!(app.pinterest().calls().len(), calls);
}

#[tokio::test]
async fn every_route_of_the_api_that_is_under_admin_is_for_admins() {
    for route in &endpoints() {
        let named = route.path.starts_with("/api/v1/admin/");
        assert_eq!(route.access == Access::Admin, named, "{} {}", route.method, route.path);
    }
}

#[tokio::test]
async fn another_tenants_things_get_the_same_answer_as_missing_ones() {
    let (app, channel) = TestApp::start_connected().await;
    let fixtures = Fixtures::of_ada(&app, channel).await;
    let nonexistent = Fixtures {
        channel: missing(&fixtures.channel),
        pin: missing(&fixtures.pin),
        media: missing(&fixtures.media),
        version: fixtures.version.clone(),
    };
    app.connect("eve").await; // she has a channel of her own, of the same account
    let before = snapshot(&app, &fixtures).await;
    let calls = app.pinterest().calls().len();
    let callers = [
        Person { sub: "eve".to_owned(), tenant: None, admin: false },
        Person { sub: "root".to_owned(), tenant: None, admin: true },
        Person { sub: "ada".to_owned(), tenant: Some("other".to_owned()), admin: false },
    ];
    let mut request_count = 0;

    {
        let mut findings = Findings::default();
        for person in callers {
            let token = format!("Bearer {}", app.stack.token(person.clone()));
            let about_a_thing = |route: &&Endpoint| {
                route.path.contains("{id}") && route.access == Access::User
                    || route.operation_id() == Some("create_pin")
            };
            for route in endpoints().iter().filter(about_a_thing) {
                request_count += 1;
                let case =
                    format!("{} {} as {} of {:?}", route.method, route.path, person.sub, person.tenant);
                let foreign = call_route(&app, route, &fixtures, Some(&token)).await;
                let missing = call_route(&app, route, &nonexistent, Some(&token)).await;
                findings.compare(&case, &foreign, "404 not_found");
                let comparable = |answer: &Answer| {
                    let mut comparable = answer.json();
                    comparable["request_id"] = Value::Null;
                    (status_and_code(answer), comparable.to_string())
                };
                if comparable(&foreign) != comparable(&missing) {
                    findings.note(format!("{case}: {} is not {}", foreign.text, missing.text));
                }
            }
        }
    }

    assert!(request_count >= 3 * 9);
    assert_eq!(snapshot(&app, &fixtures).await, before);
    assert_eq!(app.pinterest().calls().len(), calls);
    app.advance(days(2)).await;
    assert_eq!(app.pin("ada", &fixtures.pin).await["state"], "published");
    assert_eq!(app.at_pinterest("Not yours"), 0);
}

#[tokio::test]
async fn lists_of_another_tenant_are_empty() {
    let (app, channel) = TestApp::start_connected().await;
    Fixtures::of_ada(&app, channel.clone()).await;
    let empty_page = json!({"items": [], "next": null});
    let about_no_thing = |route: &&Endpoint| !route.path.contains("{id}") && route.access == Access::User;
    let lists = [Some("list_channels"), Some("list_pins")];
    let mut list_count = 0;
    for route in
        endpoints().iter().filter(about_no_thing).filter(|route| lists.contains(&route.operation_id()))
    {
        list_count += 1;
        let own_page = app.get(route.path, "ada").await.expect(200);
        assert_eq!(own_page["items"].as_array().unwrap().len(), 1);
        assert_eq!(app.get(route.path, "eve").await.expect(200), empty_page);
        let other_tenant =
            app.stack.token(Person { sub: "ada".to_owned(), tenant: Some("x".to_owned()), admin: true });
        assert_eq!(app.call(Method::GET, route.path, &other_tenant, None).await.expect(200), empty_page);
    }
    assert_eq!(list_count, 2);
    for query in [format!("channel_id={channel}"), "state=scheduled".to_owned(), "limit=1".to_owned()] {
        assert_eq!(app.get(&format!("/api/v1/pins?{query}"), "eve").await.expect(200), empty_page);
    }
    let cursor = app.get("/api/v1/pins?limit=1", "ada").await.expect(200)["next"].clone();
    if let Some(cursor) = cursor.as_str() {
        assert_eq!(app.get(&format!("/api/v1/pins?cursor={cursor}"), "eve").await.expect(200), empty_page);
    }
}

#[tokio::test]
async fn users_of_one_tenant_share_its_channels_and_pins() {
    let (app, channel) = TestApp::start_connected().await;
    let fixtures = Fixtures::of_ada(&app, channel).await;
    let zoe = app.stack.token(Person { sub: "zoe".to_owned(), tenant: Some("ada".to_owned()), admin: false });
    let channels = app.call(Method::GET, "/api/v1/channels", &zoe, None).await.expect(200);
    assert_eq!(channels["items"][0]["id"], fixtures.channel);
    let body = Some(pin(&fixtures.channel, "By Zoe"));
    let created = app.call(Method::POST, "/api/v1/pins", &zoe, body).await.expect(201);
    assert_eq!(app.pin("ada", &id(&created)).await["title"], "By Zoe");
    let path = format!("/api/v1/pins/{}", fixtures.pin);
    let cancelled = app.call(Method::DELETE, &path, &zoe, None).await.expect(200);
    assert_eq!(cancelled["state"], "cancelled");
}

#[tokio::test]
async fn a_ticket_is_claimed_by_its_user_alone_even_within_a_tenant() {
    let app = TestApp::start_configured().await;
    let ticket = json!({"connection": app.ticket("ada").await});
    let claim = async |person| {
        let token = app.stack.token(person);
        app.call(Method::POST, "/api/v1/connections/claim", &token, Some(ticket.clone())).await
    };
    let person =
        |sub: &str, tenant: &str, admin| Person { sub: sub.into(), tenant: Some(tenant.into()), admin };
    assert_eq!(status_and_code(&claim(person("zoe", "ada", true)).await), "404 not_found");
    assert_eq!(status_and_code(&claim(person("ada", "zoe", true)).await), "404 not_found");
    claim(person("ada", "ada", false)).await.expect(201);
}

#[tokio::test]
async fn one_tenants_key_is_free_for_another() {
    let (app, ada) = TestApp::start_connected().await;
    let eve = app.connect("eve").await;
    app.choose_board("eve", &eve).await;
    let send = async |sub: &str, channel: &str| {
        let request = app.client.post(format!("{}/api/v1/pins", app.stack.url()));
        let request = request.bearer_auth(app.user(sub)).header("idempotency-key", "same");
        answer(request.json(&pin(channel, "Same key"))).await.expect(201)["id"].clone()
    };
    let (first, other) = (send("ada", &ada).await, send("eve", &eve).await);
    assert_ne!(first, other);
    assert_eq!(send("ada", &ada).await, first);
    assert_eq!(app.at_pinterest("Same key"), 2);
}
