//! The caller, from the claims that API Gateway's authorizer has checked.

use domain::{TenantId, UserId};
use lambda_http::{Request, RequestExt, request::RequestContext};

use crate::{RequestError, SiteConfig};

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The tenant whose things they see.
    pub tenant: TenantId,
    /// The user.
    pub user: UserId,
    /// Whether they may change the integration's settings.
    pub admin: bool,
}

impl SiteConfig {
    /// The caller, from the claims of a token that was checked before the function was called.
    pub(crate) fn caller(&self, request: &Request) -> Result<Caller, RequestError> {
        let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else {
            return Err(RequestError::Unauthenticated);
        };
        let jwt = context.authorizer.as_ref().and_then(|authorizer| authorizer.jwt.as_ref());
        let claims = &jwt.ok_or(RequestError::Unauthenticated)?.claims;
        let claim = |name: &str| claims.get(name).map(String::as_str).filter(|value| !value.is_empty());
        let user = claim("sub").ok_or(RequestError::Unauthenticated)?;
        let tenant = match &self.tenant_claim {
            // A user without the claim is refused: their `sub` could be another tenant's name.
            Some(name) => claim(name).ok_or_else(|| RequestError::NoTenant(name.clone()))?,
            None => user,
        };
        Ok(Caller {
            tenant: TenantId(tenant.to_owned()),
            user: UserId(user.to_owned()),
            admin: self.admins.admits(claim),
        })
    }
}
