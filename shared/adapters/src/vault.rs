//! Seals tokens before they are stored, and opens them again: AES-256-GCM under a ring of keys.
//!
//! A sealed value is `<key id>.<base64url of nonce, ciphertext and tag>`. Where it belongs (table, row, field
//! and version) is authenticated with it: a ciphertext moved to another binding does not open.

use std::{collections::BTreeMap, sync::Arc};

use domain::{AccessToken, RefreshToken, SealedPair, SealedText, TokenPair};
use platform::{InvalidVariable, Random, Variables, encoding};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::RwLock;
use zeroize::Zeroizing;

use crate::{SecretsManager, secrets};

/// How a ring is written.
const KEY_RING_FORMAT: &str = r#"{"current":"k1","k1":"<at least 32 characters>"}"#;
/// Distinguishes these keys from any other that might be derived from the same string.
const HKDF_INFO: &[&[u8]] = &[b"pinwright token sealing v1"];

/// Tokens cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Secrets Manager does not answer, or the function may not read the secret.
    #[error("Secrets Manager could not be asked for the key ring")]
    Unreachable(#[source] secrets::Error),
    /// Neither a secret nor `TOKEN_KEYS` is set.
    #[error(
        "there is no key ring: set KEY_RING_SECRET to the secret's name, or TOKEN_KEYS to the ring itself"
    )]
    NoKeyRing,
    /// The ring is not what it should be. Its content is not repeated here.
    #[error("the key ring is not of the form {}", KEY_RING_FORMAT)]
    MalformedKeyRing,
    /// The environment has brought a ring that is none.
    #[error(transparent)]
    Setting(#[from] InvalidVariable),
    /// The key is gone from the ring, or the ciphertext belongs elsewhere, or was changed.
    #[error("a sealed value of {0} does not open")]
    DecryptionFailed(String),
}

/// Where a sealed value belongs: it is authenticated with the value.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// The row: a channel's id, or the hash of a ticket.
    pub row: &'a str,
    /// The version of the pair.
    pub version: u64,
}

/// Seals and opens with a ring that is read once, and once more when an unknown key id shows that it has changed.
#[derive(Debug)]
pub struct Vault {
    /// Where the ring is kept. `None`: the environment has brought it.
    secret: Option<(SecretsManager, String)>,
    random: Random,
    ring: RwLock<Option<Arc<KeyRing>>>,
}

/// Seals at once, with a ring that was read before.
#[derive(Debug)]
pub struct Sealer {
    ring: Arc<KeyRing>,
    random: Random,
}

impl Sealer {
    /// Seals `pair` for `binding`, under the current key.
    pub fn seal(&self, pair: &TokenPair, binding: Binding<'_>) -> Result<SealedPair, Error> {
        let Self { ring, random } = self;
        Ok(SealedPair {
            access: ring.seal(pair.access.expose(), binding, "access", random)?,
            refresh: ring.seal(pair.refresh.expose(), binding, "refresh", random)?,
            version: binding.version,
        })
    }
}

struct KeyRing {
    current: String,
    keys: BTreeMap<String, LessSafeKey>,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "KeyRing of {} keys", self.keys.len())
    }
}

impl Vault {
    pub fn new(secrets: SecretsManager, variables: &Variables, random: Random) -> Result<Self, Error> {
        let (secret, ring) = match (variables.get("KEY_RING_SECRET"), variables.get("TOKEN_KEYS")) {
            (Some(name), _) => (Some((secrets, name.to_owned())), None),
            (None, Some(json)) => {
                let ring = KeyRing::parse(&json.into())
                    .map_err(|_| InvalidVariable::new("TOKEN_KEYS", KEY_RING_FORMAT))?;
                (None, Some(Arc::new(ring)))
            }
            (None, None) => return Err(Error::NoKeyRing),
        };
        Ok(Self { secret, random, ring: RwLock::new(ring) })
    }

    /// Seals `pair` for `binding`, under the current key.
    pub async fn seal(&self, pair: &TokenPair, binding: Binding<'_>) -> Result<SealedPair, Error> {
        self.sealer().await?.seal(pair, binding)
    }

    /// The current key, in memory: with it, sealing waits for nothing.
    pub async fn sealer(&self) -> Result<Sealer, Error> {
        Ok(Sealer { ring: self.ring().await?, random: self.random.clone() })
    }

    /// Opens the access token of `pair`, which was sealed for `row`.
    pub async fn open_access(&self, pair: &SealedPair, row: &str) -> Result<AccessToken, Error> {
        let binding = Binding { row, version: pair.version };
        Ok(AccessToken::new(self.open(&pair.access, binding, "access").await?))
    }

    /// Opens both tokens of `pair`, which was sealed for `row`.
    pub async fn open_pair(&self, pair: &SealedPair, row: &str) -> Result<TokenPair, Error> {
        let binding = Binding { row, version: pair.version };
        Ok(TokenPair {
            access: self.open_access(pair, row).await?,
            refresh: RefreshToken::new(self.open(&pair.refresh, binding, "refresh").await?),
        })
    }

    async fn open(&self, sealed: &SealedText, binding: Binding<'_>, field: &str) -> Result<String, Error> {
        let ring = self.ring().await?;
        if ring.knows(sealed) || self.secret.is_none() {
            return ring.open(sealed, binding, field);
        }
        *self.ring.write().await = None; // a key was added since this process started
        self.ring().await?.open(sealed, binding, field)
    }

    async fn ring(&self) -> Result<Arc<KeyRing>, Error> {
        if let Some(ring) = self.ring.read().await.clone() {
            return Ok(ring);
        }
        let mut slot = self.ring.write().await;
        if let Some(ring) = slot.clone() {
            return Ok(ring); // somebody else read it meanwhile
        }
        let (secrets, name) = self.secret.as_ref().ok_or(Error::NoKeyRing)?;
        let text = secrets.read(name).await.map_err(Error::Unreachable)?;
        let json = text.map(SecretString::from).ok_or(Error::MalformedKeyRing)?;
        let ring = Arc::new(KeyRing::parse(&json)?);
        *slot = Some(ring.clone());
        Ok(ring)
    }
}

impl KeyRing {
    fn parse(json: &SecretString) -> Result<Self, Error> {
        let mut entries: BTreeMap<String, SecretString> =
            serde_json::from_str(json.expose_secret()).map_err(|_| Error::MalformedKeyRing)?;
        let current = entries.remove("current").ok_or(Error::MalformedKeyRing)?.expose_secret().to_owned();
        let mut keys = BTreeMap::new();
        for (id, material) in entries {
            keys.insert(id, derive(material.expose_secret())?);
        }
        if keys.contains_key(&current) { Ok(Self { current, keys }) } else { Err(Error::MalformedKeyRing) }
    }

    fn knows(&self, sealed: &SealedText) -> bool {
        sealed.parts().is_some_and(|(id, _)| self.keys.contains_key(id))
    }

    fn seal(
        &self,
        text: &str,
        binding: Binding<'_>,
        field: &str,
        random: &Random,
    ) -> Result<SealedText, Error> {
        let key = self.keys.get(&self.current).ok_or(Error::MalformedKeyRing)?;
        let nonce: [u8; NONCE_LEN] = random.bytes();
        let mut sealed = text.as_bytes().to_vec();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad(binding, field), &mut sealed)
            .map_err(|_| Error::MalformedKeyRing)?;
        let ciphertext = encoding::url_base64(&[&nonce, sealed.as_slice()].concat());
        Ok(SealedText::new(&self.current, &ciphertext))
    }

    fn open(&self, sealed: &SealedText, binding: Binding<'_>, field: &str) -> Result<String, Error> {
        let open = || {
            let (id, bytes) = sealed.parts()?;
            let mut bytes = Zeroizing::new(encoding::from_url_base64(bytes)?);
            let (nonce, ciphertext) = bytes.split_at_mut_checked(NONCE_LEN)?;
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let text = self.keys.get(id)?.open_in_place(nonce, aad(binding, field), ciphertext).ok()?;
            String::from_utf8(text.to_vec()).ok()
        };
        open().ok_or_else(|| Error::DecryptionFailed(format!("{} ({field})", binding.row)))
    }
}

fn aad(binding: Binding<'_>, field: &str) -> Aad<String> {
    Aad::from(format!("tokens|{}|{field}|{}", binding.row, binding.version))
}

/// The string of the ring is text that CloudFormation generated, not a key: HKDF makes one of it (RFC 5869).
fn derive(material: &str) -> Result<LessSafeKey, Error> {
    if material.len() < 32 {
        return Err(Error::MalformedKeyRing);
    }
    let secret = Salt::new(HKDF_SHA256, &[]).extract(material.as_bytes());
    let key = secret.expand(HKDF_INFO, &AES_256_GCM).map_err(|_| Error::MalformedKeyRing)?;
    Ok(LessSafeKey::new(UnboundKey::from(key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Binding<'_> = Binding { row: "ch_1", version: 3 };

    fn ring(current: &str) -> KeyRing {
        let json =
            format!(r#"{{"current":"{current}","k1":"{}","k2":"{}"}}"#, "a".repeat(64), "b".repeat(64));
        KeyRing::parse(&json.into()).unwrap()
    }

    #[test]
    fn a_sealed_text_opens_at_its_place_and_nowhere_else() {
        let ring = ring("k1");
        let sealed = ring.seal("pina_planted", PLACE, "access", &Random::system()).unwrap();

        assert!(sealed.parts().is_some_and(|(key, text)| key == "k1" && !text.contains("planted")));
        assert_eq!(ring.open(&sealed, PLACE, "access").unwrap(), "pina_planted");
        assert!(ring.open(&sealed, PLACE, "refresh").is_err());
        assert!(ring.open(&sealed, Binding { row: "ch_2", ..PLACE }, "access").is_err());
        assert!(ring.open(&sealed, Binding { version: 4, ..PLACE }, "access").is_err());
    }

    #[test]
    fn after_a_rotation_old_ciphertexts_still_open() {
        let sealed = ring("k1").seal("old", PLACE, "access", &Random::system()).unwrap();
        assert_eq!(ring("k2").open(&sealed, PLACE, "access").unwrap(), "old");
    }

    #[test]
    fn a_key_may_have_dots_in_its_name() {
        let json = format!(r#"{{"current":"2026.12.01","2026.12.01":"{}"}}"#, "a".repeat(64));
        let ring = KeyRing::parse(&json.into()).unwrap();
        let sealed = ring.seal("text", PLACE, "access", &Random::system()).unwrap();
        assert!(ring.knows(&sealed));
        assert_eq!(ring.open(&sealed, PLACE, "access").unwrap(), "text");
    }

    #[test]
    fn a_changed_ciphertext_does_not_open() {
        let ring = ring("k1");
        let sealed = ring.seal("text", PLACE, "access", &Random::system()).unwrap();
        let whole = serde_json::to_value(&sealed).unwrap().as_str().unwrap().to_owned();
        for binding in 0..whole.len() {
            let mut changed = whole.clone().into_bytes();
            changed[binding] = if changed[binding] == b'A' { b'B' } else { b'A' };
            let changed = serde_json::from_value(String::from_utf8(changed).unwrap().into()).unwrap();
            assert!(ring.open(&changed, PLACE, "access").is_err(), "byte {binding}");
        }
    }

    #[test]
    fn a_ring_without_its_current_key_or_with_a_weak_one_is_refused() {
        for bad in [r#"{"current":"k1"}"#, r#"{"k1":"x"}"#, r#"{"current":"k1","k1":"short"}"#, "[]", ""] {
            assert!(KeyRing::parse(&bad.to_owned().into()).is_err(), "{bad}");
        }
    }
}
