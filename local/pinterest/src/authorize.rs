//! What an app asks a user for, and the code that says the user agreed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    oauth::APP_ID,
    pairs::Pairs,
    random::Random,
    refusal::Refusal,
    scopes::Scopes,
    state::{Id, State},
    tokens::{Digest, Grant, later},
};

/// How long a code can be exchanged, in seconds. Pinterest does not document it.
const CODE_LIFETIME: u32 = 600;

/// The parameters with which an app sends a user to the consent page.
pub(crate) struct AuthorizeRequest {
    pub(crate) scopes: Scopes,
    /// As it was written: the exchange must repeat it character for character.
    redirect_uri: String,
    destination: Url,
    state: Option<String>,
}

/// A user's consent, until it is exchanged for tokens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Code {
    grant: Grant,
    redirect_uri: String,
    expires_at: Timestamp,
}

impl AuthorizeRequest {
    /// # Errors
    ///
    /// What is wrong with the parameters. The user is not sent back then: nothing says that the
    /// address is the app's.
    pub(crate) fn parse(parameters: &Pairs) -> Result<Self, Refusal> {
        let required =
            |name| parameters.get(name).ok_or_else(|| Refusal::invalid(format!("{name} is required")));
        if required("client_id")? != APP_ID {
            return Err(Refusal::invalid("client_id is not the id of an app"));
        }
        if required("response_type")? != "code" {
            return Err(Refusal::invalid("response_type must be code"));
        }
        let redirect_uri = required("redirect_uri")?.to_owned();
        let destination = Url::parse(&redirect_uri)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| Refusal::invalid("redirect_uri must be an http or https address"))?;
        let scopes = Scopes::parse(required("scope")?)?;
        let state = parameters.get("state").map(str::to_owned);
        Ok(Self { scopes, redirect_uri, destination, state })
    }

    /// Where the browser goes after consent to `scopes` for `account`, with a new code.
    pub(crate) fn allow(
        &self,
        state: &mut State,
        username: &str,
        scopes: Scopes,
        now: Timestamp,
        random: &Random,
    ) -> Result<Url, Refusal> {
        let account =
            state.account_named(username).ok_or_else(|| Refusal::invalid("account is not known"))?.id;
        let code = random.secret("");
        let grant = Grant { account, scopes, is_client: false };
        let expires_at = later(now, CODE_LIFETIME);
        state.codes.retain(|_, code| code.expires_at > now);
        state
            .codes
            .insert(Digest::of(&code), Code { grant, redirect_uri: self.redirect_uri.clone(), expires_at });
        Ok(self.destination_with("code", &code))
    }

    /// Where the browser goes after a refusal.
    pub(crate) fn deny(&self) -> Url {
        self.destination_with("error", "access_denied")
    }

    fn destination_with(&self, name: &str, value: &str) -> Url {
        let mut destination = self.destination.clone();
        destination.query_pairs_mut().append_pair(name, value);
        if let Some(state) = &self.state {
            destination.query_pairs_mut().append_pair("state", state);
        }
        destination
    }
}

/// Exchanges `code` for what the user agreed to. It works once, and only with the address that the
/// user was sent with.
pub(crate) fn redeem(
    state: &mut State,
    code: &str,
    redirect_uri: &str,
    now: Timestamp,
) -> Result<Grant, Refusal> {
    let digest = Digest::of(code);
    let found = state.codes.get(&digest).filter(|code| code.expires_at > now);
    let found = found.ok_or_else(|| Refusal::invalid("The authorization code is invalid or expired."))?;
    if found.redirect_uri != redirect_uri {
        return Err(Refusal::RedirectMismatch);
    }
    let grant = found.grant.clone();
    state.codes.remove(&digest);
    Ok(grant)
}

/// Takes back what `account` has agreed to and no app has exchanged yet.
pub(crate) fn revoke(state: &mut State, account: Id) {
    state.codes.retain(|_, code| code.grant.account != account);
}
