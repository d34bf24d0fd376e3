//! Links that Pinterest blocks.

use super::*;

/// The Pin that is being sent, with links in its draft.
fn linking(links: &[&str]) -> Pin {
    let slides: Vec<_> = links
        .iter()
        .chain(["https://one.example/a"; 2].iter().filter(|_| links.len() > 1))
        .map(|link| json!({"url": "https://images.example/a.jpg", "link": link}))
        .collect();
    let draft = match links {
        [] | [_] => {
            let image = json!({"kind": "image", "url": "https://images.example/a.jpg"});
            json!({"board_id": "1", "link": links.first(), "media": image})
        }
        _ => json!({"board_id": "1", "media": {"kind": "carousel", "items": slides}}),
    };
    altered(&sending(), |record| record.draft = serde_json::from_value(draft).unwrap())
}

fn blocked(pin: &Pin) -> Transition {
    let message = Some("We blocked this link".to_owned());
    let answer = ResponseMeta { message, ..ResponseMeta::default() };
    after_answer(pin, Outcome::Refused(Refusal::LinkBlocked, answer), &ready(), 1)
}

/// After so many blocked links to a host.
fn after(times: usize, host: &str) -> Context {
    let links = (0..times).fold(BlockedLinks::default(), |links, _| links.with_blocked(host, at(0)));
    Context { blocked_links: links, ..ready() }
}

#[test]
fn a_blocked_link_fails_its_pin_names_the_host_and_pauses_nobody() {
    for (links, host, side_effect) in [
        (&["https://one.example/a"][..], "one.example", SideEffect::CountBlockedLink),
        (&["https://one.example/b", "https://two.example"], "one.example, two.example", SideEffect::Nothing),
        (&[], "", SideEffect::Nothing),
    ] {
        let transition = blocked(&linking(links));

        assert_eq!((transition.action, transition.side_effect), (Action::Rest, side_effect));
        let State::Failed { error } = &transition.pin.state else { panic!("{:?}", transition.pin.state) };
        assert_eq!((error.code.as_str(), error.params["host"].as_str()), ("link_blocked", host));
        assert!(error.detail.ends_with("We blocked this link"), "{}", error.detail);
    }
}

#[test]
fn a_pin_to_a_resting_host_is_not_sent_and_others_are() {
    let scheduled = |links: &[&str]| altered(&linking(links), |record| record.state = State::Scheduled);
    let (to_resting_host, to_other_host) =
        (scheduled(&["https://one.example/c"]), scheduled(&["https://two.example"]));

    let after_two = due(&to_resting_host, &after(2, "one.example"), 1);
    let after_three = due(&to_resting_host, &after(3, "one.example"), 1);

    assert!(matches!(after_two.action, Action::Send(_)));
    assert_eq!((failure(&after_three.pin), after_three.action), (Some("link_blocked"), Action::Rest));
    assert_eq!(after_three.pin.attempts, 0);
    assert!(matches!(due(&to_other_host, &after(3, "one.example"), 1).action, Action::Send(_)));
    assert!(matches!(due(&to_resting_host, &after(3, "one.example"), 24 * 60 * 60).action, Action::Send(_)));
}

#[test]
fn a_published_pin_resets_the_count_of_its_host() {
    let pin = linking(&["https://one.example/a"]);

    for (context, side_effect) in [
        (after(1, "one.example"), SideEffect::ForgetBlockedLink),
        (after(1, "two.example"), SideEffect::Nothing),
        (ready(), SideEffect::Nothing),
    ] {
        assert_eq!(after_answer(&pin, created(), &context, 1).side_effect, side_effect);
    }
}
