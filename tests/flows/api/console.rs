//! The pages of the console, as a browser gets them. `tests/browser` tests how people use them.

use app::{Setup, handlers::Console};
use edge::handle;
use platform::{Clock, Random, Variables};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use tests::request;

use crate::harness::{TestApp, client};

const PAGES: [&str; 6] = [
    "/app/channels",
    "/app/publishing",
    "/app/analytics",
    "/app/sign-in",
    "/admin/api-integration/pinterest",
    "/api-reference",
];

#[tokio::test]
async fn every_page_is_a_shell_whose_files_exist() {
    let app = TestApp::start().await;
    for path in PAGES {
        let answer = client().get(format!("{}{path}", app.stack.url())).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-cache");
        let page = answer.text().await.unwrap();
        let files: Vec<_> =
            page.split("\"/assets/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(files.len() > 5, "{page}");
        for file in files {
            let answer = client().get(format!("{}/assets/{file}", app.stack.url())).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK, "{file}");
            assert_eq!(answer.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
            assert!(answer.headers()[header::CACHE_CONTROL].to_str().unwrap().ends_with("immutable"));
        }
    }
}

#[tokio::test]
async fn no_script_and_no_style_of_others_runs_on_a_page() {
    let app = TestApp::start().await;
    let answer = client().get(format!("{}/app/channels", app.stack.url())).send().await.unwrap();
    let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    for directive in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ] {
        assert!(policy.split("; ").any(|part| part == directive), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    let page = answer.text().await.unwrap();
    assert!(!page.contains("<style") && !page.contains(" style=") && !page.contains(" on"), "{page}");
    let scripts = page.split("<script").skip(1);
    assert!(
        scripts.clone().count() > 0 && scripts.clone().all(|rest| rest.contains(" src=\"/assets/")),
        "{page}"
    );
}

/// The address of a script, as a page names it.
pub(crate) async fn app_js(app: &TestApp) -> String {
    let page = client().get(format!("{}/app/channels", app.stack.url())).send().await.unwrap();
    let page = page.text().await.unwrap();
    let version = page.split("\"/assets/").nth(1).unwrap().split('/').next().unwrap();
    format!("{}/assets/{version}/app.js", app.stack.url())
}

#[tokio::test]
async fn a_file_is_found_under_its_own_version_only() {
    let app = TestApp::start().await;
    let current = app_js(&app).await;
    let version = current.rsplit('/').nth(1).unwrap().to_owned();
    assert_eq!(client().get(&current).send().await.unwrap().status(), StatusCode::OK);
    for other in ["00000000", "next", &version[1..], &format!("{version}0")] {
        let answer = client().get(current.replace(&version, other)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{other}");
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store", "{other}");
    }
}

#[tokio::test]
async fn a_file_is_compressed_for_whoever_takes_it_so() {
    let app = TestApp::start().await;
    let get = async |accept: &str| {
        let request = client().get(app_js(&app).await);
        request.header(header::ACCEPT_ENCODING, accept).send().await.unwrap()
    };
    let uncompressed = get("identity").await;
    assert_eq!(uncompressed.headers().get(header::CONTENT_ENCODING), None);
    let uncompressed = uncompressed.bytes().await.unwrap();
    assert_eq!(uncompressed, include_bytes!("../../../shared/pages/files/app.js").as_slice());
    for accept in ["gzip", "gzip, deflate, br", "br;q=1.0, gzip;q=0.8"] {
        let compressed = get(accept).await;
        assert_eq!(compressed.headers()[header::CONTENT_ENCODING], "gzip", "{accept}");
        assert_eq!(compressed.headers()[header::VARY], "accept-encoding");
        let compressed = compressed.bytes().await.unwrap();
        assert!(
            compressed.starts_with(&[0x1f, 0x8b]) && compressed.len() < uncompressed.len() / 2,
            "{accept}"
        );
    }
    for accept in ["br", "gzip;q=0", "deflate, gzip; q=0.0", ""] {
        assert_eq!(get(accept).await.headers().get(header::CONTENT_ENCODING), None, "{accept}");
    }
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let app = TestApp::start().await;
    for path in
        ["/assets/any/index.html", "/assets/any/nothing.js", "/assets/any/..%2fCargo.toml", "/assets/any/"]
    {
        let answer = app.call(Method::GET, path, &app.user("ada"), None).await;
        assert_eq!(answer.problem(404), "not_found", "{path}");
    }
    let answer = app.call(Method::POST, "/app/channels", &app.user("ada"), None).await;
    assert_eq!(answer.problem(405), "method_not_allowed");
}

/// The configuration of the pages for a function with these settings, and their Content Security Policy.
async fn page_config(settings: &[(&str, &str)]) -> (Value, String) {
    let own_sources = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("MEDIA_BUCKET", "files"),
    ];
    let variables: Variables = own_sources.into_iter().chain(settings.iter().copied()).collect();
    let console = Console::new(&Setup::new(variables, Clock::system(), Random::system()).unwrap()).unwrap();
    let answer = handle(&console, request("nobody", "GET", "/app/channels", None, &json!(null))).await;
    let policy = answer.headers()["content-security-policy"].to_str().unwrap();
    let connect_sources =
        policy.split("; ").find_map(|part| part.strip_prefix("connect-src ")).unwrap().to_owned();
    let lambda_http::Body::Text(page) = answer.into_body() else { panic!("a page is text") };
    let settings = page.split("name=\"pinwright\" content=\"").nth(1).unwrap().split('"').next().unwrap();
    (serde_json::from_str(&settings.replace("&quot;", "\"").replace("&amp;", "&")).unwrap(), connect_sources)
}

#[tokio::test]
async fn the_sign_in_follows_the_settings_of_the_stack() {
    let (locally, connect_sources) = page_config(&[]).await;
    assert_eq!(locally["sign_in"], "development");
    assert_eq!(connect_sources, "'self' https://files.s3.eu-central-1.amazonaws.com");

    let issuer = ("SIGN_IN_ISSUER", "https://issuer.example.com/pool/");
    let (without_client, _) = page_config(&[issuer]).await;
    assert_eq!(without_client["sign_in"], "none");

    let client = [
        issuer,
        ("SIGN_IN_CLIENT_ID", "pages\"&"),
        ("SIGN_IN_SCOPES", "openid email"),
        ("SIGN_IN_ORIGINS", "https://tokens.example.com, https://more.example.com/path"),
        ("ADMIN_GROUP", "operators"),
    ];
    let (with_client, connect_sources) = page_config(&client).await;
    assert_eq!(with_client["sign_in"], "oidc");
    assert_eq!(with_client["issuer"], "https://issuer.example.com/pool");
    assert_eq!(with_client["client_id"], "pages\"&");
    assert_eq!(with_client["scope"], "openid email");
    assert_eq!(with_client["admin_group"], "operators");
    assert_eq!(
        connect_sources,
        "'self' https://files.s3.eu-central-1.amazonaws.com https://issuer.example.com https://tokens.example.com \
         https://more.example.com"
    );
}
