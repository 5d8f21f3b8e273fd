//! Presets: the dialects of platforms, each a layer over the defaults, built into the program.

use crate::config::error::Refused;

crate::words! {
    /// The dialect of one platform.
    Preset {
        /// A generated username and password, through one public client.
        Biotz = "biotz",
        /// Applications with a client id and a secret, as headers.
        Buymed = "buymed",
        /// An API key with a user and a business.
        Kizen = "kizen",
        /// An API user, a role and an API connection.
        Akeneo = "akeneo",
        /// Users with access methods, and HTTP Basic.
        Bandwidth = "bandwidth",
    }
}

impl Preset {
    /// Its layer, as TOML.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Biotz => include_str!("../../config/presets/biotz.toml"),
            Self::Buymed => include_str!("../../config/presets/buymed.toml"),
            Self::Kizen => include_str!("../../config/presets/kizen.toml"),
            Self::Akeneo => include_str!("../../config/presets/akeneo.toml"),
            Self::Bandwidth => include_str!("../../config/presets/bandwidth.toml"),
        }
    }
}

/// The preset of a name.
///
/// # Errors
/// A name that is none, with the one that was meant.
pub(crate) fn find(name: &str) -> Result<Preset, Refused> {
    if let Ok(preset) = name.trim().parse() {
        return Ok(preset);
    }
    let wrong = name.to_lowercase();
    let likeness = |preset: Preset| strsim::normalized_damerau_levenshtein(&wrong, preset.as_str());
    let nearest = Preset::ALL.iter().copied().max_by(|a, b| likeness(*a).total_cmp(&likeness(*b)));
    let fix = match nearest.filter(|preset| likeness(*preset) >= 0.6) {
        Some(meant) => format!("is {name:?}; did you mean \"{meant}\"?"),
        None => format!("is {name:?}; must be {}", names()),
    };
    Err(Refused::new("preset", fix))
}

/// The names, as an error lists them.
fn names() -> String {
    let quoted: Vec<String> = Preset::ALL.iter().map(|preset| format!("\"{preset}\"")).collect();
    match quoted.split_last() {
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}
