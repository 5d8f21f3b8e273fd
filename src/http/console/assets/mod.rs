//! The one style sheet, the one script, the mark, and the brand's colours: each under a path that names its content, so
//! that a browser asks once.

use std::fmt::Write;
use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use actix_web::{HttpResponse, web};

use crate::crypto::digest::sha256;
use crate::http::console::shell::ConsoleSettings;
use crate::http::state::State;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
const MARK: &str = include_str!("mark.svg");

static NAMES: LazyLock<[String; 3]> = LazyLock::new(|| {
    [hashed("style.css", STYLE.as_bytes()), hashed("script.js", SCRIPT.as_bytes()), hashed("mark.svg", MARK.as_bytes())]
});

/// `style.css` → `style-1a2b3c4d5e6f.css`.
fn hashed(name: &str, content: &[u8]) -> String {
    let (stem, end) = name.rsplit_once('.').unwrap_or((name, ""));
    let mut hash = String::new();
    for byte in &sha256(content)[..6] {
        // Writing to a text cannot fail.
        let _ = write!(hash, "{byte:02x}");
    }
    format!("{stem}-{hash}.{end}")
}

/// The path of a file by its plain name.
#[must_use]
pub fn path_of(name: &str, console: &ConsoleSettings) -> String {
    let file = match name {
        "style.css" => NAMES[0].clone(),
        "script.js" => NAMES[1].clone(),
        "brand.css" => hashed(name, brand_sheet(console).as_bytes()),
        _ => match &console.brand.logo {
            Some(logo) => {
                let end = logo.file.extension().and_then(|end| end.to_str()).unwrap_or_default();
                hashed(&format!("logo.{end}"), &logo.bytes)
            }
            None => NAMES[2].clone(),
        },
    };
    format!("/console/assets/{file}")
}

/// The brand's colour with the shades that text and buttons need, each with enough contrast (WCAG 2.2, 1.4.3).
fn brand_sheet(console: &ConsoleSettings) -> String {
    let Some(colour) = console.brand.colour else { return String::new() };
    let (on_light, on_dark) = shades(colour);
    let hex = |[red, green, blue]: [u8; 3]| format!("#{red:02x}{green:02x}{blue:02x}");
    format!(
        ":root{{--accent:{light};--on-accent:#ffffff}}\
         @media (prefers-color-scheme:dark){{:root{{--accent:{dark};--on-accent:#11131a}}}}",
        light = hex(on_light),
        dark = hex(on_dark),
    )
}

/// What stands behind text in the brand's colour where that is hardest to read: `--wash` of the style sheet, in light and
/// in dark. White, and the dark paper, are further away from it.
const WASHES: [[u8; 3]; 2] = [[0xea, 0xee, 0xfa], [0x23, 0x2a, 0x3f]];

/// The colour as it can be read on light, and on dark.
fn shades(colour: [u8; 3]) -> ([u8; 3], [u8; 3]) {
    let on = |ground: [u8; 3], towards: [u8; 3]| shade(colour, |one| contrast(one, ground) >= 4.6, towards);
    (on(WASHES[0], [0, 0, 0]), on(WASHES[1], [255, 255, 255]))
}

/// The colour, moved towards another one until it is good.
fn shade(colour: [u8; 3], is_good: impl Fn([u8; 3]) -> bool, towards: [u8; 3]) -> [u8; 3] {
    let mixed = |step: u32| {
        let mut mixed = colour;
        for (channel, target) in mixed.iter_mut().zip(towards) {
            let part = u32::from(*channel) * (20 - step) + u32::from(target) * step;
            *channel = u8::try_from(part / 20).unwrap_or(*channel);
        }
        mixed
    };
    (0..=20).map(mixed).find(|candidate| is_good(*candidate)).unwrap_or(towards)
}

/// WCAG 2.2's contrast ratio of two colours.
fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let luminance = |colour: [u8; 3]| {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2])
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// `GET /console/assets/{name}`.
pub async fn file(state: web::Data<State>, name: web::Path<String>) -> HttpResponse {
    let console = state.console();
    let path = format!("/console/assets/{name}");
    let is = |plain: &str| path_of(plain, console) == path;
    let (media_type, bytes): (&str, Vec<u8>) = if is("style.css") {
        ("text/css; charset=utf-8", STYLE.into())
    } else if is("script.js") {
        ("text/javascript; charset=utf-8", SCRIPT.into())
    } else if is("brand.css") {
        ("text/css; charset=utf-8", brand_sheet(console).into())
    } else if is("logo") {
        match &console.brand.logo {
            Some(logo) => (logo.media_type, logo.bytes.clone()),
            None => ("image/svg+xml", MARK.into()),
        }
    } else {
        return HttpResponse::NotFound().finish();
    };
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        // A picture of somebody's own may hold anything, and opened by itself it is a document.
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox"))
        .content_type(media_type)
        .body(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_brand_colour_is_readable_on_light_and_on_dark() {
        for colour in [[255, 255, 0], [0, 0, 0], [255, 255, 255], [26, 95, 180], [255, 0, 128], [148, 82, 186]] {
            let (light, dark) = shades(colour);
            for (text, ground) in [(light, [255; 3]), (light, WASHES[0]), (dark, [23, 26, 33]), (dark, WASHES[1])] {
                assert!(contrast(text, ground) >= 4.5, "{colour:?}: {text:?} on {ground:?}");
            }
            assert!(STYLE.contains("--wash: #eaeefa") && STYLE.contains("--wash: #232a3f"));
        }
    }
}
