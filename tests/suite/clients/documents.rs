//! What the pages say: every setting is described, and links lead somewhere.

use std::fs;
use std::path::{Path, PathBuf};

use super::installed::source;

fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = ["", "docs", "docs/journeys"]
        .iter()
        .flat_map(|folder| fs::read_dir(source(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect();
    pages.sort();
    pages
}

#[test]
fn the_page_of_the_configuration_has_every_setting() {
    let page = fs::read_to_string(source("docs/configuration.md")).unwrap();
    let settings = fs::read_to_string(source("config/default.toml")).unwrap();
    let named = |line: &str| {
        let (key, _) = line.strip_prefix("# ").unwrap_or(line).split_once(" = ")?;
        key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_').then(|| key.to_owned())
    };
    let unknown: Vec<String> =
        settings.lines().filter_map(named).filter(|key| !page.contains(&format!("`{key}`"))).collect();
    assert!(unknown.is_empty(), "not in docs/configuration.md: {unknown:?}");
}

#[test]
fn links_between_the_pages_lead_somewhere() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || target.contains("://") {
                continue;
            }
            let found = page.parent().unwrap_or(Path::new("")).join(file);
            assert!(found.exists(), "{}: {target}", page.display());
        }
    }
}
