//! What a preset is mostly about: reveal policies, profiles, and the words of the console.

use std::collections::BTreeMap;

use crate::config::error::Refused;
use crate::config::parsed;
use crate::config::settings::Reveal;
use crate::model::grant_type::GrantType;
use crate::model::profile::{PhonePattern, ProfileField, ProfileRules};
use crate::model::reveal::RevealPolicy;
use crate::model::states::UnknownWord;
use crate::model::wording::{ConsoleWord, ConsoleWords};

/// The longest word of the console, in characters: more would not fit on a button.
const LONGEST_WORD: usize = 60;

/// Checks `credentials.new_client_grants`.
///
/// # Errors
/// [`Refused`] for a word that is no grant.
pub(crate) fn new_client_grants(words: &[String]) -> Result<Vec<GrantType>, Refused> {
    let grant = |word: &String| {
        word.parse().map_err(|cause: UnknownWord| Refused::new("credentials.new_client_grants", cause.to_string()))
    };
    words.iter().map(grant).collect()
}

/// Checks `[credentials.reveal]`.
///
/// # Errors
/// A policy that is none, or another one than `once` for generated passwords.
pub(crate) fn reveal(parsed: &parsed::Reveal) -> Result<Reveal, Refused> {
    let policy = |name: &str, text: &str| {
        let key = format!("credentials.reveal.{name}");
        text.parse::<RevealPolicy>().map_err(|_| Refused::new(key, "must be \"once\" or \"always\""))
    };
    if policy("generated_password", &parsed.generated_password)? != RevealPolicy::Once {
        let fix = "must be \"once\": a generated password is never shown again";
        return Err(Refused::new("credentials.reveal.generated_password", fix));
    }
    Ok(Reveal {
        client_secret: policy("client_secret", &parsed.client_secret)?,
        api_key: policy("api_key", &parsed.api_key)?,
    })
}

/// Checks `[users]`.
///
/// # Errors
/// A field that no profile has, a list without the username, or a pattern that is none.
pub(crate) fn users(parsed: &parsed::Users) -> Result<ProfileRules, Refused> {
    let refused = |fix: String| Refused::new("users.required_fields", fix);
    let mut required: Vec<ProfileField> = Vec::with_capacity(parsed.required_fields.len());
    for name in &parsed.required_fields {
        let field = name.parse().map_err(|unknown: UnknownWord| refused(unknown.to_string()))?;
        if required.contains(&field) {
            return Err(refused(format!("\"{field}\" stands there twice; remove one of the two")));
        }
        required.push(field);
    }
    if !required.contains(&ProfileField::Username) {
        return Err(refused("must hold \"username\": nobody is without one".to_owned()));
    }
    let phone = PhonePattern::parse(&parsed.phone_pattern)
        .map_err(|cause| Refused::new("users.phone_pattern", cause.to_string()))?;
    Ok(ProfileRules { required, phone })
}

/// Checks `[console.words]`.
///
/// # Errors
/// A word without a text, or with one that no button has room for.
pub(crate) fn words(parsed: parsed::Console) -> Result<ConsoleWords, Refused> {
    let refused = |word: &str, fix: String| Refused::new(format!("console.words.{word}"), fix);
    let mut texts = BTreeMap::new();
    for (key, text) in parsed.words {
        let word: ConsoleWord = key.parse().map_err(|unknown: UnknownWord| refused(&key, unknown.to_string()))?;
        let fits = (1..=LONGEST_WORD).contains(&text.trim().chars().count()) && !text.contains(char::is_control);
        if !fits {
            return Err(refused(&key, format!("must be 1 to {LONGEST_WORD} characters on one line")));
        }
        texts.insert(word, text.trim().to_owned());
    }
    ConsoleWords::new(texts).map_err(|missing| refused(missing.as_str(), "is missing".to_owned()))
}
