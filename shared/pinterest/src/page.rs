//! Lists, which Pinterest returns page by page ([pagination](https://developers.pinterest.com/docs/reference/pagination/)).

use std::collections::HashSet;

use reqwest::RequestBuilder;
use serde::{Deserialize, de::DeserializeOwned};

use crate::{Client, Error, Fault, lenient, lenient::Readable};

/// The largest page of Pinterest.
pub(crate) const MAX_PAGE_SIZE: u16 = 250;
/// 25,000 items: an account has at most 2,000 boards.
const MAX_PAGES: usize = 100;

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// In Pinterest's order.
    pub items: Vec<T>,
    /// The bookmark of the next page. `None`: the list ends here.
    pub bookmark: Option<String>,
}

/// `Paginated` in the contract.
#[derive(Deserialize)]
struct RawPage<T> {
    items: Readable<T>,
    #[serde(default, deserialize_with = "lenient::text")]
    bookmark: Option<String>,
}

impl Client {
    /// Requests the page of `list` at `bookmark`, of at most `size` items.
    ///
    /// An empty page is the last one, whatever its bookmark says: Pinterest's own sample code stops there too. Items that
    /// cannot be read are left out.
    pub(crate) async fn page<T: DeserializeOwned>(
        &self,
        list: RequestBuilder,
        size: u16,
        bookmark: Option<&str>,
    ) -> Result<Page<T>, Error> {
        let list = list.query(&[("page_size", size)]);
        let list = match bookmark {
            Some(bookmark) => list.query(&[("bookmark", bookmark)]),
            None => list,
        };
        let RawPage { items: Readable { items, odd }, bookmark } =
            self.send(list).await?.json::<RawPage<T>>()?;
        if odd > 0 {
            tracing::warn!(odd, "Pinterest has listed things that cannot be read");
        }
        let is_last = items.is_empty() && odd == 0;
        Ok(Page { items, bookmark: bookmark.filter(|bookmark| !bookmark.is_empty() && !is_last) })
    }

    /// Requests all pages of the list.
    pub(crate) async fn pages<T: DeserializeOwned>(
        &self,
        list: impl Fn() -> RequestBuilder,
    ) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        let mut bookmark: Option<String> = None;
        let mut seen = HashSet::new();
        for _ in 0..MAX_PAGES {
            let page = self.page(list(), MAX_PAGE_SIZE, bookmark.as_deref()).await?;
            all.extend(page.items);
            let Some(next) = page.bookmark else { return Ok(all) };
            if !seen.insert(next.clone()) {
                break; // it goes round in circles
            }
            bookmark = Some(next);
        }
        Err(Error::unknown(domain::ResponseMeta::default(), Fault::Endless))
    }
}
