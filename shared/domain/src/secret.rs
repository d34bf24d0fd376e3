//! Values that must never be printed. Code reads one with an explicit call: `expose`.

use secrecy::{ExposeSecret, SecretString};

/// Declares a secret: `Debug` prints `[REDACTED]`, there is no `Display` and no `Serialize`, and dropping wipes it.
macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(SecretString);

        impl $name {
            /// Takes the text, which is wiped when the secret is dropped.
            #[must_use]
            pub fn new(text: String) -> Self {
                Self(text.into())
            }

            /// The secret itself. Pass it only to the network or to the cipher.
            #[must_use]
            pub fn expose(&self) -> &str {
                self.0.expose_secret()
            }
        }
    };
}

secret!(
    /// Proves to Pinterest that the caller is the app ("App Secret Key" on Pinterest's page).
    AppSecret
);
secret!(
    /// Gives its holder access to an account until it expires, 30 days after it was issued.
    AccessToken
);
secret!(
    /// Gets a new pair of tokens. Each use returns a new one: if it is lost, the account must be connected again.
    RefreshToken
);
secret!(
    /// One of the two parts of the key of refresh tokens. The other is in the key ring.
    RefreshKeyShare
);
secret!(
    /// The code that Pinterest's consent page passes to the callback (RFC 6749, section 4.1.2).
    AuthorizationCode
);
secret!(
    /// Binds the callback to the user who started (RFC 6749, section 10.12): 256 random bits.
    State
);
secret!(
    /// The secret that the callback gives the browser, so that only the user who started can claim the connection.
    Ticket
);
secret!(
    /// A field of an upload form. Anybody who has all fields can upload a file.
    FormField
);
secret!(
    /// An address of a file in the bucket. Anybody who has it can use it until it expires.
    SignedUrl
);

/// The two tokens that Pinterest issues together.
#[derive(Clone, Debug)]
pub struct TokenPair {
    /// Acts for the account.
    pub access: AccessToken,
    /// Gets the next pair.
    pub refresh: RefreshToken,
}

/// A text that was sealed: `<key id>.<base64url of nonce, ciphertext and tag>`. With `~` before the id, the key was made of
/// that one and of the [`RefreshKeyShare`].
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct SealedText(String);

impl SealedText {
    /// Puts the parts together. `ciphertext` is base64url, which has no dots.
    #[must_use]
    pub fn new(key_id: &str, ciphertext: &str) -> Self {
        Self(format!("{key_id}.{ciphertext}"))
    }

    /// The id of the key, in which its owner may have written dots, and the ciphertext.
    #[must_use]
    pub fn parts(&self) -> Option<(&str, &str)> {
        self.0.rsplit_once('.')
    }
}

/// A sealed pair of tokens, and the version that it is bound to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SealedPair {
    /// The access token. Empty: nobody needs it any more.
    pub access: SealedText,
    /// The refresh token.
    pub refresh: SealedText,
    /// The version of the pair: it increases with each new pair of a channel.
    pub version: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print_itself() {
        let pair = TokenPair {
            access: AccessToken::new("pina_planted".into()),
            refresh: RefreshToken::new("pinr_planted".into()),
        };
        assert!(!format!("{pair:?}").contains("planted"));
    }
}
