//! Resolves names to addresses.

use std::{net::SocketAddr, sync::Arc};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::public::is_public;

/// Looks names up with the system's configuration, in the background.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // Port 0 stands for the port of the request.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(addresses(found.collect()))
        })
    }
}

/// A name has an address that is not on the public internet.
#[derive(Debug, thiserror::Error)]
#[error("the name has an address that is not public")]
pub(crate) struct NotPublic;

/// A name could not be looked up.
#[derive(Debug, thiserror::Error)]
#[error("the name could not be looked up")]
pub(crate) struct UnknownName(#[source] Box<dyn std::error::Error + Send + Sync>);

/// Passes on the answers of another resolver if every address in them is public: the client can connect only to these
/// addresses.
///
/// If one address is not public, the whole answer is refused. An honest host has no such address, and if the others were
/// used, the owner of the name could influence the connection.
pub(crate) struct PublicOnly(pub(crate) Arc<dyn Resolve>);

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let answer = self.0.resolve(name);
        Box::pin(async move {
            let found: Vec<SocketAddr> = answer.await.map_err(UnknownName)?.collect();
            if !found.iter().all(|address| is_public(address.ip())) {
                return Err(NotPublic.into());
            }
            Ok(addresses(found))
        })
    }
}

fn addresses(found: Vec<SocketAddr>) -> Addrs {
    Box::new(found.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct FixedAnswer(Vec<SocketAddr>);

    impl Resolve for FixedAnswer {
        fn resolve(&self, _: Name) -> Resolving {
            let found = addresses(self.0.clone());
            Box::pin(async { Ok(found) })
        }
    }

    async fn resolve_answer(answer: &str) -> Option<Vec<SocketAddr>> {
        let answer = answer.split(' ').map(|address| address.parse().unwrap()).collect();
        let resolution =
            PublicOnly(Arc::new(FixedAnswer(answer))).resolve("example.com".parse().unwrap()).await;
        resolution.ok().map(Iterator::collect)
    }

    #[tokio::test]
    async fn a_public_answer_is_passed_on_as_it_is() {
        let answer = ["9.9.9.9:0", "[2606:4700:4700::1111]:443", "1.1.1.1:1"];

        let resolution = resolve_answer(&answer.join(" ")).await.unwrap();

        assert_eq!(resolution.iter().map(ToString::to_string).collect::<Vec<_>>(), answer);
    }

    #[tokio::test]
    async fn one_private_address_spoils_an_answer_wherever_it_stands() {
        for answer in
            ["10.0.0.1:0", "10.0.0.1:0 1.1.1.1:0", "1.1.1.1:0 [::1]:0 9.9.9.9:0", "1.1.1.1:0 [fd00::1]:0"]
        {
            assert_eq!(resolve_answer(answer).await, None, "{answer}");
        }
    }
}
