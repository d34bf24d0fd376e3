//! What is made of a connection that fails, and when.

use std::{error::Error as _, io::Write, net::TcpListener, thread, time::Duration};

use domain::{AppSecret, Environment, PinterestPinId, ResponseMeta};
use pinterest::{Addresses, App, Error, Fault};
use tokio::time::Instant;
use wiremock::ResponseTemplate;

use crate::harness::{answering, client, closed_address, draft, media, raw, read_request, token};

async fn create_pin(origin: &str) -> Result<(PinterestPinId, ResponseMeta), Error> {
    client(origin).create_pin(Environment::Production, &token(), &draft(), &media()).await
}

#[tokio::test]
async fn a_closed_port_means_not_sent() {
    let outcome = create_pin(&format!("http://{}", closed_address())).await;

    let Err(error @ Error::NotSent(_)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(error.to_string(), "Pinterest could not be reached");
    assert!(!format!("{error:?}").contains("/v5"), "{error:?}");
}

#[tokio::test]
async fn a_failed_tls_handshake_means_not_sent() {
    let outcome = create_pin(&format!("https://{}", raw("this is no TLS"))).await;

    assert!(matches!(outcome, Err(Error::NotSent(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_broken_address_means_not_sent() {
    for origin in ["", "api.pinterest.com", "ftp://127.0.0.1"] {
        let outcome = create_pin(origin).await;
        assert!(matches!(outcome, Err(Error::NotSent(_))), "{origin}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_connection_that_closes_before_the_answer_leaves_the_outcome_unknown() {
    let outcome = create_pin(&format!("http://{}", raw(""))).await;

    assert!(matches!(outcome, Err(Error::Unknown { .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_pin_is_not_sent_again_when_a_connection_that_has_served_before_closes() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = client(&format!("http://{}", listener.local_addr().unwrap()));
    let pinterest = thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        read_request(&mut connection);
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{\"id\": \"1\"}").unwrap();
        read_request(&mut connection);
        listener
    });

    client.user_account(Environment::Production, &token()).await.unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await; // the connection goes back to the pool
    }
    let outcome = client.create_pin(Environment::Production, &token(), &draft(), &media()).await;

    assert!(matches!(outcome, Err(Error::Unknown { .. })), "{outcome:?}");
    let listener = pinterest.join().unwrap();
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "there was a second connection");
}

#[tokio::test]
async fn an_answer_that_is_not_http_leaves_the_outcome_unknown() {
    let outcome = create_pin(&format!("http://{}", raw("SSH-2.0-OpenSSH_9.6\r\n\r\n"))).await;

    assert!(matches!(outcome, Err(Error::Unknown { .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_cut_answer_leaves_the_outcome_unknown_with_every_status() {
    let answers = [
        "HTTP/1.1 201 Created\r\ncontent-length: 99\r\n\r\n{\"id\": \"1\"}",
        "HTTP/1.1 400 Bad Request\r\ncontent-length: 99\r\n\r\n{\"code\": 1, \"message\": \"\"}",
        "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\nb\r\n{\"id\": \"1\"}\r\n",
    ];

    for response in answers {
        let outcome = create_pin(&format!("http://{}", raw(response))).await;

        let Err(Error::Unknown { response, .. }) = outcome else {
            panic!("{outcome:?}");
        };
        assert!(response.http_status.is_some(), "as much as came is kept");
    }
}

#[tokio::test]
async fn an_answer_larger_than_any_that_is_documented_is_not_read_on() {
    let body = format!("{{\"id\": \"1\", \"about\": \"{}\"}}", "x".repeat(8 * 1024 * 1024));
    let response = ResponseTemplate::new(200).set_body_string(body);
    let (_server, client) = answering("GET", "/v5/user_account", response).await;

    let error = client.user_account(Environment::Production, &token()).await.unwrap_err();

    assert!(matches!(error, Error::Unknown { source: Some(Fault::TooLarge), .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_pin_is_given_up_after_25_seconds_and_a_read_after_10() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap(); // its backlog takes connections, nobody answers
    let client = client(&format!("http://{}", silent.local_addr().unwrap()));

    let start = Instant::now();
    let outcome = client.create_pin(Environment::Production, &token(), &draft(), &media()).await;
    let (create_time, read_time) = (start.elapsed(), Instant::now());
    let error = client.user_account(Environment::Production, &token()).await.unwrap_err();

    assert!(matches!(outcome, Err(Error::Unknown { .. })), "{outcome:?}");
    assert!(matches!(error, Error::Unknown { source: Some(Fault::Connection(_)), .. }), "{error}");
    assert_eq!((create_time.as_secs(), read_time.elapsed().as_secs()), (25, 10));
    assert!(create_time < Duration::from_secs(26));
}

#[tokio::test]
async fn a_failure_does_not_show_the_address() {
    let client = client(&format!("http://{}/secret", closed_address()));

    let error = client.user_account(Environment::Production, &token()).await.unwrap_err();

    let source = error.source().unwrap();
    assert!(!format!("{error} {error:?} {source} {source:?}").contains("secret"));
}

#[test]
fn the_addresses_of_pinterest_are_those_of_its_contract() {
    let real = Addresses::default();

    assert_eq!(real.production, "https://api.pinterest.com/v5");
    assert_eq!(real.sandbox, "https://api-sandbox.pinterest.com/v5");
    assert_eq!(real.authorize, "https://www.pinterest.com/oauth/");
}

#[test]
fn calls_can_move_between_threads() {
    fn movable<T: Send>(_: &T) {}
    let (client, token, draft) = (client("http://127.0.0.1"), token(), draft());

    movable(&client.create_pin(Environment::Production, &token, &draft, &media()));
    movable(&client.boards(Environment::Production, &token));
    let secret = AppSecret::new(String::new());
    movable(&client.check_credentials(Environment::Production, App { id: "1", secret: &secret }));
}
