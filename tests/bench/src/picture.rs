//! The comparison as a picture: for each row three bars, to the scale of the longest.

use std::fmt::Write;

use crate::{
    figures::{Compared, Figures},
    table::{ROWS, Row},
};

const WIDTH: f64 = 860.0;
/// Where bars begin, and how long the longest is: names stand before them, values behind.
const LEFT: f64 = 250.0;
const LONGEST: f64 = 400.0;
/// Of one bar with its space.
const BAR: f64 = 16.0;
/// Of one row with its space.
const ROW: f64 = 3.0 * BAR + 14.0;
/// For the legend.
const TOP: f64 = 40.0;

/// Neither colour needs to know what is behind it; text does.
const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#24292f}.value{font-size:12px}\
    @media(prefers-color-scheme:dark){text{fill:#d0d7de}}\
    .floor{fill:#8b949e}.publish{fill:#2da44e}.tutorial{fill:#d4722c}";

/// Draws it.
pub(crate) fn of(figures: &Figures) -> String {
    let Figures { floor, publish, tutorial, .. } = figures;
    let programs = [("floor", floor), ("publish", publish), ("tutorial", tutorial)];
    let mut shapes = String::new();
    for (place, (name, _)) in (0_u8..).zip(&programs) {
        let x = LEFT + 130.0 * f64::from(place);
        add(
            &mut shapes,
            format_args!(r#"<rect class="{name}" x="{x}" y="12" width="12" height="12" rx="2"/>"#),
        );
        add(&mut shapes, format_args!(r#"<text x="{}" y="23">{name}</text>"#, x + 18.0));
    }
    let mut y = TOP;
    for row in ROWS.iter().filter(|row| row.value(tutorial).is_some()) {
        add(&mut shapes, format_args!(r#"<text x="0" y="{}">{}</text>"#, y + 1.9 * BAR, row.name));
        for (name, one) in programs {
            bar(&mut shapes, y, name, one, row, figures);
            y += BAR;
        }
        y += ROW - 3.0 * BAR;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {y}\" width=\"{WIDTH}\" height=\"{y}\" role=\"img\" \
         aria-label=\"The floor, publish and the tutorial, compared\">\n<style>{STYLE}</style>\n{shapes}</svg>\n"
    )
}

fn bar(shapes: &mut String, y: f64, name: &str, one: &Compared, row: &Row, figures: &Figures) {
    let Figures { floor, publish, tutorial, .. } = figures;
    let longest =
        [floor, publish, tutorial].into_iter().filter_map(|one| row.value(one)).fold(1e-9, f64::max);
    let length = (LONGEST * row.value(one).unwrap_or_default() / longest).max(1.0);
    let ratio = match name {
        "publish" => row.ratio(publish, floor).map(|ratio| format!(" ({ratio} the floor)")),
        "tutorial" => row.ratio(tutorial, publish).map(|ratio| format!(" ({ratio} publish)")),
        _ => None,
    };
    let ratio = ratio.unwrap_or_default();
    let height = BAR - 3.0;
    add(
        shapes,
        format_args!(
            r#"<rect class="{name}" x="{LEFT}" y="{y:.1}" width="{length:.1}" height="{height}" rx="2"/>"#
        ),
    );
    let (x, y) = (LEFT + length + 6.0, y + height - 2.0);
    add(shapes, format_args!(r#"<text class="value" x="{x:.1}" y="{y:.1}">{}{ratio}</text>"#, row.text(one)));
}

fn add(shapes: &mut String, shape: std::fmt::Arguments<'_>) {
    // Writing to a text cannot fail.
    writeln!(shapes, "{shape}").ok();
}
