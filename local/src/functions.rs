//! The functions, built from the same parts as on Lambda.

use app::{
    Result, Setup,
    events::Events,
    functions::{
        AdminSave, Analytics, Channels, Console, Deliver, Docs, OauthCallback, OauthStart, Pins, Publish,
        Refresh, Sender,
    },
    http::{Request, Response, handle},
    routes::Function,
};
use lambda_http::Body;

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
        let main = setup.main_table()?;
        let tokens = setup.tokens_table()?;
        let pinterest = setup.pinterest();
        let sender = || {
            let (main, tokens, pinterest) = (main.clone(), tokens.clone(), pinterest.clone());
            let bucket = setup.media_bucket()?;
            Ok::<_, app::Error>(Sender::new(
                setup.vault()?,
                main,
                tokens,
                pinterest,
                setup.fetch()?,
                bucket,
                setup,
            ))
        };
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
            channels: Channels::new(setup.vault()?, main.clone(), tokens.clone(), pinterest.clone(), setup),
            publish: Publish::new(sender()?, setup),
            pins: Pins::new(main.clone(), setup),
            analytics: Analytics::new(setup.vault()?, main.clone(), tokens.clone(), pinterest.clone(), setup),
            docs: Docs::new(setup),
            console: Console::new(setup)?,
            deliver: Deliver::new(sender()?),
            refresh: Refresh::new(
                setup.settings_secret()?,
                setup.vault()?,
                main.clone(),
                tokens.clone(),
                pinterest.clone(),
                setup,
            ),
            events: setup.events()?,
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
