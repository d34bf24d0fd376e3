//! The authorization request of an app, and the code that a user's consent gives it.

use jiff::Timestamp;
use url::Url;

use crate::{
    app::APP_ID,
    http::{Parameters, Refusal},
    random::Random,
    state::{AuthorizationCode, Digest, Grant, Scopes, State, tokens::add_seconds},
};

/// How long a code is valid. Pinterest does not document it.
const CODE_SECONDS: u32 = 600;

/// The parameters with which an app sends a user to the consent page.
pub(crate) struct AuthorizeRequest {
    pub(crate) scopes: Scopes,
    /// As the app wrote it: the exchange must repeat it character for character.
    redirect_uri: String,
    destination: Url,
    state: Option<String>,
}

impl AuthorizeRequest {
    /// Reads the parameters of the consent page.
    ///
    /// # Errors
    ///
    /// A parameter is wrong. The user is not sent back to the app then, because the address may not be the app's.
    pub(crate) fn parse(
        parameters: &Parameters,
        is_registered: impl FnOnce(&str) -> bool,
    ) -> Result<Self, Refusal> {
        let required =
            |name| parameters.get(name).ok_or_else(|| Refusal::invalid(format!("{name} is required")));
        if required("client_id")? != APP_ID {
            return Err(Refusal::invalid("client_id is not the id of an app"));
        }
        if required("response_type")? != "code" {
            return Err(Refusal::invalid("response_type must be code"));
        }
        let redirect_uri = required("redirect_uri")?.to_owned();
        if !is_registered(&redirect_uri) {
            return Err(Refusal::invalid(
                "redirect_uri is not one of those that are registered for the app: it has to be the same, \
                 character for character",
            ));
        }
        let destination = Url::parse(&redirect_uri)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| Refusal::invalid("redirect_uri must be an http or https address"))?;
        let scopes = Scopes::parse(required("scope")?)?;
        let state = parameters.get("state").map(str::to_owned);
        Ok(Self { scopes, redirect_uri, destination, state })
    }

    /// Creates a code for `scopes` of the account, and returns the address to which the browser goes with it.
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
        let expires_at = add_seconds(now, CODE_SECONDS);
        state.codes.retain(|_, code| code.expires_at > now);
        state.codes.insert(
            Digest::new(&code),
            AuthorizationCode { grant, redirect_uri: self.redirect_uri.clone(), expires_at },
        );
        Ok(self.destination_with("code", &code))
    }

    /// The address to which the browser goes if the user refuses.
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

/// Exchanges `code` for the grant of the user. A code works once, and only with the `redirect_uri` of its request.
pub(crate) fn redeem_code(
    state: &mut State,
    code: &str,
    redirect_uri: &str,
    now: Timestamp,
) -> Result<Grant, Refusal> {
    let digest = Digest::new(code);
    let entry = state.codes.get(&digest).filter(|code| code.expires_at > now);
    let entry = entry.ok_or_else(|| Refusal::invalid("The authorization code is invalid or expired."))?;
    if entry.redirect_uri != redirect_uri {
        return Err(Refusal::RedirectMismatch);
    }
    let grant = entry.grant.clone();
    state.codes.remove(&digest);
    Ok(grant)
}
