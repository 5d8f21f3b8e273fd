//! Programs that a developer can run as they are: they get a token where one is needed, and ask the API who they are.

mod curl;
mod go;
mod java;
mod node;
mod php;
mod python;

use crate::developer::call::{Call, Value};

crate::words! {
    /// The languages that there are programs in.
    Language {
        /// A shell, with curl and sed.
        Curl = "curl",
        /// Python 3, with nothing but its library.
        Python = "python",
        /// Node 18 or later.
        Node = "node",
        /// Java 11 or later.
        Java = "java",
        /// PHP 8, with its curl extension.
        Php = "php",
        /// Go.
        Go = "go",
    }
}

/// The program for a call. A secret that is not known is read from a variable of the environment.
#[must_use]
pub fn program(language: Language, call: &Call) -> String {
    match language {
        Language::Curl => curl::program(call),
        Language::Python => python::program(call),
        Language::Node => node::program(call),
        Language::Java => java::program(call),
        Language::Php => php::program(call),
        Language::Go => go::program(call),
    }
}

/// The name of the file that such a program is kept in.
#[must_use]
pub fn file_name(language: Language) -> &'static str {
    match language {
        Language::Curl => "who-am-i.sh",
        Language::Python => "who_am_i.py",
        Language::Node => "who-am-i.mjs",
        Language::Java => "WhoAmI.java",
        Language::Php => "who-am-i.php",
        Language::Go => "who_am_i.go",
    }
}

/// A text in double quotes, escaped as JSON does: Python, JavaScript, Java and Go read the same in it.
fn double_quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A value as an expression of a language whose texts are double-quoted.
fn expression(value: &Value, variable: impl Fn(&str) -> String) -> String {
    match value {
        Value::Known(text) => double_quoted(text),
        Value::Variable(name) => variable(name),
    }
}
