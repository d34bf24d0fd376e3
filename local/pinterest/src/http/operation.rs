//! The operations of the API, and what each requires of a token.

use serde::{Deserialize, Serialize};

use super::refusal::Refusal;

/// An operation of Pinterest's API. A [`Fault`](crate::Fault) can make it fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `POST /oauth/token`
    Token,
    /// `GET /user_account`
    UserAccount,
    /// `GET /user_account/analytics`
    AccountAnalytics,
    /// `GET /user_account/analytics/top_pins`
    TopPins,
    /// `GET /boards`
    ListBoards,
    /// `POST /boards`
    CreateBoard,
    /// `GET /boards/{board_id}`
    GetBoard,
    /// `DELETE /boards/{board_id}`
    DeleteBoard,
    /// `GET /boards/{board_id}/sections`
    ListSections,
    /// `POST /boards/{board_id}/sections`
    CreateSection,
    /// `GET /boards/{board_id}/pins`
    ListBoardPins,
    /// `GET /pins`
    ListPins,
    /// `POST /pins`
    CreatePin,
    /// `GET /pins/{pin_id}`
    GetPin,
    /// `DELETE /pins/{pin_id}`
    DeletePin,
    /// `GET /pins/{pin_id}/analytics`
    PinAnalytics,
    /// `POST /media`
    RegisterMedia,
    /// `GET /media`
    ListMedia,
    /// `GET /media/{media_id}`
    GetMedia,
    /// The form upload to the address that `POST /media` returned, which is outside the API.
    UploadMedia,
}

/// An operation and the one id that its path may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    pub(crate) operation: Operation,
    pub(crate) id: &'a str,
}

impl<'a> Target<'a> {
    /// Finds the operation of `method` on `path` (after `/v5`).
    pub(crate) fn parse(method: &str, path: &'a str) -> Result<Self, Refusal> {
        let for_method = |method| match_route(method, path).map(|(operation, id)| Self { operation, id });
        for_method(method).ok_or_else(|| {
            let known_path = ["GET", "POST", "DELETE"].into_iter().any(|other| for_method(other).is_some());
            if known_path { Refusal::MethodNotAllowed } else { Refusal::NoSuchPath }
        })
    }
}

fn match_route<'a>(method: &str, path: &'a str) -> Option<(Operation, &'a str)> {
    let path = path.trim_start_matches('/');
    Operation::ALL.into_iter().find_map(|operation| {
        let (of_method, template) = operation.route();
        let mut id = "";
        let mut segments = path.split('/');
        let is_like = template[1..].split('/').all(|part| match segments.next() {
            Some(segment) if part.starts_with('{') => {
                id = segment;
                true
            }
            segment => segment == Some(part),
        });
        (of_method == method && is_like && segments.next().is_none()).then_some((operation, id))
    })
}

impl Operation {
    /// Those of the API: all but the upload.
    pub(crate) const ALL: [Self; 19] = [
        Self::Token,
        Self::UserAccount,
        Self::AccountAnalytics,
        Self::TopPins,
        Self::ListBoards,
        Self::CreateBoard,
        Self::GetBoard,
        Self::DeleteBoard,
        Self::ListSections,
        Self::CreateSection,
        Self::ListBoardPins,
        Self::ListPins,
        Self::CreatePin,
        Self::GetPin,
        Self::DeletePin,
        Self::PinAnalytics,
        Self::RegisterMedia,
        Self::ListMedia,
        Self::GetMedia,
    ];

    /// Its method and its path, as in the description.
    pub(crate) const fn route(self) -> (&'static str, &'static str) {
        match self {
            Self::Token => ("POST", "/oauth/token"),
            Self::UserAccount => ("GET", "/user_account"),
            Self::AccountAnalytics => ("GET", "/user_account/analytics"),
            Self::TopPins => ("GET", "/user_account/analytics/top_pins"),
            Self::ListBoards => ("GET", "/boards"),
            Self::CreateBoard => ("POST", "/boards"),
            Self::GetBoard => ("GET", "/boards/{board_id}"),
            Self::DeleteBoard => ("DELETE", "/boards/{board_id}"),
            Self::ListSections => ("GET", "/boards/{board_id}/sections"),
            Self::CreateSection => ("POST", "/boards/{board_id}/sections"),
            Self::ListBoardPins => ("GET", "/boards/{board_id}/pins"),
            Self::ListPins => ("GET", "/pins"),
            Self::CreatePin => ("POST", "/pins"),
            Self::GetPin => ("GET", "/pins/{pin_id}"),
            Self::DeletePin => ("DELETE", "/pins/{pin_id}"),
            Self::PinAnalytics => ("GET", "/pins/{pin_id}/analytics"),
            Self::RegisterMedia => ("POST", "/media"),
            Self::ListMedia => ("GET", "/media"),
            Self::GetMedia => ("GET", "/media/{media_id}"),
            Self::UploadMedia => ("POST", "/upload/"),
        }
    }

    /// The scopes that the contract requires of a token for this operation.
    pub(crate) fn required_scopes(self) -> &'static [&'static str] {
        match self {
            Self::Token | Self::UploadMedia => &[],
            Self::UserAccount | Self::AccountAnalytics => &["user_accounts:read"],
            Self::TopPins => &["pins:read", "user_accounts:read"],
            Self::ListBoards | Self::GetBoard | Self::ListSections => &["boards:read"],
            Self::CreateBoard | Self::DeleteBoard | Self::CreateSection => &["boards:read", "boards:write"],
            Self::ListBoardPins | Self::ListPins | Self::GetPin | Self::PinAnalytics => {
                &["boards:read", "pins:read"]
            }
            Self::CreatePin | Self::DeletePin => &["boards:read", "boards:write", "pins:read", "pins:write"],
            Self::RegisterMedia => &["pins:read", "pins:write"],
            Self::ListMedia | Self::GetMedia => &["pins:read"],
        }
    }

    /// Whether the contract has this operation on the sandbox host too (`x-sandbox`).
    pub(crate) fn is_in_sandbox(self) -> bool {
        !matches!(self, Self::AccountAnalytics | Self::TopPins | Self::PinAnalytics)
    }

    /// Whether the contract accepts a client-credentials token (`pinc…`) here.
    pub(crate) fn accepts_client_credentials(self) -> bool {
        !matches!(
            self,
            Self::AccountAnalytics
                | Self::DeleteBoard
                | Self::CreateSection
                | Self::RegisterMedia
                | Self::ListMedia
                | Self::GetMedia
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Operation, Target};
    use crate::http::Refusal;

    #[test]
    fn a_path_and_a_method_make_an_operation() {
        let target = Target::parse("GET", "/boards/12/sections");

        assert_eq!(target, Ok(Target { operation: Operation::ListSections, id: "12" }));
    }

    #[test]
    fn a_known_path_with_another_method_differs_from_an_unknown_path() {
        assert_eq!(Target::parse("PUT", "/boards"), Err(Refusal::MethodNotAllowed));
        assert_eq!(Target::parse("GET", "/bords"), Err(Refusal::NoSuchPath));
    }
}
