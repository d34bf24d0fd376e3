//! `console`: the pages, for people with a browser. It uses no other service; the pages call the API.

use edge::{ApiRequest, Body, Handler, Response, SiteConfig, body_text, not_found, redirect};
use http::{HeaderValue, StatusCode, header};
use pages::File;
use platform::InvalidVariable;
use serde::Serialize;
use url::{Origin, Url};

use super::compressed::{CompressedText, accepts_gzip};
use crate::{
    error::{Error, Result},
    operations::ConsoleOperation,
    setup::Setup,
};

/// Browser features that the pages do not need are switched off.
const PERMISSIONS: &str = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";

/// How people sign in, and who is an admin, in the form that the pages read.
#[derive(Debug, Serialize)]
struct Settings {
    sign_in: SignIn,
    issuer: Option<String>,
    client_id: Option<String>,
    scope: Option<String>,
    admin_scope: String,
    groups_claim: String,
    admin_group: String,
    /// Whether the admins' group counts among several.
    several_groups: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum SignIn {
    /// At the issuer, by OIDC.
    Oidc,
    /// There is an issuer, but no client for the pages.
    None,
    /// With the local server's own tokens: there is no issuer.
    Development,
}

/// What `console` may use: nothing.
#[derive(Debug)]
pub struct Console {
    site: SiteConfig,
    frame: CompressedText,
    policy: HeaderValue,
}

impl Console {
    /// From the function's settings.
    pub fn new(setup: &Setup) -> Result<Self> {
        let site = setup.site();
        let set = |name: &str| setup.variables.get(name).map(str::to_owned);
        let issuer = setup.variables.address("SIGN_IN_ISSUER")?.map(str::to_owned);
        let client_id = set("SIGN_IN_CLIENT_ID");
        let sign_in = match (&issuer, &client_id) {
            (None, _) => SignIn::Development,
            (Some(_), None) => SignIn::None,
            (Some(_), Some(_)) => SignIn::Oidc,
        };
        let mut reached = vec![origin("MEDIA_BUCKET", &setup.media_address()?)?];
        reached.extend(
            issuer.iter().map(|issuer| origin("SIGN_IN_ISSUER", issuer)).collect::<Result<Vec<_>, _>>()?,
        );
        let others = set("SIGN_IN_ORIGINS").unwrap_or_default();
        let others = others.split(',').map(str::trim).filter(|other| !other.is_empty());
        reached.extend(others.map(|other| origin("SIGN_IN_ORIGINS", other)).collect::<Result<Vec<_>, _>>()?);
        let settings = Settings {
            sign_in,
            issuer: issuer.map(|issuer| issuer.trim_end_matches('/').to_owned()),
            client_id,
            scope: set("SIGN_IN_SCOPES"),
            admin_scope: site.admins.scope.clone(),
            groups_claim: site.admins.groups_claim.clone(),
            admin_group: site.admins.group.clone(),
            several_groups: site.admins.several_groups,
        };
        Ok(Self {
            site,
            frame: CompressedText::new(pages::frame(&body_text(&settings)?)),
            policy: policy(sign_in, &reached)?,
        })
    }

    /// The frame of every page. It is never cached, because a new version refers to new files.
    fn page(&self, request: &ApiRequest) -> Response<Body> {
        let mut answer = self.frame.response(request, "text/html; charset=utf-8");
        let headers = answer.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        // A sign-in in a separate window sends its result to this page, so the page must keep access to the windows that it
        // has opened.
        headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin-allow-popups"));
        headers.insert("permissions-policy", HeaderValue::from_static(PERMISSIONS));
        answer
    }
}

impl Handler for Console {
    type Operation = ConsoleOperation;
    type Error = Error;

    fn site(&self) -> &SiteConfig {
        &self.site
    }

    async fn prepare(&self) -> Result<()> {
        Ok(())
    }

    async fn handle(&self, operation: ConsoleOperation, request: ApiRequest) -> Result<Response<Body>> {
        Ok(match operation {
            ConsoleOperation::Home => redirect("/app/channels")?,
            ConsoleOperation::Page => self.page(&request),
            ConsoleOperation::File => {
                let file = File::at(&request.path).ok_or_else(|| not_found::<Error>("file"))?;
                send_file(file, accepts_gzip(&request))
            }
        })
    }
}

/// A file, which never changes under its address.
fn send_file(file: File, gzip: bool) -> Response<Body> {
    let bytes = if gzip { file.gzip } else { file.plain };
    let mut answer = Response::new(Body::Binary(bytes.to_vec()));
    *answer.status_mut() = StatusCode::OK;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.content_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    answer
}

/// What the pages may load and call: their own files, pictures from any host, the bucket and the issuer. Inline scripts and
/// styles are forbidden, and no text becomes markup.
fn policy(sign_in: SignIn, reached: &[String]) -> Result<HeaderValue> {
    // Locally, pictures and videos from plain http addresses are shown too.
    let pictures = if sign_in == SignIn::Development { "https: http: blob:" } else { "https: blob:" };
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' {pictures}; media-src {pictures}; \
         connect-src 'self' {}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'",
        reached.join(" "),
    );
    Ok(HeaderValue::from_str(&policy).map_err(|_| InvalidVariable::new("SIGN_IN_ORIGINS", ORIGINS))?)
}

const ORIGINS: &str = "origins such as https://sign-in.example.com, separated by commas";

/// The origin of an address (RFC 6454), in the form of a policy.
fn origin(variable: &'static str, address: &str) -> Result<String, InvalidVariable> {
    let origin = Url::parse(address).ok().map(|url| url.origin()).filter(Origin::is_tuple);
    Ok(origin.ok_or_else(|| InvalidVariable::new(variable, ORIGINS))?.ascii_serialization())
}
