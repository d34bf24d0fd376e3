//! The save window: the time in which a new token pair is only in the memory of one process. It lasts from the last
//! byte of the token endpoint's answer to the acknowledged save. There is one await in it, the save itself.

use std::sync::{Arc, Mutex};

use adapters::Transports;
use app::handlers::RefreshJob;
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient as _, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
        http_client_fn,
    },
    orchestrator::HttpRequest,
};
use pinterest::{Error, Fault, Transport};
use tokio::time::{Duration, Instant};

use crate::harness::{TestApp, client, days, network};

/// How many refreshes are measured.
const RENEWALS: usize = 20;

/// What was measured of one refresh.
#[derive(Clone, Copy, Debug, Default)]
struct Measurement {
    /// The token endpoint's answer was read to its end.
    answered_at: Option<Instant>,
    /// The save was sent.
    saving_at: Option<Instant>,
    /// The save was acknowledged.
    saved_at: Option<Instant>,
    /// How many calls were sent between the answer and the acknowledgement.
    calls: usize,
}

type SharedMeasurement = Arc<Mutex<Measurement>>;

#[tokio::test]
async fn nothing_but_the_save_is_awaited_after_a_new_pair() {
    let (app, _) = TestApp::start_connected().await;
    let (mut before, mut all) = (Vec::new(), Vec::new());
    for renewal in 1..=RENEWALS {
        let measured = SharedMeasurement::default();
        let network = network();
        let (aws, pinterest) = (to_aws(&network.aws, &measured), to_pinterest(&measured));
        let wires = Transports { aws, pinterest, ..network };
        let refresh = app.functions_on(days(24 * i64::try_from(renewal).unwrap()), wires).refresh;

        refresh.run(RefreshJob::Tick, Instant::now() + Duration::from_secs(300)).await.unwrap();

        let measured = *measured.lock().unwrap();
        let (answered_at, saved_at) = (measured.answered_at.unwrap(), measured.saved_at.unwrap());
        assert_eq!(measured.calls, 1, "renewal {renewal}");
        before.push(measured.saving_at.unwrap().duration_since(answered_at));
        all.push(saved_at.duration_since(answered_at));
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
fn to_pinterest(measured: &SharedMeasurement) -> Transport {
    let (http, measured) = (client(), measured.clone());
    Transport::new(http.clone(), move |request| {
        let (http, measured) = (http.clone(), measured.clone());
        Box::pin(async move {
            let renews = request.url().path().ends_with("/oauth/token");
            let broken = |error: reqwest::Error| Error::NotSent(Fault::Connection(error.into()));
            let response = http.execute(request).await.map_err(broken)?;
            let status = response.status();
            let body = response.bytes().await.map_err(broken)?;
            if renews {
                measured.lock().unwrap().answered_at = Some(Instant::now());
            }
            Ok(http::Response::builder().status(status).body(body).unwrap().into())
        })
    })
}

/// The network. It notes when the save is sent and when it is acknowledged.
fn to_aws(network: &SharedHttpClient, measured: &SharedMeasurement) -> SharedHttpClient {
    let (network, measured) = (network.clone(), measured.clone());
    http_client_fn(move |settings, components| {
        let inner = network.http_connector(settings, components);
        SharedHttpConnector::new(ObservedConnector { inner, measured: measured.clone() })
    })
}

#[derive(Debug)]
struct ObservedConnector {
    inner: SharedHttpConnector,
    measured: SharedMeasurement,
}

impl HttpConnector for ObservedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let saves = body.contains("#pair = ");
        {
            let mut measured = self.measured.lock().unwrap();
            measured.calls += usize::from(measured.answered_at.is_some() && measured.saved_at.is_none());
            if saves {
                measured.saving_at = Some(Instant::now());
            }
        }
        let (call, measured) = (self.inner.call(request), self.measured.clone());
        HttpConnectorFuture::new(async move {
            let answer = call.await;
            if saves {
                measured.lock().unwrap().saved_at = Some(Instant::now());
            }
            answer
        })
    }
}
