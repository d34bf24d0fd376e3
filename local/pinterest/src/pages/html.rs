//! What all pages share.

use axum::{
    http::{StatusCode, header::CONTENT_SECURITY_POLICY},
    response::{Html, IntoResponse, Response},
};

/// No scripts. Pictures from any address, because the pictures of Pins may be anywhere.
const SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src *; base-uri 'none'; \
                        frame-ancestors 'none'";

const STYLE: &str = "\
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 0 auto; padding: 1.5rem }
h1 { font-size: 1.5rem } h2 { margin-top: 2rem } a { color: inherit }
.note { color: light-dark(#555, #bbb) }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); gap: 1rem; padding: 0 }
.card { list-style: none; border: 1px solid GrayText; border-radius: 1rem; overflow: hidden }
.card img { display: block; width: 100%; aspect-ratio: 2 / 3; object-fit: cover; background: #8883 }
.card div { padding: .75rem; overflow-wrap: anywhere }
.pin img { max-width: min(100%, 30rem); border-radius: 1rem }
.ask { max-width: 30rem; margin: 10vh auto }
fieldset { border: 1px solid GrayText; border-radius: .5rem; margin: 1rem 0 }
label { display: block; padding: .25rem 0 }
button { font: inherit; padding: .5rem 1.5rem; border: 1px solid #767676; border-radius: 2rem; cursor: pointer }
button.main { background: #cc0020; border-color: #cc0020; color: #fff }
";

/// A complete page around `body`, which is HTML.
pub(crate) fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let title = escape(title);
    let document = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} – simulated Pinterest</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n{body}\n</body>\n</html>\n"
    );
    (status, [(CONTENT_SECURITY_POLICY, SECURITY_POLICY)], Html(document)).into_response()
}

/// Escapes text for elements and quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            harmless => escaped.push(harmless),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn markup_in_text_stays_text() {
        assert_eq!(escape("<b title=\"'&\">"), "&lt;b title=&quot;&#39;&amp;&quot;&gt;");
    }
}
