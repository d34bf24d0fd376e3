//! Tokens for development: signed and checked by this process, never by anything that is deployed.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How long a token lasts, by the local clock.
const LASTS: SignedDuration = SignedDuration::from_hours(12);

/// Who wants to be signed in: for development anyone may be anybody.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Who they are.
    pub sub: String,
    /// Whose things they see. Their own unless given.
    #[serde(default)]
    pub tenant: Option<String>,
    /// Whether they may change the integration's settings.
    #[serde(default)]
    pub admin: bool,
}

/// The claims of a token (RFC 7519), all of them text as API Gateway hands them on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) sub: String,
    pub(crate) tenant: String,
    pub(crate) scope: String,
    pub(crate) exp: i64,
}

/// Makes and checks tokens: JWTs signed with HMAC-SHA256 (RFC 7515, `HS256`).
pub(crate) struct SignIn {
    key: hmac::Key,
}

impl SignIn {
    pub(crate) fn new(key: &str) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key.trim().as_bytes()) }
    }

    /// A token for `person`.
    pub(crate) fn token(&self, person: Person, now: Timestamp) -> String {
        let scope = if person.admin { "pinwright/admin" } else { "" };
        let tenant = person.tenant.unwrap_or_else(|| person.sub.clone());
        let claims = json!({
            "sub": person.sub,
            "tenant": tenant,
            "scope": scope,
            "iat": now.as_second(),
            "exp": (now + LASTS).as_second(),
        });
        let header = json!({ "alg": "HS256", "typ": "JWT" });
        let signed = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
        let signature = hmac::sign(&self.key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Who sent `Authorization: Bearer <token>`, if the token is ours and has not expired. The signature is
    /// checked before anything else is read: what the header of the token says is of no interest.
    pub(crate) fn claims(&self, authorization: &str, now: Timestamp) -> Option<Claims> {
        let token = authorization.strip_prefix("Bearer ")?.trim();
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        hmac::verify(&self.key, signed.as_bytes(), &signature).ok()?;
        let payload = URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?;
        let claims: Claims = serde_json::from_slice(&payload).ok()?;
        (claims.exp > now.as_second()).then_some(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person() -> Person {
        Person { sub: "ada".into(), tenant: Some("acme".into()), admin: true }
    }

    #[test]
    fn a_token_says_who_sent_it_until_it_expires() {
        let (sign_in, now) = (SignIn::new("key"), Timestamp::from_second(1_790_000_000).unwrap());
        let header = format!("Bearer {}", sign_in.token(person(), now));

        let claims = sign_in.claims(&header, now).unwrap();
        assert_eq!((claims.sub.as_str(), claims.tenant.as_str()), ("ada", "acme"));
        assert!(sign_in.claims(&header, now + LASTS).is_none());
    }

    #[test]
    fn a_token_of_another_key_or_with_other_claims_is_nobodys() {
        let (sign_in, now) = (SignIn::new("key"), Timestamp::from_second(1_790_000_000).unwrap());
        let token = sign_in.token(person(), now);
        assert!(SignIn::new("other").claims(&format!("Bearer {token}"), now).is_none());

        let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!() };
        let forged =
            json!({"sub": "eve", "tenant": "acme", "scope": "pinwright/admin", "exp": 9_999_999_999_i64});
        let forged = URL_SAFE_NO_PAD.encode(forged.to_string());
        let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        for bad in [
            format!("{header}.{forged}.{signature}"),
            format!("{unsigned}.{claims}."),
            format!("{unsigned}.{claims}.{signature}"),
            "a.b.c".to_owned(),
            String::new(),
        ] {
            assert!(sign_in.claims(&format!("Bearer {bad}"), now).is_none(), "{bad}");
        }
    }
}
