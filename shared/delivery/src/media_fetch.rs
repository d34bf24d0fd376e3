//! Fetching media from the addresses that callers gave.

use std::sync::{Arc, OnceLock};

use platform::{InvalidVariable, Variables, network};

/// A client of its own for media, which is built when it is first needed: most processes never fetch anything.
#[derive(Clone, Debug)]
pub struct MediaFetch {
    variables: Variables,
    allowed: fetch::Allowed,
    client: Arc<OnceLock<fetch::SafeClient>>,
}

impl MediaFetch {
    pub fn new(variables: &Variables) -> Result<Self, InvalidVariable> {
        let hosts = "hosts, each with a port if need be, separated by commas";
        let allowed = variables.parse("PINWRIGHT_FETCH_ALLOW", hosts)?.unwrap_or_default();
        Ok(Self { variables: variables.clone(), allowed, client: Arc::default() })
    }

    /// The client, which fetches nothing from private addresses.
    pub fn client(&self) -> Result<&fetch::SafeClient, network::Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let tls = network::tls(&self.variables)?;
        let client = fetch::SafeClient::new(tls, self.allowed.clone(), fetch::SystemResolver)?;
        Ok(self.client.get_or_init(|| client))
    }
}
