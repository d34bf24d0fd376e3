//! How late Pins are by the number of those that are due, before and after, as a picture.

use std::fmt::Write as _;

use serde_json::Value;

use super::document::{BEFORE, thousands};

const WIDTH: f64 = 860.0;
/// Where bars begin, and how long the longest is: names stand before them, seconds behind.
const LEFT: f64 = 250.0;
const LONGEST: f64 = 480.0;
/// Of one bar with its space.
const BAR: f64 = 16.0;
/// Between two sizes.
const GAP: f64 = 16.0;
/// For the legend.
const TOP: f64 = 40.0;

/// Neither colour needs to know what is behind it; text does.
const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#24292f}.value{font-size:12px}\
    @media(prefers-color-scheme:dark){text{fill:#d0d7de}}.before{fill:#d4722c}.after{fill:#2da44e}\
    .late{fill-opacity:.55}";

/// Draws it.
pub(super) fn of(results: &[Value]) -> String {
    let groups = results.iter().map(|of| (thousands(&of["pins"]), bars(of)));
    let groups: Vec<_> = groups.collect();
    let longest = groups.iter().flat_map(|(_, bars)| bars).map(|bar| bar.seconds).fold(1.0, f64::max);
    let (mut shapes, mut y) = (String::new(), TOP);
    for (x, class, what) in [
        (LEFT, "before", "before, half"),
        (LEFT + 150.0, "before late", "before, the last"),
        (LEFT + 300.0, "after", "half"),
        (LEFT + 390.0, "after late", "99 %"),
    ] {
        shape(&mut shapes, class, [x, 12.0, 12.0, 12.0]);
        writeln!(shapes, "<text x=\"{}\" y=\"23\">{what}</text>", x + 18.0).unwrap_or_default();
    }
    for (pins, bars) in groups {
        writeln!(shapes, "<text x=\"0\" y=\"{:.1}\">{pins} Pins in one minute</text>", y + 11.0)
            .unwrap_or_default();
        for Bar { class, seconds } in bars {
            let length = (seconds / longest * LONGEST).max(1.0);
            shape(&mut shapes, class, [LEFT, y, length, BAR - 3.0]);
            let (x, base) = (LEFT + length + 6.0, y + 11.0);
            writeln!(shapes, "<text class=\"value\" x=\"{x:.1}\" y=\"{base:.1}\">{seconds:.1} s</text>")
                .unwrap_or_default();
            y += BAR;
        }
        y += GAP;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {y}\" width=\"{WIDTH}\" height=\"{y}\" role=\"img\" \
         aria-label=\"How late Pins are, by the number that is due in one minute\">\n<style>{STYLE}</style>\n{shapes}</svg>\n"
    )
}

struct Bar {
    class: &'static str,
    seconds: f64,
}

fn bars(of: &Value) -> Vec<Bar> {
    let before = BEFORE.into_iter().filter(|(pins, ..)| of["pins"] == *pins);
    let before = before.flat_map(|(_, half, last, _)| {
        half.map(|seconds| Bar { class: "before", seconds })
            .into_iter()
            .chain([Bar { class: "before late", seconds: last }])
    });
    let after = [("after", "p50_s"), ("after late", "p99_s")]
        .map(|(class, name)| Bar { class, seconds: of[name].as_f64().unwrap_or_default() });
    before.chain(after).collect()
}

fn shape(shapes: &mut String, class: &str, [x, y, width, height]: [f64; 4]) {
    writeln!(
        shapes,
        "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"2\"/>"
    ).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::document::tests::results;

    #[test]
    fn each_size_has_its_bars_to_one_scale() {
        let picture = of(&results());
        assert_eq!(picture.matches("<rect").count(), 4 + 3 + 2, "{picture}");
        assert!(picture.contains("2,000 Pins in one minute") && picture.contains(">84.0 s<"), "{picture}");
        assert!(picture.contains("width=\"480.0\""), "the longest is as long as there is room");
    }
}
