//! Parts that many forms have. A macro of the template language is compiled anew into every page that calls it, and pages
//! of many fields took minutes to compile; a function is compiled once.

use askama::Template;

use crate::http::console::fields::Form;

/// A flag of a template, however often it is referred to.
pub trait Flag {
    /// Whether it is set.
    fn is_set(&self) -> bool;
}

impl Flag for bool {
    fn is_set(&self) -> bool {
        *self
    }
}

impl<T: Flag> Flag for &T {
    fn is_set(&self) -> bool {
        (**self).is_set()
    }
}

#[derive(Template)]
#[template(path = "parts/field.html")]
struct Field<'a> {
    name: &'a str,
    label: &'a str,
    kind: &'a str,
    hint: &'a str,
    required: bool,
    autocomplete: &'a str,
    is_area: bool,
    value: &'a str,
    error: &'a str,
}

impl Field<'_> {
    fn write(&self) -> String {
        self.render().unwrap_or_default()
    }
}

#[derive(Template)]
#[template(path = "parts/refusals.html")]
struct Refusals {
    texts: Vec<String>,
}

/// One line of text, as HTML. A password is never written back.
#[must_use]
pub fn field(
    form: impl AsRef<Form>,
    name: impl AsRef<str>,
    label: impl AsRef<str>,
    kind: impl AsRef<str>,
    hint: impl AsRef<str>,
    required: impl Flag,
    autocomplete: impl AsRef<str>,
) -> String {
    let (form, name) = (form.as_ref(), name.as_ref());
    let field = Field {
        name,
        label: label.as_ref(),
        kind: kind.as_ref(),
        hint: hint.as_ref(),
        required: required.is_set(),
        autocomplete: autocomplete.as_ref(),
        is_area: false,
        value: form.value(name),
        error: form.error(name),
    };
    field.write()
}

/// Several lines of text, as HTML.
#[must_use]
pub fn area(
    form: impl AsRef<Form>,
    name: impl AsRef<str>,
    label: impl AsRef<str>,
    hint: impl AsRef<str>,
    required: impl Flag,
) -> String {
    let (form, name) = (form.as_ref(), name.as_ref());
    let field = Field {
        name,
        label: label.as_ref(),
        kind: "text",
        hint: hint.as_ref(),
        required: required.is_set(),
        autocomplete: "off",
        is_area: true,
        value: form.value(name),
        error: form.error(name),
    };
    field.write()
}

/// What is wrong with a form as a whole, as HTML; nothing where nothing is.
#[must_use]
pub fn refusals(form: impl AsRef<Form>, shown: impl AsRef<str>) -> String {
    let form = form.as_ref();
    if !form.is_wrong() {
        return String::new();
    }
    Refusals { texts: form.refusals(shown.as_ref()) }.render().unwrap_or_default()
}
