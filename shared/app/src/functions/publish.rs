//! `publish`: takes a Pin and publishes it now, or keeps it until its time.

mod bulk;
mod change;
mod desk;
mod media;
mod reach;
mod request;
mod rows;
mod upload;
mod validate;
mod when;

use ::http::StatusCode;
use domain::{Channel, Class, File, MediaId, Pin, PinId, PinRequest, State, TenantId, delivery::Happened};
use jiff::Timestamp;
use tokio::{join, time::Instant};

pub use self::{
    bulk::BulkView,
    change::ChangePin,
    request::NewPin,
    upload::{NewUpload, UploadView},
    validate::Validated,
};
use self::{media::Enclosed, request::Checked};
use super::{
    PinView,
    sending::{Ground, Sender},
};
use crate::{
    error::{Error, Result},
    http::{self, Answer, Call, Caller, Response, Site},
    parameters::FETCH_MEDIA,
    routes::Operation,
    setup::Setup,
    store::{Briefing, Key, Put},
    text,
};

/// How long a key is remembered.
const KEY_DAYS: i64 = 7;

/// What `publish` may touch: what sending may, and the bucket.
#[derive(Debug)]
pub struct Publish {
    sender: Sender,
    site: Site,
}

impl Publish {
    /// Of its parts.
    #[must_use]
    pub fn new(sender: Sender, setup: &Setup) -> Self {
        Self { sender, site: setup.site() }
    }

    /// Reads, checks, writes, sends, settles. What can be refused is refused before anything is written.
    async fn create(&self, caller: &Caller, wanted: NewPin, key: Option<Key>) -> Result<Pin> {
        let Sender { main, tokens, clock, .. } = &self.sender;
        let now = clock.now();
        let channel_id = wanted.channel()?;
        let key_hash = key.as_ref().map(|key| key.hash.as_str());
        let briefing = main.briefing(tokens, &caller.tenant, &channel_id, key_hash, now).await?;
        // Before any rule: what was accepted once is not refused because its time has come since.
        if let (Some(key), Some(used)) = (&key, &briefing.used)
            && used.expires_at > now.as_second()
        {
            return self.repeated(&caller.tenant, key, used).await;
        }
        let mut request = wanted.check(now, self.fresh(now))?;
        let (channel, ground) = self.open(briefing).await?;
        let enclosed = request.enclosed.take();
        let mut pin = self.pin_of(&caller.tenant, &channel, request, now)?;
        self.take_files(&pin, enclosed.as_ref()).await?;
        if let Some(key) = &key {
            pin.id = key.pin_id.clone();
        }
        self.begin(pin, key, &ground).await
    }

    /// A channel that is there, while the integration runs.
    async fn open(&self, briefing: Briefing) -> Result<(Channel, Ground)> {
        self.sender.settings.of(briefing.settings.as_ref()).map_err(Error::IntegrationDisabled)?;
        let channel = briefing.channel.clone().ok_or(Error::NotFound("channel"))?;
        Ok((channel, self.sender.ground(briefing).await?))
    }

    /// A name for a file that comes with a request.
    fn fresh(&self, now: Timestamp) -> MediaId {
        MediaId::new(now, self.sender.random.entropy())
    }

    /// Keeps the image that came with the request for a Pin, and looks at those that were uploaded before.
    async fn take_files(&self, pin: &Pin, enclosed: Option<&Enclosed>) -> Result<()> {
        let bucket = &self.sender.bucket;
        if let Some(Enclosed { id, kind, content }) = enclosed {
            return Ok(bucket.keep(&pin.tenant, id, *kind, content.clone()).await?);
        }
        for (field, file, is_video) in pin.draft.media.files() {
            if let File::Uploaded { media_id } = file {
                let stored = bucket.look(&pin.tenant, media_id).await?;
                stored.ok_or(Error::NotFound("file"))?.check(&field, is_video)?;
            }
        }
        Ok(())
    }

    /// The Pin that `request` asks for, before its first step.
    fn pin_of(&self, tenant: &TenantId, channel: &Channel, request: Checked, now: Timestamp) -> Result<Pin> {
        if !channel.scopes.missing().is_empty() {
            let failure = domain::words::invalid_scope(channel.environment);
            return Err(Error::refused(failure));
        }
        let (publish_at, give_up_at) = (request.publish_at, request.give_up_at);
        let draft = request.draft(channel.default_board.as_ref())?;
        let id = PinId::new(now, self.sender.random.entropy());
        let (tenant, channel_id) = (tenant.clone(), channel.id.clone());
        let request = PinRequest { id, tenant, channel_id, draft, publish_at, give_up_at };
        Ok(Pin::accept(request, now))
    }

    /// Writes the Pin with its first step taken; of several requests with one key, one gets to send.
    async fn begin(&self, pin: Pin, key: Option<Key>, ground: &Ground) -> Result<Pin> {
        let Sender { main, clock, decide, .. } = &self.sender;
        let now = clock.now();
        let decision = decide(&pin, &Happened::Due, &self.sender.conditions(ground), now);
        let saved_at = Instant::now();
        match main.create_pin(&decision.pin, key.as_ref(), now.as_second()).await? {
            Put::Done => self.sender.carry_saved(decision.pin, decision.next, saved_at, ground).await,
            Put::Used(used) => {
                let key = key.ok_or(Error::Busy)?;
                self.repeated(&pin.tenant, &key, &used).await
            }
            Put::Stale | Put::Taken => Err(Error::Busy),
        }
    }

    /// The Pin that the first request with this key made.
    async fn repeated(&self, tenant: &TenantId, key: &Key, used: &Key) -> Result<Pin> {
        if key.body_hash != used.body_hash {
            return Err(Error::KeyReused);
        }
        let pin = self.sender.main.pin(tenant, &used.pin_id).await?;
        pin.ok_or(Error::NotFound("Pin"))
    }

    /// 201 for what is at Pinterest, 202 for what is on its way; what was refused for good is a problem, and names the
    /// Pins that will be refused for the same.
    async fn outcome(&self, pin: &Pin) -> Result<Response<lambda_http::Body>> {
        match &pin.state {
            State::Failed { error } => {
                let is_gone = error.code == domain::words::board_gone().code;
                let others = if is_gone { self.of_the_same_board(pin).await } else { Vec::new() };
                Err(Error::Refused { failure: error.clone(), pin: Some(pin.id.clone()), others })
            }
            State::Published { .. } => http::created(&PinView::of(pin)),
            _ => http::with_status(StatusCode::ACCEPTED, &PinView::of(pin)),
        }
    }

    /// The channel's other Pins for the same board. Not knowing them changes nothing of what is told of this one.
    async fn of_the_same_board(&self, pin: &Pin) -> Vec<PinId> {
        match self.sender.main.pins_of(&pin.tenant, &pin.channel_id, Class::Open).await {
            Ok(open) => {
                let there = open.into_iter().filter(|other| other.draft.board == pin.draft.board);
                there.map(|other| other.id).collect()
            }
            Err(error) => {
                tracing::warn!(error = %crate::error::chain(&error), "the board's other Pins could not be read");
                Vec::new()
            }
        }
    }

    /// The caller's key, bound to this body and to the id of the Pin that it would make.
    fn key(&self, call: &Call) -> Result<Option<Key>> {
        let Some(given) = call.header("idempotency-key") else {
            return Ok(None);
        };
        let given = given.unwrap_or_default();
        if !(1..=255).contains(&given.len()) || !given.bytes().all(|byte| (0x21..=0x7e).contains(&byte)) {
            let detail = "is not 1 to 255 visible ASCII characters";
            let fix = "Send a key such as a UUID, or none.";
            return Err(
                domain::Invalid::new("Idempotency-Key", "invalid_idempotency_key", detail, fix).into()
            );
        }
        let Sender { clock, random, .. } = &self.sender;
        let now = clock.now();
        // The same content is the same body, however it is spaced.
        let body: serde_json::Value = http::json(call)?;
        Ok(Some(Key {
            hash: text::sha256(given),
            pin_id: PinId::new(now, random.entropy()),
            body_hash: text::sha256(&body.to_string()),
            expires_at: now.as_second() + KEY_DAYS * 24 * 60 * 60,
        }))
    }
}

impl Answer for Publish {
    fn site(&self) -> &Site {
        &self.site
    }

    async fn prepare(&self) -> Result<()> {
        let Sender { settings, vault, pinterest, clock, .. } = &self.sender;
        let pinterest = async {
            match settings.enabled(clock.now()).await {
                Ok(enabled) => Ok(pinterest.connect(enabled.environment).await?),
                Err(Error::IntegrationDisabled(_)) => Ok(()),
                Err(error) => Err(error),
            }
        };
        let (pinterest, ring) = join!(pinterest, vault.sealer());
        ring?;
        pinterest
    }

    async fn answer(&self, call: Call) -> Result<Response<lambda_http::Body>> {
        match call.operation {
            Operation::CreatePin => {
                let wanted = http::json(&call)?;
                let key = self.key(&call)?;
                self.outcome(&Box::pin(self.create(call.caller()?, wanted, key)).await?).await
            }
            Operation::ValidatePin => {
                let wanted = http::json(&call)?;
                let fetch_media = call.flag(&FETCH_MEDIA)?;
                http::ok(&Box::pin(self.validate(call.caller()?, wanted, fetch_media)).await?)
            }
            Operation::BulkPins => http::ok(&Box::pin(self.bulk(&call)).await?),
            Operation::Upload => http::created(&self.upload(call.caller()?, &http::json(&call)?)?),
            _ => Err(Error::NotFound("address")),
        }
    }
}
