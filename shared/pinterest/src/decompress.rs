//! Decompresses bodies. Requests accept only plain ones, but a cache between Pinterest and us may have compressed them.

use std::io::{self, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use zeroize::Zeroizing;

use crate::Fault;

/// The body as it was before it was compressed, at most `most` bytes. A body that is not compressed as declared stays
/// unchanged.
///
/// `br` is not supported: its dictionary would be larger than the rest of this crate in each function.
pub(crate) fn decompressed(
    body: Zeroizing<Vec<u8>>,
    encoding: Option<&str>,
    most: usize,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let encoding = encoding.unwrap_or_default().trim().to_ascii_lowercase();
    let plain = match &body[..] {
        // The first bytes are checked, too: no text of Pinterest's begins like this.
        [0x1f, 0x8b, ..] => read(MultiGzDecoder::new(&body[..]), most),
        [0x78, 0x01 | 0x9c | 0xda, ..] => read(ZlibDecoder::new(&body[..]), most),
        [_, ..] if encoding == "deflate" => read(DeflateDecoder::new(&body[..]), most),
        _ => return Ok(body),
    };
    match plain {
        Ok(plain) if plain.len() > most => Err(Fault::TooLarge),
        Ok(plain) => Ok(plain),
        Err(_) => Ok(body),
    }
}

/// One byte more than `most`, if there is more.
fn read(reader: impl Read, most: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut plain = Zeroizing::default();
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    reader.take(most.saturating_add(1)).read_to_end(&mut plain)?;
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{
        Compression,
        write::{DeflateEncoder, GzEncoder, ZlibEncoder},
    };

    use super::*;

    const TEXT: &[u8] = br#"{"id":"813744226420795884"}"#;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(text: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn deflate(text: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn unpacked(body: Vec<u8>, encoding: Option<&str>) -> Result<Vec<u8>, Fault> {
        decompressed(Zeroizing::new(body), encoding, 1000).map(|body| body.to_vec())
    }

    #[test]
    fn a_body_is_read_in_each_coding_with_and_without_its_name() {
        let cases = [
            (gzip(TEXT), Some("gzip")),
            (gzip(TEXT), None),
            (zlib(TEXT), Some("deflate")),
            (zlib(TEXT), None),
            (deflate(TEXT), Some(" Deflate ")),
            (TEXT.to_vec(), Some("gzip")),
            (TEXT.to_vec(), None),
        ];
        for (body, encoding) in cases {
            assert_eq!(unpacked(body, encoding).unwrap(), TEXT, "{encoding:?}");
        }
    }

    #[test]
    fn a_small_body_that_becomes_a_large_one_is_given_up() {
        assert!(matches!(unpacked(gzip(&[b' '; 2000]), None), Err(Fault::TooLarge)));
    }

    #[test]
    fn a_broken_body_stays_as_it_is() {
        let broken = gzip(TEXT)[..20].to_vec();
        assert_eq!(unpacked(broken.clone(), Some("gzip")).unwrap(), broken);
        assert_eq!(unpacked(Vec::new(), Some("gzip")).unwrap(), b"");
    }
}
