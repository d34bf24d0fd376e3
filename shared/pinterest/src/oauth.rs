//! OAuth: the consent of an account's owner, and tokens
//! ([authentication](https://developers.pinterest.com/docs/getting-started/set-up-authentication-and-authorization/)).

use std::{borrow::Cow, pin::Pin, sync::OnceLock, time::Duration};

use domain::{
    AccessToken, AppSecret, AuthorizationCode, Environment, OAuthState, RefreshToken, ResponseMeta, Scopes,
    TokenPair,
    refresh::{CredentialCheck, Lifetimes},
};
use jiff::Timestamp;
use oauth2::{
    AsyncHttpClient, AuthUrl, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, RedirectUrl, RequestTokenError, Scope, StandardRevocableToken, TokenUrl,
    basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse},
};
use url::ParseError;

use crate::{
    Client, Error, Fault,
    client::{READ_TIMEOUT, WRITE_TIMEOUT},
    error_body::ErrorBody,
    tokens::Tokens,
};

/// The time limit of an exchange. A browser waits for it, and API Gateway waits at most 30 seconds, in which the account is
/// read as well.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(12);
/// The scope of a credential check: every app has it.
const CREDENTIAL_CHECK_SCOPE: &str = "user_accounts:read";

/// The credentials of an app at Pinterest.
#[derive(Clone, Copy, Debug)]
pub struct App<'a> {
    /// "App ID" on Pinterest's page.
    pub id: &'a str,
    /// "App secret key" on the same page.
    pub secret: &'a AppSecret,
}

/// The result of an account owner's consent.
#[derive(Clone, Debug)]
pub struct GrantedTokens {
    /// The tokens of the account.
    pub tokens: TokenPair,
    /// When they die.
    pub lifetimes: Lifetimes,
    /// The granted scopes: perhaps fewer than requested, perhaps more, because it is everything that the owner ever granted
    /// the app.
    pub scopes: Scopes,
}

/// The result of a refresh.
#[derive(Clone, Debug)]
pub struct RefreshedTokens {
    /// The new access token.
    pub access: AccessToken,
    /// The next refresh token. `None`: the old one stays valid.
    pub refresh: Option<RefreshToken>,
    /// When they die.
    pub lifetimes: Lifetimes,
}

type Protocol<Authorize = EndpointNotSet, Token = EndpointNotSet> = oauth2::Client<
    BasicErrorResponse,
    Tokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    Authorize,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    Token,
>;

impl Client {
    /// The address of the consent page, which sends the owner back to `redirect_uri` with `state`.
    ///
    /// # Errors
    ///
    /// [`Error::NotSent`] if one of the two addresses is broken.
    pub fn authorize_url(
        &self,
        app_id: &str,
        redirect_uri: &str,
        scopes: &Scopes,
        state: &OAuthState,
    ) -> Result<String, Error> {
        let page = AuthUrl::new(self.addresses.authorize.clone()).map_err(broken)?;
        let protocol: Protocol<EndpointSet> = Protocol::new(ClientId::new(app_id.to_owned()))
            .set_auth_uri(page)
            .set_redirect_uri(redirect(redirect_uri)?);
        let (address, _) = protocol
            .authorize_url(|| CsrfToken::new(state.expose().to_owned()))
            // Passed as a single scope: Pinterest separates scopes by commas, not by spaces as OAuth does.
            .add_scope(Scope::new(scopes.comma_separated()))
            .url();
        Ok(address.into())
    }

    /// Exchanges the code that the consent page passed to the callback, once ([`POST
    /// /oauth/token`](https://developers.pinterest.com/docs/api/v5/oauth-token), `authorization_code`).
    ///
    /// If Pinterest does not return the granted scopes, they are those of [`Scopes::required`] (RFC 6749, section 5.1).
    pub async fn exchange(
        &self,
        environment: Environment,
        app: App<'_>,
        code: &AuthorizationCode,
        redirect_uri: &str,
        now: Timestamp,
    ) -> Result<GrantedTokens, Error> {
        let protocol = self.protocol(environment, app)?;
        let code = oauth2::AuthorizationCode::new(code.expose().to_owned());
        let request = protocol
            .exchange_code(code)
            .set_redirect_uri(Cow::Owned(redirect(redirect_uri)?))
            // Apps from before 2025-09-25 get renewable refresh tokens only if they request them.
            .add_extra_param("continuous_refresh", "true");
        let call = Call::new(self, EXCHANGE_TIMEOUT);
        let answered = request.request_async(&call).await;
        let (tokens, answer) = call.end(answered)?;
        let Some(refresh) = tokens.refresh() else {
            return Err(malformed(answer));
        };
        Ok(GrantedTokens {
            tokens: TokenPair { access: tokens.access(), refresh },
            lifetimes: tokens.lifetimes(now),
            scopes: tokens.granted().unwrap_or_else(Scopes::required),
        })
    }

    /// Exchanges a refresh token for a new pair
    /// ([`POST /oauth/token`](https://developers.pinterest.com/docs/api/v5/oauth-token), `refresh_token`).
    ///
    /// `refresh` may no longer work afterwards: save the new pair before anything else.
    pub async fn refresh(
        &self,
        environment: Environment,
        app: App<'_>,
        refresh: &RefreshToken,
        now: Timestamp,
    ) -> Result<RefreshedTokens, Error> {
        let protocol = self.protocol(environment, app)?;
        let refresh = oauth2::RefreshToken::new(refresh.expose().to_owned());
        let request = protocol.exchange_refresh_token(&refresh);
        let call = Call::new(self, WRITE_TIMEOUT);
        let answered = request.request_async(&call).await;
        let (tokens, _) = call.end(answered)?;
        Ok(RefreshedTokens {
            access: tokens.access(),
            refresh: tokens.refresh(),
            lifetimes: tokens.lifetimes(now),
        })
    }

    /// Checks App ID and App Secret, without an account's token ([`POST
    /// /oauth/token`](https://developers.pinterest.com/docs/api/v5/oauth-token), `client_credentials`).
    ///
    /// Pinterest refuses this grant for other reasons too, for example if the app's owner has no two-factor authentication:
    /// that is [`CredentialCheck::Inconclusive`].
    pub async fn check_credentials(
        &self,
        environment: Environment,
        app: App<'_>,
    ) -> (CredentialCheck, ResponseMeta) {
        match self.client_credentials(environment, app).await {
            Ok(answer) => (CredentialCheck::Right, answer),
            Err(Error::NotSent(_)) => (CredentialCheck::Unreachable, ResponseMeta::default()),
            Err(Error::Unknown { response, source: Some(Fault::Connection(_) | Fault::TooLarge) }) => {
                (CredentialCheck::Unreachable, response)
            }
            // A temporary failure that has the status of a refusal.
            Err(Error::Unknown { response, source: None }) if response.message.is_some() => {
                (CredentialCheck::Unreachable, response)
            }
            Err(Error::Refused { response, .. } | Error::Unknown { response, .. }) => {
                (verdict(&response), response)
            }
        }
    }

    async fn client_credentials(
        &self,
        environment: Environment,
        app: App<'_>,
    ) -> Result<ResponseMeta, Error> {
        let protocol = self.protocol(environment, app)?;
        let scope = Scope::new(CREDENTIAL_CHECK_SCOPE.to_owned());
        let request = protocol.exchange_client_credentials().add_scope(scope);
        let call = Call::new(self, READ_TIMEOUT);
        let answered = request.request_async(&call).await;
        let (_, answer) = call.end(answered)?;
        Ok(answer)
    }

    fn protocol(
        &self,
        environment: Environment,
        app: App<'_>,
    ) -> Result<Protocol<EndpointNotSet, EndpointSet>, Error> {
        let endpoint = TokenUrl::new(self.address(environment, "oauth/token")).map_err(broken)?;
        Ok(Protocol::new(ClientId::new(app.id.to_owned()))
            .set_client_secret(ClientSecret::new(app.secret.expose().to_owned()))
            .set_token_uri(endpoint))
    }
}

/// One call to the token endpoint: sends the protocol's request, and stores the answer.
struct Call<'a> {
    client: &'a Client,
    timeout: Duration,
    answer: OnceLock<ResponseMeta>,
}

impl<'a> Call<'a> {
    fn new(client: &'a Client, timeout: Duration) -> Self {
        let answer = OnceLock::new();
        Self { client, timeout, answer }
    }

    /// The result of the call. The protocol's own errors quote the answer, which contains tokens, so they are not passed
    /// on.
    fn end(
        self,
        answered: Result<Tokens, RequestTokenError<Error, BasicErrorResponse>>,
    ) -> Result<(Tokens, ResponseMeta), Error> {
        let answer = self.answer.into_inner().unwrap_or_default();
        match answered {
            Ok(tokens) => Ok((tokens, answer)),
            Err(RequestTokenError::Request(error)) => Err(error),
            Err(_) => Err(malformed(answer)),
        }
    }
}

impl<'c> AsyncHttpClient<'c> for Call<'_> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Error>> + Send + 'c>>;

    /// Sends the protocol's request. The protocol sees only successes, and all of them as 200: Pinterest's errors differ
    /// from OAuth's, and its successes may be 201.
    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let mut request = reqwest::Request::try_from(request).map_err(Error::before_answer)?;
            *request.timeout_mut() = Some(self.timeout);
            let received = self.client.execute(request).await?.accepted(ErrorBody::read_oauth)?;
            self.answer.get_or_init(|| received.meta());
            Ok(HttpResponse::new(received.into_body()))
        })
    }
}

/// The meaning of the token endpoint's message for App ID and App Secret.
fn verdict(answer: &ResponseMeta) -> CredentialCheck {
    let status = answer.http_status;
    // Code 2 is "Authentication failed"; a code that repeats the status says nothing.
    let says_nothing_else =
        answer.pinterest_code.is_none_or(|code| code == 2 || Some(code) == status.map(i64::from));
    let message = answer.message.as_deref().unwrap_or_default().to_ascii_lowercase();
    let names_the_app = message.starts_with("invalid_client");
    let knows_no_app = answer.pinterest_code == Some(283) || message.contains("invalid application id");
    match status {
        Some(408) => CredentialCheck::Unreachable,
        Some(400..=499) if knows_no_app => CredentialCheck::Wrong,
        Some(401) if says_nothing_else => CredentialCheck::Wrong,
        Some(400..=499) if says_nothing_else && names_the_app => CredentialCheck::Wrong,
        // A success without a token proves nothing either.
        Some(200..=299 | 400..=499) => CredentialCheck::Inconclusive,
        _ => CredentialCheck::Unreachable,
    }
}

fn redirect(address: &str) -> Result<RedirectUrl, Error> {
    RedirectUrl::new(address.to_owned()).map_err(broken)
}

fn broken(error: ParseError) -> Error {
    Error::NotSent(error.into())
}

fn malformed(answer: ResponseMeta) -> Error {
    Error::unknown(answer, Fault::Malformed { source: None })
}
