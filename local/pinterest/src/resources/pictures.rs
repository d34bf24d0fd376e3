//! The addresses of pictures.

use serde_json::{Value, json};

use crate::state::{Picture, Pin};

/// The address of each picture of a Pin: its own, or one of this server if the picture came as data.
pub(crate) fn picture_addresses(pin: &Pin, origin: &str) -> Vec<String> {
    let address = |(index, picture): (usize, &Picture)| match picture {
        Picture::Address(address) => address.clone(),
        Picture::Data { .. } => format!("{origin}/sim/pictures/{}/{index}", pin.id),
    };
    pin.media.pictures().into_iter().enumerate().map(address).collect()
}

/// The address of the small picture of a Pin.
pub(crate) fn thumbnail(pin: &Pin, origin: &str) -> String {
    let first = picture_addresses(pin, origin).into_iter().next();
    first.unwrap_or_else(|| format!("{origin}/sim/video.svg"))
}

/// The sizes that Pinterest offers. All have the original address, because nothing is scaled here.
pub(crate) fn picture_sizes(address: &str) -> Value {
    let size = |width: u32, height: u32| json!({ "width": width, "height": height, "url": address });
    json!({
        "150x150": size(150, 150),
        "400x300": size(400, 300),
        "600x": size(600, 900),
        "1200x": size(1000, 1500),
    })
}
