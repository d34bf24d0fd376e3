//! Following where hosts point.

use fetch::{Error, Forbidden};

use crate::harness::{AfterAnswer, FakeResolver, Site, Trap, client, forbidden};

fn redirect_response(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")
}

/// A site at whose `/n` a redirect leads to `/n-1`, down to `/0`, where the file is.
async fn stairs() -> Site {
    let answer = |head: &str| match head.split(['/', ' ']).nth(2).unwrap() {
        "0" => "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabcde".to_owned(),
        step => redirect_response(&format!("/{}", step.parse::<u8>().unwrap() - 1)),
    };
    Site::new(answer, AfterAnswer::HangUp).await
}

#[tokio::test]
async fn three_redirects_are_followed() {
    let site = stairs().await;

    let file_info = site.client().peek(&site.url("/3"), 0, 64).await.unwrap();

    assert_eq!(file_info.bytes, Some(5));
    assert_eq!(site.heads().len(), 4);
}

#[tokio::test]
async fn four_redirects_are_not() {
    let site = stairs().await;

    let outcome = site.client().peek(&site.url("/4"), 0, 64).await;

    assert_eq!(forbidden(&outcome), Some(Forbidden::Redirects));
    assert_eq!(site.heads().len(), 4);
}

#[tokio::test]
async fn a_redirect_loop_ends() {
    let site = Site::with_answer(&redirect_response("?again#here")).await;

    let outcome = site.client().peek(&site.url("/"), 0, 64).await;

    assert_eq!(forbidden(&outcome), Some(Forbidden::Redirects));
    assert_eq!(site.heads().len(), 4);
}

#[tokio::test]
async fn each_kind_of_redirect_is_followed_the_same_way() {
    for status in [301, 302, 303, 307, 308] {
        let target = Site::with_answer("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabcde").await;
        let location = target.url("/there?x=1");
        let site = Site::with_answer(&format!("HTTP/1.1 {status} -\r\nlocation: {location}\r\n\r\n")).await;
        let client = client(&format!("{},{}", site.authority, target.authority), FakeResolver::default());

        let file_info = client.peek(&site.url("/here"), 0, 64).await.unwrap();

        assert_eq!(file_info.bytes, Some(5));
        assert!(target.heads()[0].starts_with("get /there?x=1 http/1.1"), "{status}: {:?}", target.heads());
    }
}

#[tokio::test]
async fn a_redirect_carries_no_secrets_along() {
    let target = Site::with_answer("HTTP/1.1 200 OK\r\n\r\n").await;
    let location = target.url("/");
    let site =
        Site::with_answer(&format!("HTTP/1.1 302 -\r\nlocation: {location}\r\nset-cookie: a=b\r\n\r\n"))
            .await;
    let client = client(&format!("{},{}", site.authority, target.authority), FakeResolver::default());

    client.peek(&site.url("/secret?token=secret"), 0, 64).await.unwrap();

    for header in ["secret", "cookie", "referer", "authorization"] {
        assert!(!target.heads()[0].contains(header), "{header}: {:?}", target.heads());
    }
}

#[tokio::test]
async fn other_3xx_answers_and_a_201_are_no_redirects() {
    for (answer, status) in [
        ("HTTP/1.1 302 Found\r\n\r\n", 302),
        ("HTTP/1.1 300 Multiple Choices\r\nlocation: /\r\n\r\n", 300),
        ("HTTP/1.1 304 Not Modified\r\nlocation: /\r\n\r\n", 304),
        ("HTTP/1.1 305 Use Proxy\r\nlocation: /\r\n\r\n", 305),
        ("HTTP/1.1 201 Created\r\nlocation: /\r\n\r\n", 201),
    ] {
        let site = Site::with_answer(answer).await;

        let outcome = site.client().peek(&site.url("/"), 0, 64).await;

        assert!(matches!(outcome, Err(Error::Refused { status: said }) if said == status), "{outcome:?}");
        assert_eq!(site.heads().len(), 1);
    }
}

#[tokio::test]
async fn a_redirect_from_an_allowed_host_is_untrusted() {
    for (location, reason) in [
        ("http://127.0.0.1:PORT/", Forbidden::Scheme),
        ("//127.0.0.1:PORT/", Forbidden::Scheme),
        ("https://127.0.0.1:PORT/", Forbidden::Host),
        ("https://trap.example/", Forbidden::Host),
        ("http://trap.example/", Forbidden::Scheme),
        ("https://trap.example:PORT/", Forbidden::Port),
        ("https://user@trap.example/", Forbidden::Credentials),
        ("file:///etc/passwd", Forbidden::Scheme),
        ("ftp://trap.example/", Forbidden::Scheme),
        ("data:video/mp4,AAAA", Forbidden::Scheme),
        ("https://[::1/", Forbidden::Location),
    ] {
        let trap = Trap::new();
        let site =
            Site::with_answer(&redirect_response(&location.replace("PORT", &trap.port().to_string()))).await;
        let client = client(&site.authority, FakeResolver::new(&["127.0.0.1:PORT"], &trap));

        assert_eq!(forbidden(&client.peek(&site.url("/"), 0, 64).await), Some(reason), "{location}");
        let deadline = tokio::time::Instant::now() + fetch::ANSWER_TIMEOUT;
        let download = client.download(&site.url("/"), 1, deadline).await;
        assert_eq!(forbidden(&download), Some(reason), "{location}");
        assert_eq!(trap.connections(), 0, "{location}");
    }
}
