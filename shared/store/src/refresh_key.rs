//! `SHARE`: the second share in the key of refresh tokens. The first function that needs it creates it, once. Few roles may
//! read it.

use domain::RefreshKeyShare;
use platform::encoding;
use serde::Deserialize;

use crate::{
    TokensTable,
    keys::RowKey,
    table::{Error, Item, item, row, s},
};

#[derive(Deserialize)]
struct Row {
    share: RefreshKeyShare,
}

impl TokensTable {
    /// The share, which never changes, so it is read once.
    pub async fn refresh_key_share(&self) -> Result<&RefreshKeyShare, Error> {
        self.refresh_key_share.get_or_try_init(|| self.read_or_make_share()).await
    }

    async fn read_or_make_share(&self) -> Result<RefreshKeyShare, Error> {
        let key = RowKey::refresh_key_share();
        if let Some(there) = self.table.get(&key).await? {
            return Ok(row::<Row>(there)?.share);
        }
        let share = encoding::url_base64(&self.table.random.bytes::<32>());
        let mut new = item(&key)?;
        new.insert("share".to_owned(), s(&share));
        match self.table.put_if(new, "attribute_not_exists(pk)", Item::new()).await? {
            Ok(()) => Ok(RefreshKeyShare::new(share)),
            Err(there) => Ok(row::<Row>(there.ok_or(Error::Contended)?)?.share),
        }
    }
}
