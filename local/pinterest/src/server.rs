//! Connections. `axum::serve` answers every request; this server can also close the connection
//! instead, which is what a client sees of a network that fails.

use std::{fmt, sync::Arc};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use hyper::{body::Incoming, server::conn::http1, service::Service, service::service_fn};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinSet, yield_now},
};

use crate::{api, consent, control, delivery::NoAnswer, gallery, simulation::Simulation};

/// The longest body of the API that is taken, in bytes: base 64 of a picture. Videos have no limit.
const LONGEST_BODY: usize = 1 << 26;

/// Serves `simulation` until the future is dropped; its connections end with it.
pub(crate) async fn serve(listener: TcpListener, simulation: Arc<Simulation>) {
    let service = TowerToHyperService::new(router(simulation));
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(connection(stream, service.clone()));
            }
            // The client has gone already, or there are too many at once: the next may do better.
            Err(_) => yield_now().await,
        }
        while connections.try_join_next().is_some() {}
    }
}

fn router(simulation: Arc<Simulation>) -> Router {
    Router::new()
        .route("/", get(gallery::home))
        .route("/pin/{id}", get(gallery::pin))
        .route("/pin/{id}/", get(gallery::pin))
        .route("/oauth", get(consent::ask).post(consent::decide))
        .route("/oauth/", get(consent::ask).post(consent::decide))
        .route("/upload/", post(api::upload))
        .nest("/sim", control::routes())
        .fallback(api::call)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .with_state(simulation)
}

async fn connection(stream: TcpStream, service: TowerToHyperService<Router>) {
    let answering = service_fn(move |request: hyper::Request<Incoming>| {
        let answer = service.call(request);
        async move {
            let Ok(response) = answer.await;
            if response.extensions().get::<NoAnswer>().is_some() { Err(Cut) } else { Ok(response) }
        }
    });
    // An error here is a client that went away, or a cut that was asked for.
    http1::Builder::new().serve_connection(TokioIo::new(stream), answering).await.ok();
}

/// Makes hyper close the connection.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the connection is cut on request")
    }
}

impl std::error::Error for Cut {}
