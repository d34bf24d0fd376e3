//! Finds the mark in a file that a trained model made it.
//!
//! Programs that make or edit pictures write a "digital source type" of the IPTC into the metadata: into XMP, or into a
//! C2PA manifest; in both it is plain text. So the text is searched for at the beginning of the file, and no format is
//! parsed. Its absence proves nothing: metadata are easily lost.

/// A digital source type of the IPTC which means that a trained model made the media, or a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigitalSource {
    /// All of it.
    TrainedAlgorithmicMedia,
    /// What was edited.
    CompositeWithTrainedAlgorithmicMedia,
    /// A part of a composition.
    CompositeSynthetic,
}

/// The name of the field. C2PA has it in another case, and the IPTC's addresses in a third.
const FIELD: &[u8] = b"digitalsourcetype";
/// How far behind its name the value of the field may be.
const MAX_DISTANCE: usize = 128;

impl DigitalSource {
    /// How many of a file's first bytes are searched.
    pub const READ_BYTES: usize = 256 * 1024;

    const ALL: [Self; 3] =
        [Self::TrainedAlgorithmicMedia, Self::CompositeWithTrainedAlgorithmicMedia, Self::CompositeSynthetic];

    /// The mark in the first bytes of a file. `None`: there is none, which does not mean that no model was used.
    #[must_use]
    pub fn find(front: &[u8]) -> Option<Self> {
        let front = front.get(..Self::READ_BYTES).unwrap_or(front);
        let fields = front.windows(FIELD.len()).enumerate();
        let fields = fields.filter(|(_, window)| window.eq_ignore_ascii_case(FIELD));
        fields.into_iter().find_map(|(place, _)| {
            let rest = front.get(place + FIELD.len()..)?;
            Self::named_in(rest.get(..MAX_DISTANCE).unwrap_or(rest))
        })
    }

    /// The IPTC's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TrainedAlgorithmicMedia => "trainedAlgorithmicMedia",
            Self::CompositeWithTrainedAlgorithmicMedia => "compositeWithTrainedAlgorithmicMedia",
            Self::CompositeSynthetic => "compositeSynthetic",
        }
    }

    /// The first name in `value` that is a whole word.
    fn named_in(value: &[u8]) -> Option<Self> {
        let words = value.split(|byte| !byte.is_ascii_alphanumeric());
        words.into_iter().find_map(|word| {
            // In CBOR, the byte before a text may be a letter by chance: it is a part of the text's length.
            Self::ALL.into_iter().find(|known| word.ends_with(known.name().as_bytes()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_of_each_form_are_found() {
        use DigitalSource::{
            CompositeSynthetic, CompositeWithTrainedAlgorithmicMedia as Edited,
            TrainedAlgorithmicMedia as Made,
        };
        let uri = "http://cv.iptc.org/newscodes/digitalsourcetype/";
        for (text, source) in [
            (
                format!("<rdf:Description Iptc4xmpExt:DigitalSourceType=\"{uri}trainedAlgorithmicMedia\"/>"),
                Some(Made),
            ),
            (
                format!("<Iptc4xmpExt:DigitalSourceType>{uri}compositeWithTrainedAlgorithmicMedia<"),
                Some(Edited),
            ),
            (
                "<Iptc4xmpExt:DigitalSourceType>trainedAlgorithmicMedia</Iptc4xmpExt:DigitalSourceType>"
                    .into(),
                Some(Made),
            ),
            (
                format!("\u{1}qdigitalSourceTypexG{uri}compositeSynthetic\u{2}jsoftware"),
                Some(CompositeSynthetic),
            ),
            (format!("DigitalSourceType=\"{uri}digitalCapture\""), None),
            (format!("DigitalSourceType=\"{uri}algorithmicMedia\""), None),
            (format!("DigitalSourceType=\"{uri}trainedAlgorithmicMediaFree\""), None),
            ("a picture of trainedAlgorithmicMedia".into(), None),
            (format!("DigitalSourceType{}trainedAlgorithmicMedia", " ".repeat(MAX_DISTANCE)), None),
            (String::new(), None),
        ] {
            assert_eq!(DigitalSource::find(text.as_bytes()), source, "{text}");
        }
    }

    #[test]
    fn only_the_beginning_is_looked_at_and_an_end_in_the_middle_is_no_fault() {
        let text = b"DigitalSourceType=\"trainedAlgorithmicMedia\"";
        for end in 0..text.len() - "a\"".len() {
            assert_eq!(DigitalSource::find(&text[..end]), None, "{end}");
        }
        let after = |bytes: usize| [vec![0xff; bytes], text.to_vec()].concat();
        assert!(DigitalSource::find(&after(1000)).is_some());
        assert_eq!(DigitalSource::find(&after(DigitalSource::READ_BYTES)), None);
    }
}
