//! A real browser: Debian's Chromium, driven by WebDriver, that finds things by the names that people see.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::builders::TestUser;
use super::requirement::{missing, program};
use super::server::Server;

/// How long something may take to appear.
const PATIENCE: Duration = Duration::from_secs(10);

/// What kind of browser.
#[derive(Debug, Clone, Copy)]
pub struct Looks {
    /// Whether pages may run scripts.
    pub script: bool,
    /// Whether its user prefers dark pages.
    pub dark: bool,
    /// Pixels.
    pub width: u32,
}

impl Default for Looks {
    fn default() -> Self {
        Self { script: true, dark: false, width: 1280 }
    }
}

impl Looks {
    pub fn without_script() -> Self {
        Self { script: false, ..Self::default() }
    }
}

/// One browser with one window.
pub struct Browser {
    runtime: tokio::runtime::Runtime,
    client: Option<Client>,
    driver: Child,
    folder: TempDir,
    base: String,
}

impl Browser {
    /// Starts one for a server; none, said loudly, where there is no Chromium.
    pub fn start(server: &Server, looks: Looks) -> Option<Self> {
        Self::at(server.base(), looks)
    }

    /// Starts one for the server at this address.
    pub fn at(base: &str, looks: Looks) -> Option<Self> {
        let (Some(chromium), Some(chromedriver)) = (program("chromium"), program("chromedriver")) else {
            missing("Chromium and its driver");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        // It takes a port that is free for IPv4, and ends where the same one is not free for IPv6.
        let (driver, port) = (0..10).find_map(|_| driver(&chromedriver)).expect("chromedriver says its port");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let capabilities = json!({
            "goog:chromeOptions": {
                "binary": chromium,
                "args": [
                    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                    "--disable-background-networking", "--disable-component-update", "--disable-sync",
                    "--disable-dev-shm-usage", "--hide-scrollbars",
                    format!("--user-data-dir={}", folder.path().join("profile").display()),
                    format!("--blink-settings=preferredColorScheme={}", i32::from(!looks.dark)),
                    format!("--window-size={},900", looks.width.max(500)),
                ],
                "prefs": {
                    "download.default_directory": folder.path().join("downloads"),
                    "download.prompt_for_download": false,
                    "credentials_enable_service": false,
                    "profile.managed_default_content_settings.javascript": if looks.script { 1 } else { 2 },
                },
            },
            "timeouts": { "script": 60_000, "pageLoad": 60_000, "implicit": 0 },
        });
        let mut capabilities = capabilities;
        if looks.width < 500 {
            capabilities["goog:chromeOptions"]["mobileEmulation"] = json!({ "deviceMetrics": { "width": looks.width, "height": 800, "pixelRatio": 1.0, "touch": false, "mobile": false } });
        }
        let Value::Object(capabilities) = capabilities else { unreachable!("it is an object") };
        let connector = hyper_util::client::legacy::connect::HttpConnector::new();
        let client = runtime.block_on(async {
            ClientBuilder::new(connector).capabilities(capabilities).connect(&format!("http://127.0.0.1:{port}")).await
        });
        let client = client.expect("a browser");
        Some(Self { runtime, client: Some(client), driver, folder, base: base.to_owned() })
    }

    /// Starts one and signs a user in.
    pub fn signed_in(server: &Server, user: &TestUser, looks: Looks) -> Option<Self> {
        let browser = Self::start(server, looks)?;
        browser.sign_in(&user.username, &user.password);
        Some(browser)
    }

    /// Signs a user in at the sign-in page.
    #[track_caller]
    pub fn sign_in(&self, username: &str, password: &str) {
        self.open("/console/sign-in");
        self.fill("Username", username);
        self.fill("Password", password);
        self.press("Sign in");
        self.wait_for_path("/console/");
    }

    fn run<T>(&self, work: impl AsyncFnOnce(&Client) -> T) -> T {
        self.runtime.block_on(work(self.client.as_ref().expect("the browser is open")))
    }

    /// Goes to a path of the server, or to a whole address.
    pub fn open(&self, path: &str) {
        let address = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        self.run(async |client| client.goto(&address).await.expect("the page"));
    }

    pub fn reload(&self) {
        self.run(async |client| client.refresh().await.expect("the page"));
    }

    /// Path and query of the page.
    pub fn path(&self) -> String {
        let url = self.run(async |client| client.current_url().await.expect("an address"));
        url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
    }

    /// Waits until the page has this path, whatever its query.
    #[track_caller]
    pub fn wait_for_path(&self, path: &str) {
        let there = || self.path().split('?').next() == Some(path);
        self.wait(there, &format!("the page {path}"));
    }

    #[track_caller]
    fn wait(&self, is_so: impl Fn() -> bool, what: &str) {
        let until = Instant::now() + PATIENCE;
        while !is_so() {
            assert!(Instant::now() < until, "no {what} on {}:\n{}", self.path(), self.text());
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    fn all(&self, xpath: &str) -> Vec<Element> {
        self.run(async |client| client.find_all(Locator::XPath(xpath)).await.unwrap_or_default())
    }

    /// The first of these that can be seen, waited for.
    #[track_caller]
    fn visible(&self, xpath: &str, what: &str) -> Element {
        let until = Instant::now() + PATIENCE;
        loop {
            for element in self.all(xpath) {
                if self.run(async |_| element.is_displayed().await.unwrap_or(false)) {
                    return element;
                }
            }
            assert!(Instant::now() < until, "no {what} on {}:\n{}", self.path(), self.text());
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// What bears this label.
    #[track_caller]
    fn labelled(&self, label: &str) -> Element {
        let label = quoted(label);
        let xpath = format!(
            "//*[@id=//label[normalize-space(text())={label} or normalize-space(.)={label}]/@for] | //*[@aria-label={label}]"
        );
        self.visible(&xpath, &format!("field {label}"))
    }

    /// Types into the field of this label, in the place of what stands there.
    #[track_caller]
    pub fn fill(&self, label: &str, text: &str) {
        let field = self.labelled(label);
        self.run(async |_| {
            field.clear().await.expect("an empty field");
            field.send_keys(text).await.expect("a field to type into");
        });
    }

    /// What stands in the field of this label.
    #[track_caller]
    pub fn value(&self, label: &str) -> String {
        self.read(label, async |field| field.prop("value").await)
    }

    /// The type of the field of this label: `password` while it is masked.
    #[track_caller]
    pub fn field_type(&self, label: &str) -> String {
        self.read(label, async |field| field.attr("type").await)
    }

    /// Something of the field of this label, found again where the next page took the place of its own in between.
    #[track_caller]
    fn read(&self, label: &str, something: impl AsyncFn(&Element) -> Result<Option<String>, CmdError>) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let field = self.labelled(label);
            match self.run(async |_| something(&field).await) {
                Ok(value) => return value.unwrap_or_default(),
                Err(error) => assert!(Instant::now() < until, "the field {label} cannot be read: {error}"),
            }
        }
    }

    /// Ticks (or unticks) the box of this label.
    #[track_caller]
    pub fn tick(&self, label: &str) {
        let field = self.labelled(label);
        self.run(async |_| field.click().await.expect("a box"));
    }

    /// Chooses an option by its text.
    #[track_caller]
    pub fn choose(&self, label: &str, option: &str) {
        let field = self.labelled(label);
        self.run(async |_| field.select_by_label(option).await.expect("an option"));
    }

    /// Presses the button, link or summary of this name.
    #[track_caller]
    pub fn press(&self, name: &str) {
        self.press_in("", name);
    }

    /// The same within the table row, card or section that holds `within` in its text, or the navigation of that name.
    #[track_caller]
    pub fn press_in(&self, within: &str, name: &str) {
        let label = quoted(name);
        let place = match within {
            "" => String::new(),
            within => {
                let within = quoted(within);
                let holds = format!("contains(normalize-space(.), {within})");
                format!("(//tr[{holds}] | //section[{holds}] | //li[{holds}] | //nav[@aria-label={within}])")
            }
        };
        let xpath = ["button", "a", "summary"]
            .map(|tag| format!("{place}//{tag}[normalize-space(.)={label} or @aria-label={label}]"))
            .join(" | ");
        let element = self.visible(&xpath, &format!("button or link {label}"));
        self.run(async |_| element.click().await.unwrap_or_else(|error| panic!("{name}: {error}")));
    }

    /// Whether there is a visible button, link or summary of this name now.
    pub fn has_button(&self, name: &str) -> bool {
        let label = quoted(name);
        let xpath = ["button", "a", "summary"].map(|tag| format!("//{tag}[normalize-space(.)={label}]")).join(" | ");
        self.all(&xpath).iter().any(|found| self.run(async |_| found.is_displayed().await.unwrap_or(false)))
    }

    /// All that the page says.
    pub fn text(&self) -> String {
        self.run(async |client| match client.find(Locator::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        })
    }

    /// Waits until the page says this.
    #[track_caller]
    pub fn sees(&self, text: &str) {
        self.wait(|| self.text().contains(text), &format!("\"{text}\""));
    }

    /// Waits until there is a page that does not say this: after a press the one before may still stand there for a moment.
    #[track_caller]
    pub fn does_not_see(&self, text: &str) {
        let is_without = |page: String| !page.is_empty() && !page.contains(text);
        self.wait(|| is_without(self.text()), &format!("page without \"{text}\""));
    }

    /// Runs a script in the page; needs scripts to be on.
    pub fn execute(&self, script: &str) -> Value {
        self.run(async |client| client.execute(script, Vec::new()).await.expect("the script's answer"))
    }

    /// Runs a script whose last argument is called with the answer.
    pub fn execute_async(&self, script: &str) -> Value {
        self.run(async |client| client.execute_async(script, Vec::new()).await.expect("the script's answer"))
    }

    /// A picture of the window.
    pub fn screenshot(&self, file: &Path) {
        let picture = self.run(async |client| client.screenshot().await.expect("a picture"));
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(file, picture).expect("a written picture");
    }

    /// A file that was downloaded, waited for.
    #[track_caller]
    pub fn downloaded(&self, name: &str) -> Vec<u8> {
        let file: PathBuf = self.folder.path().join("downloads").join(name);
        let until = Instant::now() + PATIENCE;
        while !file.is_file() {
            assert!(Instant::now() < until, "{name} was not downloaded; {}", self.text());
            std::thread::sleep(Duration::from_millis(30));
        }
        std::fs::read(file).expect("the file")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            let _ = self.runtime.block_on(client.close());
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// A driver, and where it listens; none if it ended.
fn driver(program: &Path) -> Option<(Child, u16)> {
    let mut driver = Command::new(program)
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver starts");
    let port = BufReader::new(driver.stdout.take().expect("its output"))
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| line.rsplit_once("on port ")?.1.trim_end_matches('.').parse::<u16>().ok())
        // First it says which one it was asked for.
        .find(|port| *port != 0);
    if port.is_none() {
        let _ = driver.kill();
        let _ = driver.wait();
    }
    Some((driver, port?))
}

/// A text as XPath 1.0 writes it, which has no escapes.
fn quoted(text: &str) -> String {
    if !text.contains('"') {
        return format!("\"{text}\"");
    }
    let parts: Vec<String> = text.split('"').map(|part| format!("\"{part}\"")).collect();
    format!("concat({})", parts.join(", '\"', "))
}
