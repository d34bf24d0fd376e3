//! The addresses of the API and its frontend, and the rules for callers.

use lambda_http::{Request, RequestExt, request::RequestContext};
use platform::{InvalidVariable, Variables};
use url::Url;

use crate::{AdminRule, RequestError, caller::MARK};

/// The longest return address: a row may have 400 KB, and API Gateway's headers 10 KB.
const MAX_RETURN_ADDRESS_CHARS: usize = 2048;

/// Pinterest sends the browser here.
pub const CALLBACK: &str = "/api/v1/auth/pinterest/callback";
/// The same with the path of another product, for apps whose redirect URI is already registered.
pub const CALLBACK_ALIAS: &str = "/mixpost/callback/pinterest";

/// Addresses and names that are settings of the stack.
#[derive(Clone, Debug)]
pub struct SiteConfig {
    base_url: Option<String>,
    redirect_path: String,
    frontend_url: Option<String>,
    return_origins: Vec<String>,
    return_addresses: Vec<Url>,
    tenant_claim: String,
    pub admins: AdminRule,
}

impl SiteConfig {
    pub fn new(variables: &Variables) -> Result<Self, InvalidVariable> {
        // A callback path without a route would only be noticed by the first user who connects.
        variables.require_one_of("REDIRECT_PATH", &[CALLBACK, CALLBACK_ALIAS])?;
        let address =
            |name| variables.address(name).map(|found| found.map(|url| url.trim_end_matches('/').to_owned()));
        let word = |name: &str, default: &str| variables.get(name).unwrap_or(default).to_owned();
        let allowed = variables.get("ALLOWED_RETURN_ORIGINS").unwrap_or_default();
        let allowed = allowed.split(',').map(str::trim).filter(|text| !text.is_empty());
        let (mut return_origins, mut return_addresses) = (Vec::new(), Vec::new());
        for text in allowed {
            let meaning = "origins such as https://app.example.com, or whole addresses, separated by commas";
            let wrong = || InvalidVariable::new("ALLOWED_RETURN_ORIGINS", meaning);
            let (origin, url) = (origin(text).ok_or_else(wrong)?, Url::parse(text).map_err(|_| wrong())?);
            match (url.path(), url.query()) {
                ("/", None) => return_origins.push(origin),
                _ => return_addresses.push(url),
            }
        }
        let tenant_claim = word("TENANT_CLAIM", "sub");
        if tenant_claim.contains(MARK) {
            return Err(InvalidVariable::new("TENANT_CLAIM", "the name of a claim, without ~"));
        }
        Ok(Self {
            base_url: address("BASE_URL")?,
            redirect_path: word("REDIRECT_PATH", CALLBACK),
            frontend_url: address("FRONTEND_URL")?,
            return_origins,
            return_addresses,
            tenant_claim,
            admins: AdminRule::new(variables)?,
        })
    }

    /// The claim that names tenants: each user is one unless another is set.
    #[must_use]
    pub fn tenant_claim(&self) -> &str {
        &self.tenant_claim
    }

    /// The public address of the API: the setting, or the address of this request.
    #[must_use]
    pub fn base_url(&self, request: &Request) -> String {
        let came_in_at = || match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => context.domain_name.as_deref(),
            _ => None,
        };
        match &self.base_url {
            Some(address) => address.clone(),
            None => format!("https://{}", came_in_at().unwrap_or("localhost")),
        }
    }

    /// The address that Pinterest sends browsers to. It is registered at Pinterest, to the letter.
    #[must_use]
    pub fn redirect_uri(&self, base_url: &str) -> String {
        format!("{base_url}{}", self.redirect_path)
    }

    /// Every address that may be registered at Pinterest, the current one first.
    #[must_use]
    pub fn redirect_uris(&self, base_url: &str) -> Vec<String> {
        let mut paths = vec![self.redirect_path.as_str(), CALLBACK, CALLBACK_ALIAS];
        paths.dedup();
        if self.redirect_path == CALLBACK_ALIAS {
            paths.pop();
        }
        paths.into_iter().map(|path| format!("{base_url}{path}")).collect()
    }

    /// The return address after an error in an unknown flow.
    #[must_use]
    pub fn fallback_url(&self, base_url: &str) -> String {
        format!("{}/app/channels", self.frontend(base_url))
    }

    /// Checks a return address: a path of the frontend, or an address of the allow-list, which has whole addresses and
    /// origins. The normalised form is checked and returned: as browsers write addresses, without steps such as `/../`, and
    /// in ASCII, as a header requires (RFC 9110, section 5.5).
    pub fn return_address(&self, base_url: &str, wanted: &str) -> Result<String, RequestError> {
        let refuse = || {
            let fix = "Use a path that begins with one slash, or an address of ALLOWED_RETURN_ORIGINS.";
            domain::Invalid::new("return_to", "return_to_not_allowed", "is not an allowed address", fix)
        };
        // The ticket is added as a fragment. Browsers read a backslash as a slash, and drop line breaks.
        if wanted
            .contains(|letter: char| letter.is_control() || letter.is_whitespace() || "#\\".contains(letter))
        {
            return Err(refuse().into());
        }
        let is_path = wanted.starts_with('/');
        let wanted = if is_path { format!("{}{wanted}", self.frontend(base_url)) } else { wanted.to_owned() };
        let url = Url::parse(&wanted).map_err(|_| refuse())?;
        // A server that adds a slash to `//evil.example` sends the browser to that host, and the ticket with it.
        if url.path().starts_with("//") {
            return Err(refuse().into());
        }
        let origin = origin(&wanted).ok_or_else(refuse)?;
        let own = if is_path { Some(self.frontend(base_url)) } else { self.frontend_url.as_deref() };
        let is_own = own.and_then(self::origin).is_some_and(|own| own == origin);
        if !is_own && !self.return_origins.contains(&origin) && !self.return_addresses.contains(&url) {
            return Err(refuse().into());
        }
        let address = String::from(url);
        if address.len() > MAX_RETURN_ADDRESS_CHARS {
            let detail =
                format!("has {} characters, and at most {MAX_RETURN_ADDRESS_CHARS} are kept", address.len());
            let fix = "Use a shorter address.";
            return Err(domain::Invalid::new("return_to", "too_long", detail, fix).into());
        }
        Ok(address)
    }

    fn frontend<'a>(&'a self, base_url: &'a str) -> &'a str {
        self.frontend_url.as_deref().unwrap_or(base_url)
    }
}

/// The origin of an address that a browser can be sent to (RFC 6454), if it is one.
fn origin(address: &str) -> Option<String> {
    let url = Url::parse(address.trim()).ok()?;
    let plain = url.username().is_empty() && url.password().is_none();
    (plain && matches!(url.scheme(), "http" | "https")).then(|| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> SiteConfig {
        SiteConfig::new(&Variables::from_iter([
            ("FRONTEND_URL", "https://app.example.com/"),
            (
                "ALLOWED_RETURN_ORIGINS",
                "https://other.example.com, http://localhost:5173,https://one.example.com/done?by=pinwright",
            ),
        ]))
        .unwrap()
    }

    #[test]
    fn a_browser_is_sent_to_the_frontend_and_to_allowed_origins() {
        let to = |return_to| site().return_address("https://api.example.com", return_to);
        assert_eq!(to("/app/channels?x=1").unwrap(), "https://app.example.com/app/channels?x=1");
        assert_eq!(to("https://app.example.com/x").unwrap(), "https://app.example.com/x");
        assert_eq!(to("http://localhost:5173/x").unwrap(), "http://localhost:5173/x");
        let exact = "https://one.example.com/done?by=pinwright";
        assert_eq!(to(exact).unwrap(), exact);
        assert_eq!(to("/a/../b/./c").unwrap(), "https://app.example.com/b/c");
    }

    #[test]
    fn an_address_is_ascii_and_not_too_long() {
        let to = |return_to: &str| site().return_address("https://api.example.com", return_to);
        assert_eq!(to("/kan\u{e4}le?ü").unwrap(), "https://app.example.com/kan%C3%A4le?%C3%BC");
        assert!(to(&format!("/{}", "x".repeat(2000))).is_ok());
        assert!(to(&format!("/{}", "x".repeat(2048))).is_err());
        assert!(to(&format!("/{}", "ü".repeat(400))).is_err());
    }

    #[test]
    fn a_browser_is_sent_nowhere_else() {
        for bad in [
            "//evil.example.com",
            "/.//evil.example.com",
            "/..//evil.example.com",
            "/x/..//evil.example.com",
            "/%2e//evil.example.com",
            "https://app.example.com/x/..//evil.example.com",
            "https://other.example.com//evil.example.com",
            "https://one.example.com/",
            "https://one.example.com/done",
            "https://one.example.com/done?by=pinwright&more",
            "https://one.example.com/done/../other?by=pinwright",
            "/\\evil.example.com",
            "https://evil.example.com/",
            "https://other.example.com.evil.com/",
            "https://other.example.com@evil.com/",
            "https://user@other.example.com/",
            "javascript:alert(1)",
            "/app#connection=planted",
            "/app\r\nSet-Cookie: x=1",
            "",
            "app",
        ] {
            assert!(site().return_address("https://api.example.com", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn without_a_frontend_the_browser_stays_at_the_api() {
        let site = SiteConfig::new(&Variables::default()).unwrap();
        assert_eq!(site.return_address("http://127.0.0.1:3000", "/x").unwrap(), "http://127.0.0.1:3000/x");
    }
}
