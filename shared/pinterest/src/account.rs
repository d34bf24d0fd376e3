//! Reads the account that a token belongs to.

use domain::{AccessToken, Account, Environment, PinterestUserId};
use serde::Deserialize;

use crate::{Client, Error, lenient};

/// `Account` in the contract, where every field is optional. Without an id, accounts cannot be distinguished.
#[derive(Deserialize)]
struct UserAccount {
    #[serde(deserialize_with = "lenient::id")]
    id: PinterestUserId,
    #[serde(default, deserialize_with = "lenient::text")]
    username: Option<String>,
}

impl Client {
    /// The account that `token` acts for
    /// ([`GET /user_account`](https://developers.pinterest.com/docs/api/v5/user_account-get)).
    ///
    /// If Pinterest leaves the username out, the id is used instead.
    pub async fn user_account(
        &self,
        environment: Environment,
        token: &AccessToken,
    ) -> Result<Account, Error> {
        let request = self.get(environment, token, "user_account");
        let UserAccount { id, username } = self.send(request).await?.json()?;
        Ok(Account { username: username.unwrap_or_else(|| id.to_string()), pinterest_user_id: id })
    }
}
