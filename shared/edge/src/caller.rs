//! The caller, from the claims that API Gateway's authorizer has checked.

use domain::{TenantId, UserId};
use lambda_http::{Request, RequestExt, request::RequestContext};

use crate::{RequestError, SiteConfig};

/// The delimiter around the claim in a tenant's id.
pub(crate) const MARK: char = '~';

/// A signed-in user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user's tenant.
    pub tenant: TenantId,
    /// The user.
    pub user: UserId,
    /// Whether they may change the integration's settings.
    pub admin: bool,
}

impl SiteConfig {
    /// The caller, from the claims of a token that was checked before the function was called.
    /// `first_tenant_claim`: the claim that named this stack's first tenants, if that is known.
    pub(crate) fn caller(
        &self,
        request: &Request,
        first_tenant_claim: Option<&str>,
    ) -> Result<Caller, RequestError> {
        let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else {
            return Err(RequestError::Unauthenticated);
        };
        let jwt = context.authorizer.as_ref().and_then(|authorizer| authorizer.jwt.as_ref());
        let claims = &jwt.ok_or(RequestError::Unauthenticated)?.claims;
        let claim = |name: &str| claims.get(name).map(String::as_str).filter(|value| !value.is_empty());
        let user = claim("sub").ok_or(RequestError::Unauthenticated)?;
        let name = self.tenant_claim();
        // A user without the claim is refused: their `sub` could be another tenant's name.
        let tenant = claim(name).ok_or_else(|| RequestError::NoTenant(name.to_owned()))?;
        Ok(Caller {
            tenant: tenant_id(name, tenant, first_tenant_claim),
            user: UserId(user.to_owned()),
            admin: self.admins.admits(claim),
        })
    }
}

/// The id of a tenant. For the stack's first claim it is the value of the claim, as in older rows. For any other claim, it
/// has the name of the claim before the value: so after a change of `TENANT_CLAIM`, a tenant cannot reach the rows of
/// another tenant with the same name.
fn tenant_id(claim: &str, value: &str, first_claim: Option<&str>) -> TenantId {
    let is_plain = first_claim.is_none_or(|first| first == claim) && !value.starts_with(MARK);
    TenantId(if is_plain { value.to_owned() } else { format!("{MARK}{claim}{MARK}{value}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_of_two_claims_never_have_the_same_id() {
        let values = ["acme", "~acme", "~org~acme", "~sub~acme", "~", ""];
        for first in [None, Some("sub"), Some("org"), Some("team")] {
            let mut seen = Vec::new();
            for (claim, value) in
                ["sub", "org"].into_iter().flat_map(|claim| values.map(|value| (claim, value)))
            {
                // As long as no claim is stored, there is only one.
                if first.is_some() || claim == "sub" {
                    seen.push(tenant_id(claim, value, first).0);
                }
            }
            let all = seen.len();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), all, "{first:?}");
        }
    }

    #[test]
    fn the_tenants_of_the_first_claim_have_plain_names() {
        assert_eq!(tenant_id("org", "acme", None).0, "acme");
        assert_eq!(tenant_id("org", "acme", Some("org")).0, "acme");
        assert_eq!(tenant_id("org", "acme", Some("sub")).0, "~org~acme");
        assert_eq!(tenant_id("sub", "acme", Some("org")).0, "~sub~acme");
    }
}
