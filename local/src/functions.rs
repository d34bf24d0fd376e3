//! The functions, built from the same parts as on Lambda.

use app::{
    Function, Result, Setup,
    handlers::{
        AdminSave, Analytics, Channels, Console, Deliver, Docs, Events, OauthCallback, OauthStart, Pins,
        Publish, Refresh,
    },
};
use edge::{Body, Request, Response, handle};

/// All functions of the stack.
pub struct Functions {
    admin_save: AdminSave,
    oauth_start: OauthStart,
    oauth_callback: OauthCallback,
    channels: Channels,
    publish: Publish,
    pins: Pins,
    analytics: Analytics,
    docs: Docs,
    console: Console,
    /// The worker that publishes the Pins that are due.
    pub deliver: Deliver,
    /// The worker that refreshes tokens.
    pub refresh: Refresh,
    /// Publishes changes of the table as events.
    pub events: Events,
}

impl Functions {
    /// Builds each function as its `main` does.
    pub fn new(setup: &Setup) -> Result<Self> {
        let (main, tokens, pinterest) = (setup.main_table()?, setup.tokens_table()?, setup.pinterest());
        let sessions = || Ok::<_, app::Error>(setup.sessions(main.clone(), tokens.clone(), setup.vault()?));
        let publisher =
            || Ok::<_, app::Error>(setup.publisher(sessions()?, setup.media_bucket()?, setup.media_fetch()?));
        Ok(Self {
            admin_save: AdminSave::new(setup.settings_secret()?, main.clone(), pinterest.clone(), setup),
            oauth_start: OauthStart::new(main.clone(), pinterest.clone(), setup),
            oauth_callback: OauthCallback::new(
                setup.settings_secret()?,
                setup.vault()?,
                main.clone(),
                tokens.clone(),
                pinterest.clone(),
                setup,
            ),
            channels: Channels::new(sessions()?, setup),
            publish: Publish::new(publisher()?, setup),
            pins: Pins::new(main.clone(), setup.media_bucket()?, setup.media_fetch()?, setup),
            analytics: Analytics::new(sessions()?, setup),
            docs: Docs::new(setup),
            console: Console::new(setup)?,
            deliver: Deliver::new(publisher()?, setup.workers()?, setup),
            refresh: Refresh::new(
                setup.settings_secret()?,
                setup.vault()?,
                main.clone(),
                tokens.clone(),
                setup.workers()?,
                pinterest.clone(),
                setup,
            ),
            events: Events::new(setup.event_bus()?),
        })
    }

    /// Answers a request as `function` does on Lambda.
    pub async fn answer(&self, function: Function, request: Request) -> Response<Body> {
        match function {
            Function::AdminSave => handle(&self.admin_save, request).await,
            Function::OauthStart => handle(&self.oauth_start, request).await,
            Function::OauthCallback => handle(&self.oauth_callback, request).await,
            Function::Channels => handle(&self.channels, request).await,
            Function::Publish => handle(&self.publish, request).await,
            Function::Pins => handle(&self.pins, request).await,
            Function::Analytics => handle(&self.analytics, request).await,
            Function::Docs => handle(&self.docs, request).await,
            Function::Console => handle(&self.console, request).await,
        }
    }
}
