//! `pins`: lists, reads and changes Pins.

mod list;
mod move_board;
mod resolve;

use adapters::MediaBucket;
use delivery::MediaFetch;
use domain::{MediaId, Pin, WrongState};
use edge::{ApiRequest, Body, Handler, Response, SiteConfig, json, not_found, ok, with_status};
use http::StatusCode;
use platform::{Clock, Random};
use store::{MainTable, WriteOutcome};

pub use self::{
    list::PinPageView,
    move_board::{MovePins, MovedPins},
    resolve::ResolvePin,
};
use super::{
    ChangePin, PinView,
    publish::{check_addresses, keep_files},
};
use crate::{
    error::{Error, Result},
    operations::PinsOperation,
    setup::Setup,
};

/// What `pins` may use.
#[derive(Debug)]
pub struct Pins {
    main: MainTable,
    bucket: MediaBucket,
    /// Checks addresses; nothing is fetched here.
    fetch: MediaFetch,
    site: SiteConfig,
    clock: Clock,
    random: Random,
}

impl Pins {
    #[must_use]
    pub fn new(main: MainTable, bucket: MediaBucket, fetch: MediaFetch, setup: &Setup) -> Self {
        let (site, clock, random) = (setup.site(), setup.clock.clone(), setup.random.clone());
        Self { main, bucket, fetch, site, clock, random }
    }

    async fn read(&self, request: &ApiRequest) -> Result<Pin> {
        let pin = self.main.pin(&request.caller()?.tenant, &request.id("Pin")?).await?;
        pin.ok_or_else(|| not_found("Pin"))
    }

    async fn cancel(&self, request: &ApiRequest) -> Result<Pin> {
        let pin = self.read(request).await?;
        let cancelled = pin.cancel(self.clock.now())?;
        self.save_if_changed(pin, cancelled).await
    }

    async fn change(&self, request: &ApiRequest) -> Result<Pin> {
        let change: ChangePin = json(request)?;
        let pin = self.read(request).await?;
        let now = self.clock.now();
        let changed = pin.edit(now, |pin| {
            change.apply(pin, now, MediaId::new(now, self.random.id_bytes())).map_err(Error::from)
        })?;
        if let Some(changed) = changed.as_ref().filter(|changed| changed.draft.media != pin.draft.media) {
            check_addresses(&changed.draft.media, &self.fetch)?;
            keep_files(&self.bucket, changed).await?;
        }
        self.save_if_changed(pin, changed).await
    }

    async fn retry(&self, request: &ApiRequest) -> Result<Pin> {
        let pin = self.read(request).await?;
        self.save(pin.retry(self.clock.now())?).await
    }

    async fn save_if_changed(&self, before: Pin, after: Option<Pin>) -> Result<Pin> {
        match after {
            Some(after) => self.save(after).await,
            None => Ok(before),
        }
    }

    async fn save(&self, pin: Pin) -> Result<Pin> {
        if self.main.save_pin(&pin).await? != WriteOutcome::Done {
            return Err(changed_meanwhile());
        }
        Ok(pin)
    }
}

fn changed_meanwhile() -> Error {
    let detail = "the Pin has been changed by somebody else meanwhile".to_owned();
    WrongState { detail, fix: "Read it again." }.into()
}

impl Handler for Pins {
    type Operation = PinsOperation;
    type Error = Error;

    fn site(&self) -> &SiteConfig {
        &self.site
    }

    async fn first_tenant_claim(&self) -> Result<Option<&str>> {
        Ok(self.main.first_tenant_claim(self.clock.now()).await?)
    }

    async fn prepare(&self) -> Result<()> {
        self.main.prepare(self.clock.now()).await?;
        Ok(())
    }

    async fn handle(&self, operation: PinsOperation, request: ApiRequest) -> Result<Response<Body>> {
        Ok(match operation {
            PinsOperation::List => ok(&self.list(&request).await?)?,
            PinsOperation::Read => ok(&PinView::new(&self.read(&request).await?))?,
            PinsOperation::Change => ok(&PinView::new(&self.change(&request).await?))?,
            PinsOperation::Move => {
                ok(&self.move_to_board(&request.caller()?.tenant, json(&request)?).await?)?
            }
            PinsOperation::Cancel => ok(&PinView::new(&self.cancel(&request).await?))?,
            PinsOperation::Retry => {
                with_status(StatusCode::ACCEPTED, &PinView::new(&self.retry(&request).await?))?
            }
            PinsOperation::Resolve => {
                let found = json(&request)?;
                ok(&PinView::new(&self.resolve(self.read(&request).await?, found).await?))?
            }
        })
    }
}
