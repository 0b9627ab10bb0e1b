//! Rendering of untrusted Markdown to HTML that is safe to embed in a page.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Arc, LazyLock};

use ammonia::{Builder, UrlRelative};
use pulldown_cmark::{Event, Options, Parser, html};
use tokio::task::JoinError;

/// Allows the elements that Markdown produces and URLs of these schemes. Relative URLs are removed: their base is
/// unknown. [`render`] already drops raw HTML; this is a second barrier against scripts, styles, forms, frames and
/// handlers.
static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::default();
    builder
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("nofollow noopener"));
    builder
});

/// The deepest nesting of elements. The time that parsing the HTML takes grows with the depth.
const DEEPEST: usize = 32;

/// Renders Markdown (CommonMark with tables and strikethrough) to sanitized HTML. Any input is accepted; raw HTML and
/// elements that are nested too deeply are dropped.
pub fn render(markdown: &str) -> String {
    let mut depth = 0_usize;
    let events = Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH);
    let events = events.filter(|event| match event {
        Event::Start(_) => {
            depth += 1;
            depth <= DEEPEST
        }
        Event::End(_) => {
            depth = depth.saturating_sub(1);
            depth < DEEPEST
        }
        Event::Html(_) | Event::InlineHtml(_) => false,
        _ => true,
    });
    let mut raw = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut raw, events);
    CLEANER.clean(&raw).to_string()
}

/// Renders texts like [`render`], each for the key that `key` makes of its id, on a blocking thread because a long text
/// takes milliseconds.
///
/// # Errors
/// The program is stopping.
pub async fn render_all<I, T, K>(
    texts: impl IntoIterator<Item = (I, T)> + Send + 'static,
    key: fn(I) -> K,
) -> Result<HashMap<K, Arc<str>>, JoinError>
where
    I: 'static,
    T: AsRef<str>,
    K: Eq + Hash + Send + 'static,
{
    let rendering = move || texts.into_iter().map(|(id, text)| (key(id), render(text.as_ref()).into())).collect();
    tokio::task::spawn_blocking(rendering).await
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: [&str; 15] = [
        "script", "svg", "math", "iframe", "object", "embed", "form", "input", "style", "base", "meta", "link",
        "video", "template", "noscript",
    ];

    #[test]
    fn what_markdown_makes_stays() {
        let shown = render("# Rust\n\n- **bold** and ~~gone~~\n\n| a |\n|---|\n| 1 < 2 |\n\n```\n<b>\n```\n");
        for part in ["<h1>Rust</h1>", "<strong>bold</strong>", "<del>gone</del>", "<td>1 &lt; 2</td>", "&lt;b&gt;"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        let link = render("[site](https://a.example/?q=1&r=2 \"t\") and ![alt](https://a.example/x.png)");
        assert!(link.contains("href=\"https://a.example/?q=1&amp;r=2\""), "{link}");
        assert!(
            link.contains("rel=\"nofollow noopener\"") && link.contains("src=\"https://a.example/x.png\""),
            "{link}"
        );
        assert_eq!(render(""), "");
    }

    #[test]
    fn nothing_that_runs_or_leads_astray_gets_through() {
        for hostile in [
            "<script>alert(1)</script>",
            "<ScRiPt src=https://evil.example/x.js></sCrIpT>",
            "<img src=x onerror=alert(1)>",
            "<img src=\"javascript:alert(1)\">",
            "<svg/onload=alert(1)>",
            "<svg><script>alert(1)</script></svg>",
            "<math><mi xlink:href=\"javascript:alert(1)\">x</mi></math>",
            "<iframe src=https://evil.example></iframe>",
            "<object data=https://evil.example></object><embed src=https://evil.example>",
            "<form action=https://evil.example><input name=password></form>",
            "<style>body{background:url(javascript:alert(1))}</style>",
            "<p style=\"position:fixed;inset:0\">x</p>",
            "<a href=\"https://a.example\" onclick=\"alert(1)\" target=\"_blank\">x</a>",
            "<a href=\"&#106;avascript:alert(1)\">x</a>",
            "<a href=\"java\nscript:alert(1)\">x</a>",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](&#x6A;avascript&colon;alert(1))",
            "[x](data:text/html;base64,PHNjcmlwdD4=)",
            "[x](vbscript:msgbox)",
            "![x](javascript:alert(1))",
            "<javascript:alert(1)>",
            "[x]: javascript:alert(1)\n\n[x]",
            "[x](//evil.example/path)",
            "<base href=https://evil.example><meta http-equiv=refresh content=0>",
            "<link rel=stylesheet href=https://evil.example/x.css>",
            "<!--><script>alert(1)</script>-->",
            "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
            "<template><script>alert(1)</script></template>",
            "<div id=app class=admin>x</div>",
            "`<b>`<video src=x onloadstart=alert(1)>",
        ] {
            for shown in [render(hostile), CLEANER.clean(hostile).to_string()] {
                let shown = shown.to_lowercase();
                // The text may spell any of these harmlessly; only what is between `<` and `>` is active.
                let tags: Vec<&str> = shown.split('<').skip(1).filter_map(|tag| tag.split('>').next()).collect();
                for tag in tags {
                    let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
                    assert!(!NEVER.contains(&name), "{hostile}: {shown}");
                    for part in [" on", "style=", "script:", "data:", "\"//", " id=", " class=", "target="] {
                        assert!(!tag.contains(part), "{hostile}: {shown} has {part}");
                    }
                }
            }
        }
        assert_eq!(render("Hi <script>alert(1)</script>"), "<p>Hi alert(1)</p>\n", "a text, no script");
    }

    #[test]
    fn a_text_made_to_be_slow_is_rendered_all_the_same() {
        for hostile in [">", "- ", "[", "![", "*a_", "<div>", "`", "&#", "|-", "<b"] {
            let text: String = hostile.repeat(20_000 / hostile.len());
            let shown = render(&text);
            let deep = shown.matches("<blockquote>").count().max(shown.matches("<ul>").count());
            assert!(deep <= DEEPEST && shown.len() < 400_000, "{hostile}: {} bytes", shown.len());
        }
    }
}
