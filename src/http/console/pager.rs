//! What stands below a list: how many rows it shows, and the way to the next ones.

use crate::http::paging::Page;

/// The foot of a list.
#[derive(Debug)]
pub struct Pager {
    /// How many rows are shown, and whether there are more.
    pub summary: String,
    /// Whether this is not the first page.
    pub is_later: bool,
    /// The first page.
    pub first: String,
    /// The next page.
    pub next: Option<String>,
}

impl Pager {
    /// For a page of a list at `path`; `query` are the parameters that the list keeps from page to page.
    #[must_use]
    pub fn of<T>(page: &Page<T>, path: &str, query: &[(&str, &str)], is_later: bool) -> Self {
        Self::named("cursor", page, path, query, is_later)
    }

    /// The same for one of several lists of a page: its cursor is the parameter of this name.
    #[must_use]
    pub fn named<T>(name: &str, page: &Page<T>, path: &str, query: &[(&str, &str)], is_later: bool) -> Self {
        let parameter = name;
        let address = |cursor: Option<&str>| {
            let mut pairs = url::form_urlencoded::Serializer::new(String::new());
            for (name, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
                pairs.append_pair(name, value);
            }
            if let Some(cursor) = cursor {
                pairs.append_pair(parameter, cursor);
            }
            let query = pairs.finish();
            if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
        };
        let shown = page.items.len();
        let more = page.next_cursor.is_some();
        let summary = match (shown, more || is_later) {
            (0, false) => "0 of 0".to_owned(),
            (shown, false) => format!("{shown} of {shown}"),
            (shown, true) => format!("{shown} on this page"),
        };
        Self {
            summary,
            is_later,
            first: address(None),
            next: page.next_cursor.as_deref().map(|next| address(Some(next))),
        }
    }
}
