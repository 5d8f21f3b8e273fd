//! Reading the configuration: which file, which variables, and in what order.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use toml::Value;

use crate::config::choices::Environment;
use crate::config::error::{ConfigError, Place};
use crate::config::layers::{Layer, Layers};
use crate::config::settings::Config;
use crate::config::{presets, resolve, variables};

/// The defaults, built into the program: a server needs no file beside it.
const DEFAULTS: &str = include_str!("../../config/default.toml");

/// Where to read the configuration from.
#[derive(Clone, Default)]
pub struct LoadOptions {
    /// The file of `--config`. Without one, `config/<environment>.toml` in the working folder is read if it is there.
    pub config_file: Option<PathBuf>,
    /// The preset of `--preset`, which goes before the one that a file or a variable names.
    pub preset: Option<String>,
    /// The variables, by name; those that do not start with `GRANTOR__` are left alone. See [`process_environment`].
    pub environment: BTreeMap<String, String>,
}

/// The environment variables of this process, for [`LoadOptions`]. What is not UTF-8 has its wrong bytes replaced.
#[must_use]
pub fn process_environment() -> BTreeMap<String, String> {
    let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
    std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect()
}

/// Reads and checks the configuration: the defaults, then a preset, then a file, then variables.
///
/// # Errors
/// When a file cannot be read, a key is unknown or a value is refused. The error is one line that names the key and the fix.
pub fn load(options: &LoadOptions) -> Result<Config, ConfigError> {
    load_in(Path::new(""), options)
}

impl Config {
    /// The defaults, in the environment given; no file and no variable is read.
    ///
    /// # Errors
    /// When the built-in defaults are refused, which a test rules out.
    pub fn default_with(environment: Environment) -> Result<Self, ConfigError> {
        let name = ("GRANTOR__ENVIRONMENT".to_owned(), environment.as_str().to_owned());
        let mut layers = Layers::new(Layer::toml(&Place::Defaults, DEFAULTS)?);
        layers.push(variables::layer(&BTreeMap::from([name]))?)?;
        finish(&layers)
    }
}

/// As [`load`], with `config/<environment>.toml` below this folder.
fn load_in(folder: &Path, options: &LoadOptions) -> Result<Config, ConfigError> {
    let mut uppermost = variables::layer(&options.environment)?;
    let file = file_layer(folder, options, &uppermost)?;
    if let Some(name) = &options.preset {
        uppermost.insert("preset".to_owned(), Place::Option("--preset"), Value::String(name.clone()));
    }
    let mut layers = Layers::new(Layer::toml(&Place::Defaults, DEFAULTS)?);
    let chosen = [Some(&uppermost), file.as_ref()].into_iter().flatten().find_map(|layer| layer.text("preset"));
    // A name that is none is refused when everything is checked, with the place where it stands.
    if let Some(preset) = chosen.and_then(|name| presets::find(name).ok()) {
        layers.push(Layer::toml(&Place::Preset(preset.as_str()), preset.text())?)?;
    }
    if let Some(file) = file {
        layers.push(file)?;
    }
    layers.push(uppermost)?;
    finish(&layers)
}

/// The layer of the one file that is read, if there is one.
fn file_layer(folder: &Path, options: &LoadOptions, variables: &Layer) -> Result<Option<Layer>, ConfigError> {
    if let Some(path) = &options.config_file {
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
        return Ok(Some(Layer::toml(&Place::File(path.clone()), &text)?));
    }
    let environment = chosen_environment(variables)?;
    let path = folder.join("config").join(format!("{}.toml", environment.as_str()));
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(environment_layer(&path, &text, environment)?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(&path, &error)),
    }
}

/// The environment whose file is read: the variable's, or production.
fn chosen_environment(variables: &Layer) -> Result<Environment, ConfigError> {
    let Some(name) = variables.text("environment") else {
        return Ok(Environment::Production);
    };
    Environment::parse(name).map_err(|refused| {
        let place = variables.place("environment").cloned().unwrap_or(Place::Unset);
        ConfigError::BadValue { key: refused.key, place, fix: refused.fix }
    })
}

/// The layer of `config/<environment>.toml`, which must not name another environment: half of one and half of the other
/// would hold.
fn environment_layer(path: &Path, text: &str, environment: Environment) -> Result<Layer, ConfigError> {
    let place = Place::File(path.to_owned());
    let layer = Layer::toml(&place, text)?;
    if layer.text("environment").is_some_and(|name| name != environment.as_str()) {
        let fix = "is not the environment this file is for; remove it here and set GRANTOR__ENVIRONMENT".to_owned();
        return Err(ConfigError::BadValue { key: "environment".to_owned(), place, fix });
    }
    Ok(layer)
}

/// From layers to the checked configuration.
fn finish(layers: &Layers) -> Result<Config, ConfigError> {
    resolve::resolve(layers.parse()?).map_err(|refused| ConfigError::BadValue {
        place: layers.place(&refused.key),
        key: refused.key,
        fix: refused.fix,
    })
}

/// The error for a file that cannot be read.
fn unreadable(path: &Path, error: &std::io::Error) -> ConfigError {
    ConfigError::Unreadable { path: path.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests;
