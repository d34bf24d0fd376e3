//! The token endpoint's answer (`OauthAccessTokenResponse` in the contract).

use domain::{Scopes, refresh::Lifetimes};
use jiff::{SignedDuration, Timestamp};
use oauth2::{AccessToken, RefreshToken, Scope, TokenResponse, TokenType};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// The lifetime of an access token without `expires_in`: the documented 30 days.
const DEFAULT_LIFE_SECONDS: i64 = 30 * 24 * 60 * 60;

/// No token is valid for more than ten years: a later end is an error, and too large to calculate with.
const MAX_LIFE_SECONDS: i64 = 10 * 365 * 24 * 60 * 60;

/// New tokens, and their details.
///
/// Read as leniently as possible. The old refresh token may be invalid already: if this answer were refused because of a
/// detail, the account would be lost. ([`TokenResponse`] requires `Serialize`; nobody uses it.)
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Tokens {
    access_token: AccessToken,
    #[serde(default)]
    token_type: Kind,
    #[serde(default)]
    expires_in: Seconds,
    refresh_token: Option<RefreshToken>,
    #[serde(default)]
    refresh_token_expires_in: Seconds,
    #[serde(default)]
    refresh_token_expires_at: Seconds,
    /// Separated by spaces. Version 5.28 of the contract no longer guarantees it.
    #[serde(default, rename = "scope", deserialize_with = "names")]
    scopes: Option<Vec<Scope>>,
}

/// `bearer`, in upper or lower case. There is no other type, so it is not checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Kind(Value);

impl TokenType for Kind {}

/// A usable number of seconds: Pinterest issues no token that has already expired.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Value", into = "Option<i64>")]
struct Seconds(Option<i64>);

impl From<Value> for Seconds {
    fn from(value: Value) -> Self {
        let seconds = match value {
            Value::String(text) => text.parse().ok(),
            value => value.as_i64(),
        };
        Self(seconds.filter(|seconds| *seconds > 0))
    }
}

impl From<Seconds> for Option<i64> {
    fn from(seconds: Seconds) -> Self {
        seconds.0
    }
}

impl TokenResponse for Tokens {
    type TokenType = Kind;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &Kind {
        &self.token_type
    }

    fn expires_in(&self) -> Option<std::time::Duration> {
        let seconds = self.expires_in.0?.try_into().ok()?;
        Some(std::time::Duration::from_secs(seconds))
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        self.scopes.as_ref()
    }
}

impl Tokens {
    /// Acts for the account.
    pub(crate) fn access(&self) -> domain::AccessToken {
        domain::AccessToken::new(self.access_token.secret().clone())
    }

    /// Gets the next pair, if Pinterest gave one.
    pub(crate) fn refresh(&self) -> Option<domain::RefreshToken> {
        let refresh = self.refresh_token.as_ref()?.secret();
        (!refresh.is_empty()).then(|| domain::RefreshToken::new(refresh.clone()))
    }

    /// When the tokens expire, if they were issued at `now`.
    pub(crate) fn lifetimes(&self, now: Timestamp) -> Lifetimes {
        let refresh = self.refresh_token_expires_in.0.map(|seconds| after(now, seconds));
        let by_their_clock = || Timestamp::from_second(self.refresh_token_expires_at.0?).ok();
        Lifetimes {
            access_expires_at: after(now, self.expires_in.0.unwrap_or(DEFAULT_LIFE_SECONDS)),
            refresh_expires_at: refresh
                .or_else(by_their_clock)
                .filter(|dies| *dies > now)
                .map(|dies| dies.min(after(now, MAX_LIFE_SECONDS))),
        }
    }

    /// The granted scopes, if Pinterest returned them.
    pub(crate) fn granted(&self) -> Option<Scopes> {
        let names: Vec<&str> = self.scopes.as_ref()?.iter().map(|scope| scope.as_str()).collect();
        Some(Scopes::parse(&names.join(" "))).filter(|scopes| !scopes.names().is_empty())
    }
}

/// A text, or a list of texts. Any other value has no scopes, and is no reason to lose tokens.
fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Scope>>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let text = match &value {
        Value::Array(list) => Some(list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")),
        value => value.as_str().map(str::to_owned),
    };
    let scope = |name: &String| Scope::new(name.clone());
    Ok(text.map(|text| Scopes::parse(&text).names().iter().map(scope).collect()))
}

fn after(now: Timestamp, seconds: i64) -> Timestamp {
    let life = SignedDuration::from_secs(seconds.min(MAX_LIFE_SECONDS));
    now.saturating_add(life).unwrap_or(now)
}
