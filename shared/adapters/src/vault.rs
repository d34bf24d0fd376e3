//! Seals tokens before they are stored, and opens them again: AES-256-GCM under a ring of keys.
//!
//! The key of a channel's refresh token is derived from two parts: a key of the ring, which every function that uses tokens
//! has, and a share in the tokens table, whose row only the functions that refresh and claim may read. A function that
//! publishes can open access tokens, but no refresh token. A ticket's tokens need no share: few functions may read its row,
//! and it expires within minutes.
//!
//! A sealed value is `<key id>.<base64url of nonce, ciphertext and tag>`. Its place (table, row, field and version) is
//! authenticated with it: a ciphertext does not open in another place.

use std::{collections::BTreeMap, sync::Arc};

use aws_sdk_secretsmanager::Client;
use domain::{AccessToken, RefreshKeyShare, RefreshToken, SealedPair, SealedText, TokenPair};
use jiff::{SignedDuration, Timestamp};
use platform::{Clock, InvalidVariable, Random, Variables, chain, encoding};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::RwLock;
use zeroize::Zeroizing;

/// The age at which the cached ring is read again: a process may use an old key for sealing for this long.
const MAX_AGE: SignedDuration = SignedDuration::from_mins(15);
/// The form of a ring, for error messages.
const KEY_RING_FORMAT: &str = r#"{"current":"k1","k1":"<at least 32 characters>"}"#;
/// The fewest characters of a key in the key ring.
const MIN_KEY_CHARS: usize = 32;
/// Distinguishes these keys from any other that might be derived from the same string.
const HKDF_INFO: &[&[u8]] = &[b"pinwright token sealing v1"];
/// The same for the keys of refresh tokens.
const HKDF_REFRESH_INFO: &[&[u8]] = &[b"pinwright refresh token sealing v1"];
/// The prefix of the id of a key that was derived with the share.
const SHARED: char = '~';

/// Tokens cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Secrets Manager does not answer, or the function may not read the secret.
    #[error("Secrets Manager could not be asked for the key ring")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Neither a secret nor `TOKEN_KEYS` is set.
    #[error(
        "there is no key ring: set KEY_RING_SECRET to the secret's name, or TOKEN_KEYS to the ring itself"
    )]
    NoKeyRing,
    /// The ring is not valid. The error does not repeat its content.
    #[error("the key ring is not of the form {}", KEY_RING_FORMAT)]
    MalformedKeyRing,
    /// The environment variable does not hold a valid ring.
    #[error(transparent)]
    Setting(#[from] InvalidVariable),
    /// The key is missing from the ring, or the ciphertext belongs to another place or was changed.
    #[error("a sealed value of {0} does not open")]
    DecryptionFailed(String),
}

/// The place that a sealed value belongs to. It is authenticated with the value.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// The row: a channel's id, or the hash of a ticket.
    pub row: &'a str,
    /// The version of the pair.
    pub version: u64,
}

/// Seals and opens tokens. It reads the ring again when the ring is old, and at once when a key id is unknown.
#[derive(Debug)]
pub struct Vault {
    /// The secret that holds the ring. `None`: the ring came from the environment.
    secret: Option<(Client, String)>,
    random: Random,
    clock: Clock,
    ring: RwLock<Option<CachedRing>>,
}

#[derive(Clone, Debug)]
struct CachedRing {
    read_at: Timestamp,
    ring: Arc<KeyRing>,
}

/// Seals without waiting, with a ring that was read before.
#[derive(Debug)]
pub struct Sealer {
    ring: Arc<KeyRing>,
    random: Random,
    share: Option<RefreshKeyShare>,
}

impl Sealer {
    /// Seals refresh tokens with a key that includes this share, as in a channel's row.
    #[must_use]
    pub fn with_share(self, share: &RefreshKeyShare) -> Self {
        Self { share: Some(share.clone()), ..self }
    }

    /// Seals `pair` for `binding`, with the current key.
    pub fn seal(&self, pair: &TokenPair, binding: Binding<'_>) -> Result<SealedPair, Error> {
        let Self { ring, random, share } = self;
        let (access, refresh) = (pair.access.expose(), pair.refresh.expose());
        Ok(SealedPair {
            access: ring.seal(access, binding, "access", None, random)?,
            refresh: ring.seal(refresh, binding, "refresh", share.as_ref(), random)?,
            version: binding.version,
        })
    }

    /// Seals the refresh token alone, of a pair whose access token nobody needs any more.
    pub fn seal_refresh(&self, refresh: &RefreshToken, binding: Binding<'_>) -> Result<SealedPair, Error> {
        let Self { ring, random, share } = self;
        Ok(SealedPair {
            access: SealedText::default(),
            refresh: ring.seal(refresh.expose(), binding, "refresh", share.as_ref(), random)?,
            version: binding.version,
        })
    }
}

struct KeyRing {
    current: String,
    keys: BTreeMap<String, Key>,
}

struct Key {
    /// The sealer for tokens that need no share.
    plain: LessSafeKey,
    material: SecretString,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "KeyRing of {} keys", self.keys.len())
    }
}

impl Vault {
    pub fn new(client: Client, variables: &Variables, clock: Clock, random: Random) -> Result<Self, Error> {
        let (secret, ring) = match (variables.get("KEY_RING_SECRET"), variables.get("TOKEN_KEYS")) {
            (Some(name), _) => (Some((client, name.to_owned())), None),
            (None, Some(json)) => {
                let ring = KeyRing::parse(&json.into())
                    .map_err(|_| InvalidVariable::new("TOKEN_KEYS", KEY_RING_FORMAT))?;
                (None, Some(CachedRing { read_at: clock.now(), ring: Arc::new(ring) }))
            }
            (None, None) => return Err(Error::NoKeyRing),
        };
        Ok(Self { secret, random, clock, ring: RwLock::new(ring) })
    }

    /// Seals `pair` for `binding`, with the current key and without a share.
    pub async fn seal(&self, pair: &TokenPair, binding: Binding<'_>) -> Result<SealedPair, Error> {
        self.sealer().await?.seal(pair, binding)
    }

    /// The current key, cached: sealing with it does not wait.
    pub async fn sealer(&self) -> Result<Sealer, Error> {
        Ok(Sealer { ring: self.ring().await?, random: self.random.clone(), share: None })
    }

    /// Opens the access token of `pair`, which was sealed for `row`.
    pub async fn open_access(&self, pair: &SealedPair, row: &str) -> Result<AccessToken, Error> {
        let binding = Binding { row, version: pair.version };
        Ok(AccessToken::new(self.open(&pair.access, binding, "access", None).await?))
    }

    /// Opens the refresh token of `pair`, which was sealed for `row`.
    pub async fn open_refresh(
        &self,
        pair: &SealedPair,
        row: &str,
        share: &RefreshKeyShare,
    ) -> Result<RefreshToken, Error> {
        let binding = Binding { row, version: pair.version };
        Ok(RefreshToken::new(self.open(&pair.refresh, binding, "refresh", Some(share)).await?))
    }

    /// Opens both tokens of `pair`, which was sealed for `row`.
    pub async fn open_pair(
        &self,
        pair: &SealedPair,
        row: &str,
        share: &RefreshKeyShare,
    ) -> Result<TokenPair, Error> {
        let access = self.open_access(pair, row).await?;
        let refresh = self.open_refresh(pair, row, share).await?;
        Ok(TokenPair { access, refresh })
    }

    async fn open(
        &self,
        sealed: &SealedText,
        binding: Binding<'_>,
        field: &str,
        share: Option<&RefreshKeyShare>,
    ) -> Result<String, Error> {
        let ring = self.ring().await?;
        if ring.knows(sealed) || self.secret.is_none() {
            return ring.open(sealed, binding, field, share);
        }
        *self.ring.write().await = None; // a key was added since this process started
        self.ring().await?.open(sealed, binding, field, share)
    }

    async fn ring(&self) -> Result<Arc<KeyRing>, Error> {
        if let Some(cached) = self.ring.read().await.as_ref().filter(|cached| self.is_fresh(cached)) {
            return Ok(cached.ring.clone());
        }
        let mut slot = self.ring.write().await;
        if let Some(cached) = slot.as_ref().filter(|cached| self.is_fresh(cached)) {
            return Ok(cached.ring.clone()); // somebody else read it meanwhile
        }
        let ring = match (self.read_ring().await, slot.as_ref()) {
            (Ok(ring), _) => Arc::new(ring),
            // If the new ring cannot be read, the old one is still used.
            (Err(error), Some(cached)) => {
                tracing::warn!(error = %chain(&error), "the key ring could not be read again");
                cached.ring.clone()
            }
            (Err(error), None) => return Err(error),
        };
        *slot = Some(CachedRing { read_at: self.clock.now(), ring: ring.clone() });
        Ok(ring)
    }

    fn is_fresh(&self, cached: &CachedRing) -> bool {
        self.secret.is_none() || self.clock.now().duration_since(cached.read_at).abs() < MAX_AGE
    }

    async fn read_ring(&self) -> Result<KeyRing, Error> {
        let (client, name) = self.secret.as_ref().ok_or(Error::NoKeyRing)?;
        let read = client.get_secret_value().secret_id(name).send().await;
        let value = read.map_err(|error| Error::Unreachable(error.into()))?;
        let json = value.secret_string.map(SecretString::from).ok_or(Error::MalformedKeyRing)?;
        KeyRing::parse(&json)
    }
}

impl KeyRing {
    fn parse(json: &SecretString) -> Result<Self, Error> {
        let mut entries: BTreeMap<String, SecretString> =
            serde_json::from_str(json.expose_secret()).map_err(|_| Error::MalformedKeyRing)?;
        let current = entries.remove("current").ok_or(Error::MalformedKeyRing)?.expose_secret().to_owned();
        let keys = entries
            .into_iter()
            .map(|(id, material)| {
                let key = Key::new(material).filter(|_| !id.starts_with(SHARED));
                Ok((id, key.ok_or(Error::MalformedKeyRing)?))
            })
            .collect::<Result<BTreeMap<_, _>, Error>>()?;
        if keys.contains_key(&current) { Ok(Self { current, keys }) } else { Err(Error::MalformedKeyRing) }
    }

    fn knows(&self, sealed: &SealedText) -> bool {
        sealed.parts().is_some_and(|(id, _)| self.keys.contains_key(id.strip_prefix(SHARED).unwrap_or(id)))
    }

    /// The key with the id `id` from a sealed text.
    fn key(&self, id: &str, share: Option<&RefreshKeyShare>) -> Option<LessSafeKey> {
        match id.strip_prefix(SHARED) {
            Some(id) => self.keys.get(id)?.with(share?),
            None => Some(self.keys.get(id)?.plain.clone()),
        }
    }

    fn seal(
        &self,
        text: &str,
        binding: Binding<'_>,
        field: &str,
        share: Option<&RefreshKeyShare>,
        random: &Random,
    ) -> Result<SealedText, Error> {
        let id = match share {
            Some(_) => format!("{SHARED}{}", self.current),
            None => self.current.clone(),
        };
        let key = self.key(&id, share).ok_or(Error::MalformedKeyRing)?;
        let nonce: [u8; NONCE_LEN] = random.bytes();
        let mut sealed = text.as_bytes().to_vec();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad(binding, field), &mut sealed)
            .map_err(|_| Error::MalformedKeyRing)?;
        let ciphertext = encoding::url_base64(&[&nonce, sealed.as_slice()].concat());
        Ok(SealedText::new(&id, &ciphertext))
    }

    fn open(
        &self,
        sealed: &SealedText,
        binding: Binding<'_>,
        field: &str,
        share: Option<&RefreshKeyShare>,
    ) -> Result<String, Error> {
        let open = || {
            let (id, bytes) = sealed.parts()?;
            let mut bytes = Zeroizing::new(encoding::from_url_base64(bytes)?);
            let (nonce, ciphertext) = bytes.split_at_mut_checked(NONCE_LEN)?;
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let text = self.key(id, share)?.open_in_place(nonce, aad(binding, field), ciphertext).ok()?;
            String::from_utf8(text.to_vec()).ok()
        };
        open().ok_or_else(|| Error::DecryptionFailed(format!("{} ({field})", binding.row)))
    }
}

fn aad(binding: Binding<'_>, field: &str) -> Aad<String> {
    Aad::from(format!("tokens|{}|{field}|{}", binding.row, binding.version))
}

impl Key {
    /// The ring holds a text that CloudFormation generated, not a key: HKDF derives the key from it (RFC 5869).
    fn new(material: SecretString) -> Option<Self> {
        if material.expose_secret().len() < MIN_KEY_CHARS {
            return None;
        }
        Some(Self { plain: derive(&material, &[], HKDF_INFO)?, material })
    }

    /// The key that is derived from both parts. The share is the salt, which is the key of HKDF's first step: without it
    /// the result cannot be computed.
    fn with(&self, share: &RefreshKeyShare) -> Option<LessSafeKey> {
        derive(&self.material, share.expose().as_bytes(), HKDF_REFRESH_INFO)
    }
}

fn derive(material: &SecretString, salt: &[u8], info: &[&[u8]]) -> Option<LessSafeKey> {
    let secret = Salt::new(HKDF_SHA256, salt).extract(material.expose_secret().as_bytes());
    Some(LessSafeKey::new(UnboundKey::from(secret.expand(info, &AES_256_GCM).ok()?)))
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
        let sealed = ring.seal("pina_planted", PLACE, "access", None, &Random::system()).unwrap();

        assert!(sealed.parts().is_some_and(|(key, text)| key == "k1" && !text.contains("planted")));
        assert_eq!(ring.open(&sealed, PLACE, "access", None).unwrap(), "pina_planted");
        assert!(ring.open(&sealed, PLACE, "refresh", None).is_err());
        assert!(ring.open(&sealed, Binding { row: "ch_2", ..PLACE }, "access", None).is_err());
        assert!(ring.open(&sealed, Binding { version: 4, ..PLACE }, "access", None).is_err());
    }

    #[test]
    fn a_refresh_token_opens_with_the_share_of_its_key_and_without_it_never() {
        let (ring, share) = (ring("k1"), RefreshKeyShare::new("s".repeat(43)));
        let sealed = ring.seal("pinr_planted", PLACE, "refresh", Some(&share), &Random::system()).unwrap();

        assert!(sealed.parts().is_some_and(|(key, _)| key == "~k1") && ring.knows(&sealed));
        assert_eq!(ring.open(&sealed, PLACE, "refresh", Some(&share)).unwrap(), "pinr_planted");
        assert!(ring.open(&sealed, PLACE, "refresh", None).is_err());
        let other = RefreshKeyShare::new("t".repeat(43));
        assert!(ring.open(&sealed, PLACE, "refresh", Some(&other)).is_err());
        // Removing the mark does not help: without it, another key is derived.
        let (_, ciphertext) = sealed.parts().unwrap();
        assert!(ring.open(&SealedText::new("k1", ciphertext), PLACE, "refresh", Some(&share)).is_err());
    }

    #[test]
    fn a_refresh_token_that_was_sealed_without_a_share_still_opens() {
        let (ring, share) = (ring("k1"), RefreshKeyShare::new("s".repeat(43)));
        let sealed = ring.seal("old", PLACE, "refresh", None, &Random::system()).unwrap();
        assert_eq!(ring.open(&sealed, PLACE, "refresh", Some(&share)).unwrap(), "old");
    }

    #[test]
    fn old_ciphertexts_still_open_after_a_rotation() {
        let sealed = ring("k1").seal("old", PLACE, "access", None, &Random::system()).unwrap();
        assert_eq!(ring("k2").open(&sealed, PLACE, "access", None).unwrap(), "old");
    }

    #[test]
    fn a_key_may_have_dots_in_its_name() {
        let json = format!(r#"{{"current":"2026.12.01","2026.12.01":"{}"}}"#, "a".repeat(64));
        let ring = KeyRing::parse(&json.into()).unwrap();
        let sealed = ring.seal("text", PLACE, "access", None, &Random::system()).unwrap();
        assert!(ring.knows(&sealed));
        assert_eq!(ring.open(&sealed, PLACE, "access", None).unwrap(), "text");
    }

    #[test]
    fn a_changed_ciphertext_does_not_open() {
        let ring = ring("k1");
        let sealed = ring.seal("text", PLACE, "access", None, &Random::system()).unwrap();
        let ciphertext = serde_json::to_value(&sealed).unwrap().as_str().unwrap().to_owned();
        for binding in 0..ciphertext.len() {
            let mut changed = ciphertext.clone().into_bytes();
            changed[binding] = if changed[binding] == b'A' { b'B' } else { b'A' };
            let changed = serde_json::from_value(String::from_utf8(changed).unwrap().into()).unwrap();
            assert!(ring.open(&changed, PLACE, "access", None).is_err(), "byte {binding}");
        }
    }

    #[test]
    fn a_ring_without_its_current_key_or_with_a_weak_one_is_refused() {
        const MARKED: &str = r#"{"current":"~k1","~k1":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#;
        for invalid_ring in
            [r#"{"current":"k1"}"#, r#"{"k1":"x"}"#, r#"{"current":"k1","k1":"short"}"#, MARKED, "[]", ""]
        {
            assert!(KeyRing::parse(&invalid_ring.to_owned().into()).is_err(), "{invalid_ring}");
        }
    }
}
