//! Links that Pinterest blocks. Such a refusal is about the page that the link leads to, and not about the account: the
//! Pin ends, and Pins without that link go on.

use super::{SideEffect, Transition, protocol::TransitionBuilder};
use crate::{Failure, ResponseMeta, failures};

impl TransitionBuilder<'_> {
    /// Pinterest blocks a link of the Pin. If its links have several hosts, it is not known which of them is meant.
    pub(super) fn link_blocked(self, response: &ResponseMeta) -> Transition {
        let hosts = self.pin.draft.link_hosts();
        let side_effect = if hosts.len() == 1 { SideEffect::CountBlockedLink } else { SideEffect::Nothing };
        let failure = failures::link_blocked(&hosts, response.message.as_deref());
        Transition { side_effect, ..self.fail(failure, response) }
    }

    /// The reason not to send the Pin: Pinterest has blocked several links to this host in a row.
    pub(super) fn resting_host(&self) -> Option<Failure> {
        self.pin.draft.link_hosts().iter().find_map(|host| {
            let until = self.context.blocked_links.rest_of(host, self.now)?;
            Some(failures::host_rests(host, until))
        })
    }

    /// A Pin with a link to a host that was blocked before was published: the block has ended.
    pub(super) fn forget_blocked_link(&self) -> SideEffect {
        match &self.pin.draft.link_hosts()[..] {
            [host] if self.context.blocked_links.has(host) => SideEffect::ForgetBlockedLink,
            _ => SideEffect::Nothing,
        }
    }
}
