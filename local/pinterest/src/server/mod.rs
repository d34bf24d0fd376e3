//! Connections and routes. `axum::serve` answers every request; this server can also close a connection without an
//! answer, as a client sees it when the network fails.

mod api;
mod host_check;

use std::{fmt, sync::Arc};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use hyper::{body::Incoming, server::conn::http1, service::Service, service::service_fn};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinSet, yield_now},
};

use crate::{
    control,
    pages::{consent, gallery},
    simulation::{Simulation, delivery::NoAnswer},
};

/// The largest body of the API: base64 of a picture. Videos have no limit.
const MAX_BODY_BYTES: usize = 1 << 26;

/// Serves `simulation` until the future is dropped, which closes its connections.
pub(crate) async fn serve(listener: TcpListener, simulation: Arc<Simulation>) {
    let service = TowerToHyperService::new(router(simulation));
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve_connection(stream, service.clone()));
            }
            // The client has disconnected already, or there are too many connections. The next accept may succeed.
            Err(_) => yield_now().await,
        }
        while connections.try_join_next().is_some() {}
    }
}

fn router(simulation: Arc<Simulation>) -> Router {
    Router::new()
        .route("/", get(gallery::show_home))
        .route("/pin/{id}", get(gallery::show_pin))
        .route("/pin/{id}/", get(gallery::show_pin))
        .route("/oauth", get(consent::show_form).post(consent::submit_decision))
        .route("/oauth/", get(consent::show_form).post(consent::submit_decision))
        .route("/upload/", post(api::handle_upload))
        .nest("/sim", control::routes())
        .fallback(api::handle_call)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn(host_check::require_loopback_name))
        .with_state(simulation)
}

async fn serve_connection(stream: TcpStream, service: TowerToHyperService<Router>) {
    let cutting = service_fn(move |request: hyper::Request<Incoming>| {
        let answer = service.call(request);
        async move {
            let Ok(response) = answer.await;
            if response.extensions().get::<NoAnswer>().is_some() { Err(ConnectionCut) } else { Ok(response) }
        }
    });
    // An error here means that the client has disconnected, or that a fault cut the connection.
    http1::Builder::new().serve_connection(TokioIo::new(stream), cutting).await.ok();
}

/// The error that makes hyper close the connection.
#[derive(Debug)]
struct ConnectionCut;

impl fmt::Display for ConnectionCut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a fault cuts the connection")
    }
}

impl std::error::Error for ConnectionCut {}
