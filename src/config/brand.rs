//! What this installation is called, and what its pages look like.

use std::path::PathBuf;

use url::Url;

use crate::config::error::Refused;
use crate::config::parsed;
use crate::config::resolve::not_empty;

/// The endings of pictures that a browser shows, and their media types.
const LOGO_TYPES: &[(&str, &str)] =
    &[("svg", "image/svg+xml"), ("png", "image/png"), ("webp", "image/webp"), ("jpg", "image/jpeg")];

/// The largest picture in bytes: every page shows it.
const LOGO_BYTES: usize = 256 * 1024;

/// `[brand]`: what this installation is called, and what its pages look like.
#[derive(Debug, Clone)]
pub struct Brand {
    /// The name.
    pub name: String,
    /// Where people find help.
    pub support_url: Option<String>,
    /// The picture in the place of Grantor's mark.
    pub logo: Option<Logo>,
    /// Red, green and blue of buttons and links, where they are not Grantor's own.
    pub colour: Option<[u8; 3]>,
}

/// A picture, read at the start.
#[derive(Debug, Clone)]
pub struct Logo {
    /// Where it was read from.
    pub file: PathBuf,
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Checks `[brand]`.
///
/// # Errors
/// A name of more than one line, an address that is none, a picture that cannot be read, a colour that is none.
pub(crate) fn brand(parsed: parsed::Brand) -> Result<Brand, Refused> {
    let name = not_empty("brand.name", Some(parsed.name))?.unwrap_or_default();
    // It stands in the subject of messages.
    if name.contains(char::is_control) || name.chars().count() > 100 {
        return Err(Refused::new("brand.name", "must be one line of at most 100 characters"));
    }
    let support_url = not_empty("brand.support_url", parsed.support_url)?;
    if let Some(url) = &support_url
        && !Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "mailto"))
    {
        let fix = "is no address; write for instance \"https://support.example.com\" or \"mailto:help@example.com\"";
        return Err(Refused::new("brand.support_url", fix));
    }
    let colour = not_empty("brand.colour", parsed.colour)?
        .map(|text| colour(&text).ok_or_else(|| Refused::new("brand.colour", "must be written as \"#1a5fb4\"")))
        .transpose()?;
    Ok(Brand { name, support_url, logo: parsed.logo_file.map(logo).transpose()?, colour })
}

fn colour(text: &str) -> Option<[u8; 3]> {
    let digits = text
        .strip_prefix('#')
        .filter(|digits| digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    let channel = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
    Some([channel(0)?, channel(2)?, channel(4)?])
}

fn logo(file: PathBuf) -> Result<Logo, Refused> {
    let refused = |why: String| Refused::new("brand.logo_file", why);
    let end = file.extension().and_then(|end| end.to_str());
    let (_, media_type) = LOGO_TYPES
        .iter()
        .find(|(known, _)| Some(*known) == end)
        .ok_or_else(|| refused("must end with .svg, .png, .webp or .jpg".to_owned()))?;
    let bytes = std::fs::read(&file)
        .map_err(|error| refused(format!("{} cannot be read: {error}; check the path", file.display())))?;
    if bytes.len() > LOGO_BYTES {
        return Err(refused(format!("{} has more than 256 KiB", file.display())));
    }
    Ok(Logo { file, media_type, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(name: &str) -> parsed::Brand {
        parsed::Brand { name: name.to_owned(), support_url: None, logo_file: None, colour: None }
    }

    #[test]
    fn a_name_is_one_line() {
        assert!(brand(parsed("Example, Inc.")).is_ok());
        assert_eq!(brand(parsed("Example\r\nBcc: c@d")).unwrap_err().key, "brand.name");
    }

    #[test]
    fn a_colour_is_six_digits_and_a_logo_a_picture_that_is_there() {
        let coloured = |text: &str| brand(parsed::Brand { colour: Some(text.to_owned()), ..parsed("x") });
        assert_eq!(coloured("#1a5Fb4").unwrap().colour, Some([0x1a, 0x5f, 0xb4]));
        for wrong in ["1a5fb4", "#1a5fb", "#1a5fbg", "blue", "#+1+2+3"] {
            assert_eq!(coloured(wrong).unwrap_err().key, "brand.colour", "{wrong}");
        }
        let with = |file: &str| brand(parsed::Brand { logo_file: Some(file.into()), ..parsed("x") });
        for wrong in ["missing.svg", "Cargo.toml"] {
            assert_eq!(with(wrong).unwrap_err().key, "brand.logo_file", "{wrong}");
        }
    }
}
