//! Files that may say that a model made them.

use domain::DigitalSource;

use crate::{dice::Dice, tally};

/// Looks for a digital source type in any bytes, and in the same bytes with one planted.
pub fn sources(bytes: &[u8]) {
    let by_chance = DigitalSource::find(bytes);
    tally::count("files that say it by chance", by_chance.is_some());
    let mut dice = Dice::new(bytes);
    let names = ["trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "compositeSynthetic"];
    let name = names[dice.below(names.len())];
    let text = format!("digitalSourceType\"http://cv.iptc.org/newscodes/digitalsourcetype/{name}\"");
    let place = dice.below(bytes.len() + 1);
    let with_source = [&bytes[..place], text.as_bytes(), &bytes[place..]].concat();
    let found = DigitalSource::find(&with_source);
    tally::count("files that say it", found.is_some());
    assert!(by_chance.is_some() || found.is_some_and(|source| source.name() == name), "{name}: {found:?}");
}
