//! The figures that a change may not pass. Wall times are shown and never held against a change: they say as much of the
//! machine as of the program.

use crate::{
    callgrind,
    figures::{Compared, Cost},
    measure::Instructions,
};

/// Of a function's binary and its archive, in bytes. `publish` may have more: it is the one function that both sends Pins
/// and takes them, one by one and by the file. These are what the functions have, and a little: a change that needs more has
/// to say what it gives for it.
const BINARY: u64 = 6_000_000;
const PUBLISH_BINARY: u64 = 6_650_000;
const ZIP: u64 = 2_750_000;
const PUBLISH_ZIP: u64 = 3_100_000;
/// Of each function's start, in instructions, with nothing to shake hands with.
const START: u64 = 5_000_000;
/// The same with the handshakes that it makes ahead: DynamoDB's and Secrets Manager's.
const START_WITH_TLS: u64 = 10_000_000;
/// The functions that shake hands with Pinterest as well, and what their starts may be.
const CALL_PINTEREST: [&str; 2] = ["oauth-callback", "publish"];
const START_WITH_PINTEREST: u64 = 12_500_000;
/// Of a warm request to publish an image by URL, in instructions.
const WARM: u64 = 4_600_000;
/// How much more than `publish` the tutorial may do until its first answer, at least: it leaves to its first request what
/// ours do at their start.
const TUTORIAL: u64 = 10;

/// One sentence for each budget that a function breaks.
pub(crate) fn broken(functions: &[Cost]) -> Vec<String> {
    let mut broken = Vec::new();
    for Cost { name, size, instructions } in functions {
        let (binary, zip) = if name == "publish" { (PUBLISH_BINARY, PUBLISH_ZIP) } else { (BINARY, ZIP) };
        let with_tls =
            if CALL_PINTEREST.contains(&name.as_str()) { START_WITH_PINTEREST } else { START_WITH_TLS };
        let mut held = vec![("the binary (bytes)", size.binary, binary), ("the zip (bytes)", size.zip, zip)];
        match instructions {
            Some(until) => held.extend([
                ("the start (instructions)", until.plain, START),
                ("the start with TLS (instructions)", until.with_tls, with_tls),
            ]),
            None => broken.push(format!("not counted: {name}. {}", callgrind::MISSING)),
        }
        broken.extend(
            held.into_iter().filter(|(_, is, budget)| is > budget).map(|(what, is, budget)| {
                format!("over budget: {what} of {name}: {is}, and may be {budget}")
            }),
        );
    }
    broken
}

/// A sentence if the tutorial is not that much slower. Says nothing where nothing was counted.
pub(crate) fn close(publish: &Compared, tutorial: &Compared) -> Option<String> {
    let (ours, theirs) = (publish.instructions?.until_answered(), tutorial.instructions?.until_answered());
    (ours.saturating_mul(TUTORIAL) > theirs).then(|| {
        format!(
            "over budget: publish needs {ours} instructions until its first answer, the tutorial {theirs}"
        )
    })
}

/// A sentence if a warm request of `publish` costs too much. Says nothing where nothing was counted.
pub(crate) fn warm(publish: Option<Instructions>) -> Option<String> {
    let is = publish?.warm;
    (is > WARM)
        .then(|| format!("over budget: a warm request (instructions) of publish: {is}, and may be {WARM}"))
}

#[cfg(test)]
mod tests {
    use crate::{
        figures::{Cost, Until},
        measure::{Instructions, Size},
    };

    fn cost(name: &str, binary: u64, plain: u64) -> Cost {
        let instructions = Some(Until { plain, with_tls: plain });
        Cost { name: name.to_owned(), size: Size { binary, zip: 1 }, instructions }
    }

    #[test]
    fn a_function_over_its_budget_is_named() {
        let broken = super::broken(&[cost("pins", super::BINARY + 1, super::START + 1)]);

        assert_eq!(broken.len(), 2);
        assert!(broken.iter().all(|sentence| sentence.contains("of pins")));
    }

    #[test]
    fn a_function_within_its_budget_passes() {
        assert!(super::broken(&[cost("pins", super::BINARY, super::START)]).is_empty());
    }

    #[test]
    fn publish_may_be_larger_and_no_other() {
        let of =
            |name, binary, zip| super::broken(&[Cost { size: Size { binary, zip }, ..cost(name, 1, 1) }]);

        assert!(of("publish", super::PUBLISH_BINARY, super::PUBLISH_ZIP).is_empty());
        assert_eq!(of("publish", super::PUBLISH_BINARY + 1, super::PUBLISH_ZIP + 1).len(), 2);
        assert_eq!(of("pins", super::BINARY + 1, super::ZIP + 1).len(), 2);
    }

    #[test]
    fn a_handshake_with_pinterest_may_cost_more() {
        let with_tls = |name| {
            let instructions = Some(Until { plain: 1, with_tls: super::START_WITH_PINTEREST });
            super::broken(&[Cost { instructions, ..cost(name, 1, 1) }])
        };

        assert!(with_tls("oauth-callback").is_empty());
        assert_eq!(with_tls("pins").len(), 1);
    }

    #[test]
    fn a_warm_request_has_a_budget() {
        let warm = |warm| super::warm(Some(Instructions { start: 1, start_with_tls: 1, first: 1, warm }));

        assert_eq!(warm(super::WARM), None);
        assert!(warm(super::WARM + 1).is_some_and(|sentence| sentence.contains("warm request")));
    }

    #[test]
    fn a_start_without_a_count_does_not_pass() {
        let uncounted = Cost { instructions: None, ..cost("pins", 1, 1) };

        assert_eq!(super::broken(&[uncounted]).len(), 1);
    }
}
