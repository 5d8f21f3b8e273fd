//! The pictures of the documentation: taken by a real browser over the data of `quickstart --demo`. `just pictures`
//! puts them where the documentation shows them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::cli::quickstart::Quickstart;
use crate::harness::{Browser, Database, Installation, Looks};

pub const PASSWORD: &str = "correct-horse-battery-staple";
pub const ADMINISTRATOR: &str = "ada.larsson";
const DEVELOPER: &str = "ben.okafor";

/// The pictures of one platform; those of no platform are the console's own.
pub struct Album {
    installation: Installation,
    _serving: Quickstart,
    platform: &'static str,
    folder: PathBuf,
    taken: BTreeSet<String>,
}

impl Album {
    pub fn open(platform: &'static str) -> Self {
        let mut installation = Installation::new(Database::Sqlite);
        let mut arguments = vec!["--demo"];
        if platform != "console" {
            arguments.extend(["--like", platform]);
            installation.set("preset", platform);
        }
        let serving = Quickstart::start(&installation, &arguments);
        let folder = std::env::var_os("GRANTOR_TEST_PICTURES")
            .map_or_else(|| installation.path().join("pictures"), |folder| root().join(folder));
        Self { installation, _serving: serving, platform, folder, taken: BTreeSet::new() }
    }

    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    fn browser(&self, username: &str) -> Option<Browser> {
        self.browser_like(username, Looks::default())
    }

    /// Somebody signed in, in a browser that looks so.
    pub fn browser_like(&self, username: &str, looks: Looks) -> Option<Browser> {
        let arguments = ["user", "set-password", username, "--password-stdin"];
        assert!(self.installation.run_with(&arguments, PASSWORD).status.success());
        let browser = Browser::at(&self.installation.base(), looks)?;
        browser.sign_in(username, PASSWORD);
        Some(browser)
    }

    fn take(&mut self, browser: &Browser, name: &str) {
        let file = format!("{}-{name}.png", self.platform);
        browser.screenshot(&self.folder.join(&file));
        self.taken.insert(file);
    }

    /// Each picture is shown somewhere, and what is shown is there.
    fn all_are_shown(self) {
        let shown: BTreeSet<String> =
            shown().into_iter().filter(|file| file.starts_with(&format!("{}-", self.platform))).collect();
        assert_eq!(self.taken, shown);
        for file in shown {
            assert!(root().join("docs/images").join(&file).is_file(), "`just pictures` takes {file}");
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The names of the pictures that the documentation shows.
fn shown() -> BTreeSet<String> {
    let pages = ["docs", "docs/journeys"].map(|folder| std::fs::read_dir(root().join(folder)).unwrap());
    let pages = pages.into_iter().flatten().map(|page| page.unwrap().path()).chain([root().join("README.md")]);
    let mut names = BTreeSet::new();
    for page in pages.filter(|page| page.extension().is_some_and(|end| end == "md")) {
        let text = std::fs::read_to_string(page).unwrap();
        let after = text.split("images/").skip(1).filter_map(|rest| rest.split_once(".png"));
        names.extend(after.map(|(name, _)| format!("{name}.png")));
    }
    names
}

#[test]
fn of_the_console() {
    let mut album = Album::open("console");
    let Some(browser) = album.browser(ADMINISTRATOR) else { return };
    album.take(&browser, "home");
    browser.press("Applications");
    browser.press("Warehouse robot");
    browser.press("Usage");
    album.take(&browser, "usage");
    browser.press("Approvals");
    album.take(&browser, "approvals");
    browser.press("Audit");
    album.take(&browser, "audit");
    browser.press("Reports");
    album.take(&browser, "reports");
    album.all_are_shown();
}

#[test]
fn of_the_way_that_biotz_describes() {
    let mut album = Album::open("biotz");
    let Some(browser) = album.browser(DEVELOPER) else { return };
    browser.press("Credentials");
    browser.sees("warehouse");
    album.take(&browser, "credentials");
    browser.press("New credentials");
    browser.fill("Name", "night shift");
    browser.fill("Description", "Counts the stock at four in the morning");
    browser.press("Save");
    browser.sees("This is shown only now.");
    album.take(&browser, "shown-once");
    album.all_are_shown();
}

#[test]
fn of_the_way_that_buymed_describes() {
    let mut album = Album::open("buymed");
    let Some(browser) = album.browser(DEVELOPER) else { return };
    browser.press("Apps");
    browser.press("Nightly report");
    browser.press("Settings");
    browser.sees("Security");
    album.take(&browser, "security");
    browser.press("API Scopes");
    album.take(&browser, "scopes");
    album.all_are_shown();
}

#[test]
fn of_the_way_that_kizen_describes() {
    let mut album = Album::open("kizen");
    let Some(browser) = album.browser(DEVELOPER) else { return };
    browser.press("b ben.okafor");
    browser.press("My Profile");
    browser.press("API Connections");
    browser.sees("Build pipeline");
    album.take(&browser, "api-connections");
    browser.press("+ Add API key");
    browser.sees("API Key Created");
    album.take(&browser, "created");
    album.all_are_shown();
}

#[test]
fn of_the_way_that_akeneo_describes() {
    let mut album = Album::open("akeneo");
    let Some(browser) = album.browser(ADMINISTRATOR) else { return };
    browser.press("Roles");
    browser.press("order reader");
    browser.press("Web API permissions");
    browser.sees("Overall Web API access");
    album.take(&browser, "web-api-permissions");
    browser.press("API connections");
    album.take(&browser, "connections");
    album.all_are_shown();
}

#[test]
fn of_the_way_that_bandwidth_describes() {
    let mut album = Album::open("bandwidth");
    let Some(browser) = album.browser(ADMINISTRATOR) else { return };
    browser.press("Users");
    browser.sees("dora.silva");
    album.take(&browser, "users");
    browser.press("Add");
    album.take(&browser, "add");
    browser.press("Reports");
    album.take(&browser, "reports");
    album.all_are_shown();
}
