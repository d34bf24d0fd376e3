//! `publish`: accepts a Pin and publishes it now, or stores it until its time.

mod bulk;
mod files;
mod idempotency;
mod media_check;
mod upload;
mod validate;

use std::future;

use delivery::{ChannelSession, PinPublisher};
use domain::{
    Channel, DigitalSource, DisclosurePolicy, MediaId, Pin, PinGroup, PinId, PinRequest, State, TenantId,
    delivery::Input,
};
use edge::{
    ApiRequest, Body, Caller, Handler, Response, SiteConfig, created, csv_file, json, located, no_content,
    not_found, ok, with_status,
};
use futures_util::TryStreamExt as _;
use http::StatusCode;
use jiff::Timestamp;
use platform::{Clock, Random, chain};
use store::{ChannelSnapshot, IdempotencyRecord, MainTable, WriteOutcome};
use tokio::{join, time::Instant};

use self::files::{check_files, digital_source, uploaded_files};
pub use self::{
    bulk::BulkView,
    upload::{NewUpload, UploadView},
    validate::Validated,
};
pub(super) use self::{files::keep_files, media_check::check_addresses};
use super::{NewPin, PinView, readable::readable, requests::ValidPin};
use crate::{
    error::{Error, Result},
    limits::TenantLimits,
    operations::PublishOperation,
    parameters::FETCH_MEDIA,
    setup::Setup,
};

/// What `publish` may use: everything for publishing, and the bucket.
#[derive(Debug)]
pub struct Publish {
    publisher: PinPublisher,
    main: MainTable,
    limits: TenantLimits,
    disclosures: DisclosurePolicy,
    site: SiteConfig,
    clock: Clock,
    random: Random,
}

impl Publish {
    #[must_use]
    pub fn new(publisher: PinPublisher, setup: &Setup) -> Self {
        let main = publisher.sessions.main.clone();
        let (site, clock, random) = (setup.site(), setup.clock.clone(), setup.random.clone());
        let limits = TenantLimits::new(main.clone(), setup);
        Self { publisher, main, limits, disclosures: setup.disclosures, site, clock, random }
    }

    /// Reads, checks, writes, sends. Every check comes before the first write.
    async fn create(&self, caller: &Caller, new_pin: NewPin, key: Option<IdempotencyRecord>) -> Result<Pin> {
        let (now, channel_id) = (self.clock.now(), new_pin.channel()?);
        let request = new_pin.validate(now, self.new_media_id(now));
        // The key of a valid request is stored, the key of an invalid one is only looked up.
        let (new_key, known_key) = if request.is_ok() { (key.as_ref(), None) } else { (None, key.as_ref()) };
        // The limits and the key are written in parallel with the reads, so that they take no extra time.
        let (snapshot, within_limits, used) = join!(
            self.publisher.sessions.read_snapshot(
                &caller.tenant,
                &channel_id,
                known_key.map(|key| key.hash.as_str())
            ),
            self.limits.use_pins(&caller.tenant, 1),
            self.claim(&caller.tenant, new_key),
        );
        let is_stored = new_key.is_some() && matches!(used, Ok(None));
        let known_record = snapshot.as_ref().ok().and_then(|snapshot| snapshot.used.clone());
        let used = used?.or(known_record.filter(|used| used.expires_at > now.as_second()));
        let mut id = key.as_ref().map_or_else(|| self.new_pin_id(now), |key| key.pin_id.clone());
        // Before any check: a request that was accepted once is not refused because its time is now in the past.
        if let (Some(key), Some(mut used)) = (&key, used) {
            if let Some(pin) = self.repeated(&caller.tenant, key, &used).await? {
                return Ok(pin);
            }
            used.hash.clone_from(&key.hash);
            if request.is_ok() && !self.main.adopt_key(&caller.tenant, &used).await? {
                return Err(Error::Busy);
            }
            id = used.pin_id;
        }
        let prepared = async {
            within_limits?;
            self.prepare_pin(&caller.tenant, id, request?, snapshot?, now).await
        };
        match Box::pin(prepared).await {
            Ok((pin, session)) => self.begin(pin, &session).await,
            Err(error) => {
                if let Some(key) = key.filter(|_| is_stored) {
                    self.release(&caller.tenant, &key).await;
                }
                Err(error)
            }
        }
    }

    /// The Pin of a request, after all checks, with its files stored.
    async fn prepare_pin(
        &self,
        tenant: &TenantId,
        id: PinId,
        mut request: ValidPin,
        snapshot: ChannelSnapshot,
        now: Timestamp,
    ) -> Result<(Pin, ChannelSession)> {
        check_addresses(request.media(), &self.publisher.fetch)?;
        let (channel, session) = self.open_session(snapshot).await?;
        let inline_image = request.inline_image.take();
        let requested_at = id.made_at().min(now);
        let mut pin = accept(id, tenant, &channel, request, requested_at)?;
        let source = if let Some(image) = &inline_image {
            DigitalSource::find(&image.content)
        } else {
            let files = self.look_at_files(&pin.tenant, uploaded_files(&pin.draft.media)).await?;
            check_files(&pin, &files)?;
            digital_source(&pin.draft.media, &files)
        };
        if let Some(source) = source {
            pin = pin.note_digital_source(source, self.disclosures, now);
        }
        self.take_files(&pin, inline_image.as_ref()).await?;
        Ok((pin, session))
    }

    /// A session of a channel that exists, while the integration runs.
    async fn open_session(&self, snapshot: ChannelSnapshot) -> Result<(Channel, ChannelSession)> {
        let sessions = &self.publisher.sessions;
        sessions
            .settings
            .resolve(snapshot.settings.as_ref())
            .map_err(delivery::Error::IntegrationDisabled)?;
        let channel = snapshot.channel.clone().ok_or_else(|| not_found::<Error>("channel"))?;
        Ok((channel, sessions.open_snapshot(snapshot).await?))
    }

    fn new_pin_id(&self, now: Timestamp) -> PinId {
        PinId::new(now, self.random.id_bytes())
    }

    /// The id of a file that is sent within a request.
    fn new_media_id(&self, now: Timestamp) -> MediaId {
        MediaId::new(now, self.random.id_bytes())
    }

    /// Writes the Pin with its first transition. Of several requests with one key, only one sends.
    async fn begin(&self, pin: Pin, session: &ChannelSession) -> Result<Pin> {
        let transition = self.publisher.decide(&pin, &Input::Due, session);
        let saved_at = Instant::now();
        match self.main.create_pin(&transition.pin).await? {
            WriteOutcome::Done => Ok(self.publisher.drive_from_saved(transition, saved_at, session).await?),
            WriteOutcome::VersionConflict | WriteOutcome::RemotePinTaken => {
                self.main.pin(&pin.tenant, &pin.id).await?.ok_or(Error::Busy)
            }
        }
    }

    /// 201 for a Pin that is at Pinterest, 202 for one that is scheduled or waits. A Pin that was refused for good is a
    /// problem, which names the Pins that will be refused for the same reason.
    async fn answer(&self, pin: &Pin) -> Result<Response<Body>> {
        match &pin.state {
            State::Failed { error } => {
                let is_gone = error.code == domain::failures::board_gone().code;
                let others = if is_gone { self.pins_of_same_board(pin).await } else { Vec::new() };
                Err(Error::Refused { failure: error.clone().into(), pin: Some(pin.id.clone()), others })
            }
            State::Published { .. } => Ok(located(created(&PinView::new(pin))?, &path_of(pin))),
            _ => Ok(located(with_status(StatusCode::ACCEPTED, &PinView::new(pin))?, &path_of(pin))),
        }
    }

    /// The channel's other Pins for the same board. If they cannot be read, the answer goes without them.
    async fn pins_of_same_board(&self, pin: &Pin) -> Vec<PinId> {
        let board = &pin.draft.board;
        let open =
            self.main.pins_of_channel(&pin.tenant, &pin.channel_id, PinGroup::Open, Timestamp::UNIX_EPOCH);
        let ids = readable(open).try_filter_map(|other| {
            future::ready(Ok((other.draft.board == *board).then(|| other.id.clone())))
        });
        ids.try_collect().await.unwrap_or_else(|error| {
            tracing::warn!(error = %chain(&error), "the board's other Pins could not be read");
            Vec::new()
        })
    }
}

fn path_of(pin: &Pin) -> String {
    format!("/api/v1/pins/{}", pin.id)
}

/// The Pin of a request, before its first transition.
fn accept(id: PinId, tenant: &TenantId, channel: &Channel, request: ValidPin, now: Timestamp) -> Result<Pin> {
    if !channel.scopes.missing().is_empty() {
        return Err(Error::refused(domain::failures::invalid_scope(channel.environment)));
    }
    let (publish_at, give_up_at) = (request.publish_at, request.give_up_at);
    let draft = request.draft(channel.default_board.as_ref())?;
    let (tenant, channel_id) = (tenant.clone(), channel.id.clone());
    Ok(Pin::accept(PinRequest { id, tenant, channel_id, draft, publish_at, give_up_at }, now))
}

impl Handler for Publish {
    type Operation = PublishOperation;
    type Error = Error;

    fn site(&self) -> &SiteConfig {
        &self.site
    }

    async fn first_tenant_claim(&self) -> Result<Option<&str>> {
        Ok(self.publisher.sessions.main.first_tenant_claim(self.clock.now()).await?)
    }

    async fn prepare(&self) -> Result<()> {
        let sessions = &self.publisher.sessions;
        let pinterest = async {
            sessions.main.prepare(self.clock.now()).await?;
            match sessions.settings.active(self.clock.now()).await {
                Ok(integration) => Ok(sessions.pinterest.connect(integration.environment).await?),
                Err(delivery::Error::IntegrationDisabled(_)) => Ok(()),
                Err(error) => Err(Error::from(error)),
            }
        };
        // The settings are read first: they name Pinterest's address. So there is no second connection to DynamoDB to wait for.
        let (pinterest, key_ring) = join!(pinterest, sessions.vault.sealer());
        key_ring.map_err(delivery::Error::from)?;
        pinterest
    }

    async fn handle(&self, operation: PublishOperation, request: ApiRequest) -> Result<Response<Body>> {
        match operation {
            PublishOperation::Create => {
                let new_pin = json(&request)?;
                let key = self.idempotency_key(&request)?;
                self.answer(&Box::pin(self.create(request.caller()?, new_pin, key)).await?).await
            }
            PublishOperation::Validate => {
                let new_pin = json(&request)?;
                let fetch_media = request.flag(&FETCH_MEDIA)?;
                Ok(ok(&Box::pin(self.validate(request.caller()?, new_pin, fetch_media)).await?)?)
            }
            PublishOperation::Bulk => Ok(ok(&Box::pin(self.bulk(&request)).await?)?),
            PublishOperation::BulkTemplate => Ok(csv_file(self.bulk_template())),
            PublishOperation::Upload => {
                Ok(created(&self.upload(request.caller()?, &json(&request)?).await?)?)
            }
            PublishOperation::DeleteMedia => {
                self.delete_media(&request.caller()?.tenant, &request.id("file")?).await?;
                Ok(no_content())
            }
        }
    }
}
