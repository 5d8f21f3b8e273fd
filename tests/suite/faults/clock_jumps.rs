//! A server's clock is set wrong under it, and right again: libfaketime stands between it and the machine's.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use grantor::sabotage::Defect;
use rstest::rstest;

use crate::faults::database_away::Wire;
use crate::faults::{Account, Machine, is_caught};
use crate::harness::{Answer, Database, Installation, fresh_postgres_url, missing};
use crate::house::registry::within;

const HOUR: i64 = 3600;

/// Less than the clock jumps, so that it expires meanwhile.
const ACCESS_LIFETIME: i64 = HOUR / 2;

/// The library that Debian's package `faketime` brings.
fn library() -> Option<PathBuf> {
    let machines = std::fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path());
    machines.map(|folder| folder.join("faketime/libfaketime.so.1")).find(|file| file.is_file())
}

/// The clock of one server.
struct FalseClock {
    file: PathBuf,
}

impl FalseClock {
    /// Starts the server with a clock that is right until it is set. Commands keep the machine's.
    fn of(node: &mut Installation, library: &std::path::Path) -> Self {
        let clock = Self { file: node.path().join("clock") };
        clock.set(0);
        let file = clock.file.display().to_string();
        // The monotonic clock is nobody's to set.
        let preload = library.display().to_string();
        let variables = [
            ("LD_PRELOAD", preload.as_str()),
            ("FAKETIME_TIMESTAMP_FILE", &file),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ];
        variables.iter().for_each(|(name, value)| node.variable(name, value));
        node.start();
        variables.iter().for_each(|(name, _)| node.forget_variable(name));
        clock
    }

    /// So many seconds away from the machine's clock, from this moment on.
    fn set(&self, seconds: i64) {
        // Renamed into its place: the server reads it at every look at the clock.
        let new = self.file.with_extension("new");
        std::fs::write(&new, format!("{seconds:+}\n")).unwrap();
        std::fs::rename(new, &self.file).unwrap();
    }
}

/// The claim of a JWT, less the machine's time.
fn from_now(token: &Answer, claim: &str) -> i64 {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    token.claims("access_token")[claim].as_i64().unwrap() - i64::try_from(now).unwrap()
}

struct Tried<'a> {
    node: &'a Installation,
    account: &'a Account,
}

impl Tried<'_> {
    fn sign_in(&self) -> Answer {
        self.account.sign_in(self.node).unwrap().ok()
    }

    fn refresh(&self, tokens: &Answer) -> Answer {
        self.account.refresh(self.node, &tokens.refresh_token()).unwrap().ok()
    }

    fn revoke(&self, token: &str) {
        self.account.post(self.node, "/oauth/revoke", &[("token", token)]).unwrap().ok();
    }

    /// Whether an access token is good, of which all doors say the same.
    #[track_caller]
    fn is_active(&self, tokens: &Answer) -> bool {
        let token = tokens.access_token();
        let told = self.account.post(self.node, "/oauth/introspect", &[("token", &token)]).unwrap().ok();
        let active = told.json()["active"] == true;
        let verified = self.node.get("/verify", &[("Authorization", &format!("Bearer {token}"))]).status;
        assert_eq!(verified, if active { 200 } else { 401 });
        active
    }

    #[track_caller]
    fn is_well(&self) {
        for path in ["/health/live", "/health/ready", "/.well-known/jwks.json", "/.well-known/openid-configuration"] {
            assert_eq!(self.node.get(path, &[]).status, 200, "{path}");
        }
    }
}

#[rstest]
fn a_clock_that_goes_wrong_and_right_again_ends_nothing(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let Some(library) = library() else { return missing("libfaketime") };
    let mut node = Installation::new(db);
    node.set("tokens.access_lifetime", ACCESS_LIFETIME);
    let account = Account::create(&node, 10);
    let clock = FalseClock::of(&mut node, &library);
    let signing_keys = || node.json(&["key", "list"]).as_array().map(Vec::len);
    let (before, tried) = (signing_keys(), Tried { node: &node, account: &account });

    let first = tried.sign_in();
    let [revoked, ended] = [tried.sign_in(), tried.sign_in()];
    tried.revoke(&revoked.access_token());
    tried.revoke(&ended.refresh_token());
    assert!((-10..=0).contains(&from_now(&first, "iat")));
    assert!(tried.is_active(&first));

    clock.set(HOUR);
    tried.is_well();
    assert!(!tried.is_active(&first), "its time is over");
    let ahead = tried.refresh(&first);
    assert!((HOUR - 10..=HOUR).contains(&from_now(&ahead, "iat")), "the server has not seen the jump");
    assert!(tried.is_active(&ahead));
    // With a change the node forgets what has expired.
    tried.revoke(&tried.sign_in().access_token());

    clock.set(-HOUR);
    tried.is_well();
    assert!(tried.is_active(&first) && tried.is_active(&ahead));
    let behind = tried.refresh(&ahead);
    assert!((-HOUR - 10..=-HOUR).contains(&from_now(&behind, "iat")), "the server has not seen the jump");
    assert!(tried.is_active(&behind) && tried.is_active(&tried.sign_in()));

    clock.set(0);
    tried.is_well();
    assert!(tried.is_active(&first) && tried.is_active(&ahead));
    assert!(!tried.is_active(&behind), "it was issued an hour ago, as it says");
    assert!(!tried.is_active(&revoked) && !tried.is_active(&ended), "what was revoked is forgotten");
    let last = tried.refresh(&behind);
    assert!((-10..=0).contains(&from_now(&last, "iat")));
    // A replay is one, whatever the clock has done meanwhile.
    account.refresh(&node, &first.refresh_token()).unwrap().is_refused("invalid_grant");
    account.refresh(&node, &last.refresh_token()).unwrap().is_refused("invalid_grant");

    assert_eq!(signing_keys(), before);
    let verdict = node.run(&["audit", "verify"]);
    assert!(verdict.status.success(), "{verdict:?}");
    assert_eq!(node.json(&["audit", "verify"])["findings"].as_array().map(Vec::len), Some(0));
    let log = node.log();
    assert!(!log.contains("defect") && !log.contains("panicked"), "{log}");
}

#[test]
fn a_database_that_is_cut_after_the_clock_went_back_is_noticed() {
    let Some(distant) = Distant::with(None) else { return missing("libfaketime or PostgreSQL") };
    distant.is_cut_after_a_jump();
}

#[test]
fn a_node_that_counts_by_the_machines_clock_is_found() {
    let Some(distant) = Distant::with(Some(Defect::WallClock)) else { return missing("libfaketime or PostgreSQL") };
    is_caught(Defect::WallClock, &["not within"], |_| distant.is_cut_after_a_jump());
}

/// A node with a clock that can be set and a database that can be cut.
struct Distant {
    wire: Wire,
    node: Installation,
    machine: Machine,
    clock: FalseClock,
}

impl Distant {
    fn with(defect: Option<Defect>) -> Option<Self> {
        let (library, url) = (library()?, fresh_postgres_url()?);
        let wire = Wire::to(&url);
        let mut node = Installation::on_url(&wire.url);
        let machine = Machine::create(&node);
        if let Some(defect) = defect {
            node.sabotage(defect);
        }
        let clock = FalseClock::of(&mut node, &library);
        Some(Self { wire, node, machine, clock })
    }

    fn is_cut_after_a_jump(&self) {
        let Self { wire, node, machine, clock } = self;
        for seconds in [HOUR, -HOUR] {
            clock.set(seconds);
            // It reads the change counter four times a second.
            std::thread::sleep(Duration::from_secs(1));
            assert!(machine.is_served(node), "at {seconds:+}");
        }
        wire.cut();
        machine.is_refused_within(Duration::from_secs(4), node);
        clock.set(0);
        machine.is_refused_within(Duration::from_secs(1), node);
        wire.mend();
        let back = within(Duration::from_secs(8), || machine.is_served(node));
        println!("a cut after two jumps of the clock is noticed; serves again after {back:?}");
    }
}
