//! Codes: media.

use super::{Code, code};

#[rustfmt::skip] // one line for each part of an entry
pub(super) const CODES: &[Code] = &[
    code(
        "not_one_resolution",
        "A Pin is resolved as a Pin at Pinterest or by sending it again, not both and not neither.",
        "Send `is` with an id at Pinterest, or `resend` with `true`.",
        "is is missing, or was sent together with `resend`",
    ),
    code(
        "not_one_source",
        "A file has no source, or more than one.",
        "Give one of `url`, `media_id` or `base64`.",
        "media has no source, or more than one",
    ),
    code(
        "carousel_size",
        "A carousel has fewer than 2 or more than 5 images.",
        "Give 2 to 5 images, or publish one image as `\"kind\":\"image\"`.",
        "media.items has 6 images, and a carousel has 2 to 5",
    ),
    code(
        "invalid_base64",
        "The image is not base 64.",
        "Encode it by RFC 4648, section 4: padded, without line breaks and without `data:` in front.",
        "media.base64 is not base 64",
    ),
    code(
        "unsupported_media_type",
        "A file is of a kind that Pinterest does not take.",
        "Send a JPEG, PNG, WebP, GIF, BMP or TIFF image, or an MP4, MOV or M4V video.",
        "media.media_id names a file that is a HEIC image, as phones take them, and not an image",
    ),
    code(
        "invalid_thumbnail",
        "The thumbnail of a row is neither a moment of its video nor an address, or the file is an image.",
        "Write the moment as `0:03`, give the address of an image, or leave it empty.",
        "thumbnail is neither a moment of the video nor an address",
    ),
    code(
        "empty_media",
        "The size of the file is 0.",
        "Send the size of the file, to the byte.",
        "bytes is 0: there is nothing to upload",
    ),
    code(
        "media_too_large",
        "A file is larger than is taken.",
        "Make it smaller: 20 MB for an image, 2 GB for a video, 4 MB for an image within a request.",
        "bytes is 30000000: Pinterest takes at most 20 MB of an image",
    ),
    code(
        "upload_first",
        "An image cannot come within this request.",
        "Upload it by POST /api/v1/media, and name its media_id.",
        "media.base64 cannot come with a change",
    ),
    code(
        "media_unreachable",
        "A file could not be fetched.",
        "Check that the address opens without a login, and from the public internet.",
        "the host answered with status 404",
    ),
    code(
        "media_unsupported",
        "What is at an address is not a file of the kind that is needed.",
        "Check that the address leads to the file itself and not to a page.",
        "the file is a web page, and not an image",
    ),
    code(
        "video_unfinished",
        "A video has no index (`moov`): it is incomplete.",
        "Export the video again, to its end, and use the whole file.",
        "the file has no index (`moov`): it is incomplete",
    ),
    code(
        "media_forbidden",
        "An address is not public, and its host is not on the list of allowed hosts.",
        "Give a public https address, upload the video, or have its host added to PINWRIGHT_FETCH_ALLOW.",
        "the host is not on the public internet",
    ),
    code(
        "media_gone",
        "A file that was uploaded is not there any more.",
        "Upload it again, and publish it as a new Pin.",
        "the file that was uploaded is not there any more",
    ),
    code(
        "video_upload_failed",
        "A video did not reach Pinterest.",
        "Check that its address opens without a login and quickly enough, and retry.",
        "the video did not reach Pinterest: the host fell silent",
    ),
    code(
        "video_failed",
        "Pinterest could not use a video.",
        "Check that it is H.264 or H.265 with AAC sound, 4 seconds to 15 minutes long, and retry.",
        "Pinterest could not use the video, and does not say why",
    ),
];
