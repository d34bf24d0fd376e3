//! Development tokens. Only this process signs and accepts them; nothing that is deployed does.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How long a token is valid, by the local clock.
const TOKEN_LIFETIME: SignedDuration = SignedDuration::from_hours(12);

/// A person to sign in. In development, everybody may sign in as anybody.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Their id.
    pub sub: String,
    /// The tenant whose channels and Pins they see. The default is `sub`.
    #[serde(default)]
    pub tenant: Option<String>,
    /// Whether they may change the settings of the integration.
    #[serde(default)]
    pub admin: bool,
}

/// The claims of a token (RFC 7519) that are passed on to the functions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) sub: String,
    /// Missing in no token of ours.
    #[serde(default)]
    pub(crate) tenant: String,
    pub(crate) scope: String,
    pub(crate) exp: i64,
}

/// Issues and verifies tokens: JWTs signed with HMAC-SHA256 (RFC 7515, `HS256`).
pub(crate) struct SignIn {
    key: hmac::Key,
}

impl SignIn {
    pub(crate) fn new(key: &str) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key.trim().as_bytes()) }
    }

    /// A new token for `person`.
    pub(crate) fn issue_token(&self, person: Person, now: Timestamp) -> String {
        let scope = if person.admin { "pinwright/admin" } else { "" };
        let tenant = person.tenant.unwrap_or_else(|| person.sub.clone());
        let claims = json!({
            "sub": person.sub,
            "tenant": tenant,
            "scope": scope,
            "iat": now.as_second(),
            "exp": (now + TOKEN_LIFETIME).as_second(),
        });
        let header = json!({ "alg": "HS256", "typ": "JWT" });
        let signed = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
        let signature = hmac::sign(&self.key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The claims in `Authorization: Bearer <token>`, if this process signed the token and it has not expired. The
    /// signature is checked first, always with our algorithm: the header of the token is not read.
    pub(crate) fn verify(&self, authorization: &str, now: Timestamp) -> Option<Claims> {
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
    fn a_token_names_its_person_until_it_expires() {
        let (sign_in, now) = (SignIn::new("key"), Timestamp::from_second(1_790_000_000).unwrap());
        let header = format!("Bearer {}", sign_in.issue_token(person(), now));

        let claims = sign_in.verify(&header, now).unwrap();
        assert_eq!((claims.sub.as_str(), claims.tenant.as_str()), ("ada", "acme"));
        assert!(sign_in.verify(&header, now + TOKEN_LIFETIME).is_none());
    }

    #[test]
    fn a_token_of_another_key_or_with_other_claims_is_invalid() {
        let (sign_in, now) = (SignIn::new("key"), Timestamp::from_second(1_790_000_000).unwrap());
        let token = sign_in.issue_token(person(), now);
        assert!(SignIn::new("other").verify(&format!("Bearer {token}"), now).is_none());

        let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!() };
        let forged =
            json!({"sub": "eve", "tenant": "acme", "scope": "pinwright/admin", "exp": 9_999_999_999_i64});
        let forged = URL_SAFE_NO_PAD.encode(forged.to_string());
        let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        for token in [
            format!("{header}.{forged}.{signature}"),
            format!("{unsigned}.{claims}."),
            format!("{unsigned}.{claims}.{signature}"),
            "a.b.c".to_owned(),
            String::new(),
        ] {
            assert!(sign_in.verify(&format!("Bearer {token}"), now).is_none(), "{token}");
        }
    }
}
