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
    ///
    /// A list claim arrives as text: `a b` as OAuth writes scopes, `[a b]` as API Gateway writes lists. Nothing else
    /// separates: a group may be called `x,admin`.
    pub(crate) fn caller(&self, request: &Request) -> Result<Caller, RequestError> {
        let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else {
            return Err(RequestError::Unauthenticated);
        };
        let jwt = context.authorizer.as_ref().and_then(|authorizer| authorizer.jwt.as_ref());
        let claims = &jwt.ok_or(RequestError::Unauthenticated)?.claims;
        let claim = |name: &str| claims.get(name).filter(|value| !value.is_empty());
        let has = |name: &str, wanted: &str| {
            claim(name).is_some_and(|list| {
                let list = list.strip_prefix('[').and_then(|list| list.strip_suffix(']')).unwrap_or(list);
                list.split(' ').any(|word| word == wanted)
            })
        };
        let user = claim("sub").ok_or(RequestError::Unauthenticated)?;
        let tenant = self.tenant_claim.as_deref().and_then(claim).unwrap_or(user);
        Ok(Caller {
            tenant: TenantId(tenant.clone()),
            user: UserId(user.clone()),
            admin: has("scope", &self.admin_scope) || has(&self.groups_claim, &self.admin_group),
        })
    }
}
