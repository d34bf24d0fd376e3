//! The save window: the time in which a new token pair is only in the memory of one process. It lasts from the last
//! byte of the token endpoint's answer to the acknowledged save. There is one await in it, the save itself.

use std::sync::{Arc, Mutex};

use adapters::Transports;
use app::handlers::Tick;
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use pinterest::{Error, Fault, Transport};
use tokio::time::{Duration, Instant};

use crate::harness::{TestApp, client, days, network};

/// How many refreshes are measured.
const RENEWALS: usize = 20;

/// What was measured of one refresh.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// The token endpoint's answer was read to its end.
    answered: Option<Instant>,
    /// The save was sent.
    saving: Option<Instant>,
    /// The save was acknowledged.
    saved: Option<Instant>,
    /// How many calls were sent between the answer and the acknowledgement.
    calls: usize,
}

type Shared = Arc<Mutex<Seen>>;

#[tokio::test]
async fn between_a_new_pair_and_its_save_nothing_is_awaited_but_the_save() {
    let (app, _) = TestApp::start_connected().await;
    let (mut before, mut all) = (Vec::new(), Vec::new());
    for renewal in 1..=RENEWALS {
        let seen = Shared::default();
        let network = network();
        let (aws, pinterest) = (to_aws(&network.aws, &seen), to_pinterest(&seen));
        let wires = Transports { aws, pinterest, ..network };
        let refresh = app.functions_on(days(24 * i64::try_from(renewal).unwrap()), wires).refresh;

        refresh.tick(Tick::Due, Instant::now() + Duration::from_secs(300)).await.unwrap();

        let seen = *seen.lock().unwrap();
        let (answered, saved) = (seen.answered.unwrap(), seen.saved.unwrap());
        assert_eq!(seen.calls, 1, "renewal {renewal}");
        before.push(seen.saving.unwrap().duration_since(answered));
        all.push(saved.duration_since(answered));
    }
    before.sort();
    all.sort();
    let middle = RENEWALS / 2;
    println!(
        "from the answer until the save leaves {:?}, until it is there {:?}",
        before[middle], all[middle]
    );
}

/// The network. It notes when the token endpoint's answer has arrived.
fn to_pinterest(seen: &Shared) -> Transport {
    let (http, seen) = (client(), seen.clone());
    Transport::new(http.clone(), move |request| {
        let (http, seen) = (http.clone(), seen.clone());
        Box::pin(async move {
            let renews = request.url().path().ends_with("/oauth/token");
            let broken = |error: reqwest::Error| Error::NotSent(Fault::Connection(error.into()));
            let response = http.execute(request).await.map_err(broken)?;
            let status = response.status();
            let body = response.bytes().await.map_err(broken)?;
            if renews {
                seen.lock().unwrap().answered = Some(Instant::now());
            }
            Ok(http::Response::builder().status(status).body(body).unwrap().into())
        })
    })
}

/// The network. It notes when the save is sent and when it is acknowledged.
fn to_aws(network: &SharedHttpConnector, seen: &Shared) -> SharedHttpConnector {
    SharedHttpConnector::new(Watched { inner: network.clone(), seen: seen.clone() })
}

#[derive(Debug)]
struct Watched {
    inner: SharedHttpConnector,
    seen: Shared,
}

impl HttpConnector for Watched {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let saves = body.contains("#pair = ");
        {
            let mut seen = self.seen.lock().unwrap();
            seen.calls += usize::from(seen.answered.is_some() && seen.saved.is_none());
            if saves {
                seen.saving = Some(Instant::now());
            }
        }
        let (call, seen) = (self.inner.call(request), self.seen.clone());
        HttpConnectorFuture::new(async move {
            let answer = call.await;
            if saves {
                seen.lock().unwrap().saved = Some(Instant::now());
            }
            answer
        })
    }
}
