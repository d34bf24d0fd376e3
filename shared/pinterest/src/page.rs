//! Lists, which Pinterest gives page by page ([pagination](https://developers.pinterest.com/docs/reference/pagination/)).

use reqwest::RequestBuilder;
use serde::{Deserialize, de::DeserializeOwned};

use crate::{Client, Error, Fault};

/// The most that Pinterest gives at once.
pub(crate) const MAX_PAGE_SIZE: u16 = 250;
/// 25,000 things: an account has at most 2,000 boards.
const MAX_PAGES: usize = 100;

/// A part of a list.
#[derive(Clone, Debug, Deserialize)]
pub struct Page<T> {
    /// In Pinterest's order.
    pub items: Vec<T>,
    /// Asks for the next page. `None`: the list ends here.
    pub bookmark: Option<String>,
}

impl<T> Page<T> {
    /// The same page of other things.
    pub(crate) fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), bookmark: self.bookmark }
    }
}

impl Client {
    /// Asks `list` for the page at `bookmark`, of at most `size` things.
    ///
    /// An empty page is the last one, whatever its bookmark says: Pinterest's own sample code stops there too.
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
        let Page { items, bookmark } = self.send(list).await?.json::<Page<T>>()?;
        let bookmark = bookmark.filter(|bookmark| !bookmark.is_empty() && !items.is_empty());
        Ok(Page { items, bookmark })
    }

    /// Asks for all pages of the list that `list` begins to ask for.
    pub(crate) async fn pages<T: DeserializeOwned>(
        &self,
        list: impl Fn() -> RequestBuilder,
    ) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        let mut bookmark: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let page = self.page(list(), MAX_PAGE_SIZE, bookmark.as_deref()).await?;
            all.extend(page.items);
            if page.bookmark.is_none() {
                return Ok(all);
            }
            if page.bookmark == bookmark {
                break;
            }
            bookmark = page.bookmark;
        }
        Err(Error::unknown(domain::ResponseMeta::default(), Fault::Endless))
    }
}
