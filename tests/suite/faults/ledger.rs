//! What clients under load were told, and whether it still holds after a fault.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::faults::{Account, is_unavailable};
use crate::harness::{Answer, Installation};
use crate::house::registry::within;

/// Of a token that the server itself has given, while it served.
pub const GIVEN: &str = "refused, though it was given";

/// Of what does not hold any more after the fault.
pub const LOST: &str = "what was answered is lost";

/// Clients that sign in and refresh, and clients that sign in and revoke.
pub const REFRESHING: usize = 6;
const REVOKING: usize = 2;

/// A user has a hundred live families with a client, and the next ends the oldest. So many for each client under load are all
/// live at the end, with those among them whose sign-in was made and not answered.
const FAMILIES: usize = 10;

/// How often a family is refreshed before the next sign-in.
const REFRESHES: usize = 20;

/// What else than 200 a request may come to while a fault lasts.
#[derive(Clone, Copy)]
pub enum Otherwise {
    /// The program dies: no answer, or half of one.
    Torn,
    /// The program lives: within this time there is an answer, and it is 200, or 503 with `Retry-After`.
    Unavailable(Duration),
}

/// What one client heard.
#[derive(Default)]
struct Heard {
    families: Vec<Family>,
    revoked: Vec<Revoked>,
    refreshes: usize,
    put_off: usize,
    slowest: Duration,
}

/// A family as its client knows it.
struct Family {
    newest: String,
    before: Option<String>,
}

/// Tokens whose revocation was answered with 200.
struct Revoked {
    access: String,
    /// Where the whole family was revoked.
    refresh: Option<String>,
}

/// Who refreshes and who revokes under load, of an installation that is not sabotaged yet. Their reuse window is longer than any fault: a
/// client may not have heard of its last rotation.
pub fn accounts(installation: &Installation) -> [Account; 2] {
    [60, 59].map(|window| Account::create(installation, window))
}

/// Clients under load: they go on until the fault is over.
pub struct Load<'a> {
    node: &'a Installation,
    refreshing: &'a Account,
    revoking: &'a Account,
    otherwise: Otherwise,
    over: AtomicBool,
    busy: AtomicUsize,
}

impl<'a> Load<'a> {
    pub fn new(node: &'a Installation, [refreshing, revoking]: &'a [Account; 2], otherwise: Otherwise) -> Self {
        Self { node, refreshing, revoking, otherwise, over: AtomicBool::default(), busy: AtomicUsize::default() }
    }

    /// Lets the fault happen when every client is at work; answers what all of them heard until it ended.
    pub fn beside(&self, fault: impl FnOnce()) -> Ledger {
        std::thread::scope(|scope| {
            // However the fault ends: the clients are waited for.
            let over = AtEnd(&self.over);
            let mut clients: Vec<_> = (0..REFRESHING).map(|_| scope.spawn(|| self.refresh())).collect();
            clients.extend((0..REVOKING).map(|_| scope.spawn(|| self.revoke())));
            let happened = catch_unwind(AssertUnwindSafe(|| {
                within(Duration::from_secs(10), || self.busy.load(Ordering::Acquire) == REFRESHING + REVOKING);
                fault();
            }));
            drop(over);
            // What a client has met says more than what the fault waited for in vain.
            let heard: Result<Vec<Heard>, _> = clients.into_iter().map(ScopedJoinHandle::join).collect();
            let heard = heard.unwrap_or_else(|met| resume_unwind(met));
            happened.unwrap_or_else(|panic| resume_unwind(panic));
            Ledger { heard }
        })
    }

    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Acquire)
    }

    /// Signs in and refreshes. What was not answered is asked again, with the same token.
    fn refresh(&self) -> Heard {
        let mut heard = Heard::default();
        while self.goes_on() {
            let long_enough = heard.refreshes >= heard.families.len() * REFRESHES;
            if long_enough && heard.families.len() < FAMILIES {
                let Some(first) = self.success(&mut heard, || self.refreshing.sign_in(self.node)) else { continue };
                heard.families.push(Family { newest: text(&first, "refresh_token"), before: None });
            }
            let Some(family) = heard.families.last() else { continue };
            let token = family.newest.clone();
            let Some(next) = self.success(&mut heard, || self.refreshing.refresh(self.node, &token)) else { continue };
            let newest = text(&next, "refresh_token");
            heard.families.pop();
            heard.families.push(Family { newest, before: Some(token) });
            heard.refreshes += 1;
            if heard.refreshes == 1 {
                self.busy.fetch_add(1, Ordering::AcqRel);
            }
        }
        heard
    }

    /// Signs in and revokes: the family by turns, or the access token alone.
    fn revoke(&self) -> Heard {
        let mut heard = Heard::default();
        while self.goes_on() {
            let Some(tokens) = self.success(&mut heard, || self.revoking.sign_in(self.node)) else { continue };
            let (refresh, access) = (text(&tokens, "refresh_token"), text(&tokens, "access_token"));
            let whole_family = heard.revoked.len() % 2 == 0;
            let form = [("token", if whole_family { refresh.as_str() } else { access.as_str() })];
            let revocation = || self.revoking.post(self.node, "/oauth/revoke", &form);
            let Some(_) = self.success(&mut heard, revocation) else { continue };
            heard.revoked.push(Revoked { access, refresh: whole_family.then_some(refresh) });
            if heard.revoked.len() == 1 {
                self.busy.fetch_add(1, Ordering::AcqRel);
            }
        }
        heard
    }

    /// A whole answer with 200, or nothing. A refusal is a fault: what is asked here is never wrong.
    fn success(&self, heard: &mut Heard, ask: impl Fn() -> Result<Answer, String>) -> Option<Value> {
        let asked = Instant::now();
        let answer = ask();
        let took = asked.elapsed();
        let told = match self.otherwise {
            Otherwise::Torn => answer.ok().filter(|answer| serde_json::from_str::<Value>(&answer.body).is_ok()),
            Otherwise::Unavailable(most) => {
                assert!(took < most, "answered after {took:?}: {answer:?}");
                heard.slowest = heard.slowest.max(took);
                Some(answer.expect("the program lives"))
            }
        };
        match told {
            Some(answer) if answer.status == 503 && matches!(self.otherwise, Otherwise::Unavailable(_)) => {
                is_unavailable(&answer);
                heard.put_off += 1;
            }
            Some(answer) => {
                assert_eq!(answer.status, 200, "{GIVEN}: {answer:?}");
                return Some(answer.json());
            }
            None => {}
        }
        std::thread::sleep(Duration::from_millis(5));
        None
    }
}

struct AtEnd<'a>(&'a AtomicBool);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// What all clients heard.
#[derive(Default)]
pub struct Ledger {
    heard: Vec<Heard>,
}

impl Ledger {
    pub fn refreshes(&self) -> usize {
        self.heard.iter().map(|heard| heard.refreshes).sum()
    }

    pub fn revocations(&self) -> usize {
        self.heard.iter().map(|heard| heard.revoked.len()).sum()
    }

    /// Requests that were answered with 503.
    pub fn put_off(&self) -> usize {
        self.heard.iter().map(|heard| heard.put_off).sum()
    }

    /// The longest that a request took.
    pub fn slowest(&self) -> Duration {
        self.heard.iter().map(|heard| heard.slowest).max().unwrap_or_default()
    }

    /// Whatever was told holds: the newest refresh token of each family works, those before it do not, and what was revoked is
    /// not active. It ends the families that have a past.
    pub fn holds(&self, node: &Installation, [refreshing, revoking]: &[Account; 2], what: &str) {
        let families: Vec<_> = self.heard.iter().flat_map(|heard| &heard.families).collect();
        assert!(families.len() >= REFRESHING && self.revocations() > 0, "{what}: the clients did nothing");
        for Family { newest, before } in families {
            // Had the generation gone back, this one would be from a future that the database does not know.
            let next = call(|| refreshing.refresh(node, newest));
            assert_eq!(next.status, 200, "{what}: {LOST}: {next:?}");
            assert_ne!(next.refresh_token(), *newest, "{what}");
            if let Some(before) = before {
                assert_eq!(call(|| refreshing.refresh(node, before)).status, 400, "{what}: a replay");
            }
        }
        self.revocations_hold(node, revoking, what);
    }

    /// What was revoked is not active.
    pub fn revocations_hold(&self, node: &Installation, revoking: &Account, what: &str) {
        for Revoked { access, refresh } in self.heard.iter().flat_map(|heard| &heard.revoked) {
            let told = call(|| revoking.post(node, "/oauth/introspect", &[("token", access)]));
            assert_eq!(told.body, r#"{"active":false}"#, "{what}: {LOST}: {told:?}");
            if let Some(refresh) = refresh {
                let told = call(|| revoking.refresh(node, refresh));
                assert_eq!(told.status, 400, "{what}: {LOST}: {told:?}");
            }
        }
    }
}

fn text(body: &Value, member: &str) -> String {
    body[member].as_str().unwrap().to_owned()
}

/// A call after a fault. Connections of a dead process may still be in the client's pool, and the disk of a busy machine may be slower than
/// the deadline: 503 says nothing of what was told before, and is asked again for a while.
fn call(try_once: impl Fn() -> Result<Answer, String>) -> Answer {
    let (asked, mut torn) = (Instant::now(), 0);
    loop {
        match try_once() {
            Ok(answer) if answer.status == 503 && asked.elapsed() < Duration::from_secs(5) => {
                std::thread::sleep(Duration::from_millis(50));
            }
            Ok(answer) => return answer,
            Err(error) => {
                torn += 1;
                assert!(torn <= 50, "the server is back: {error}");
            }
        }
    }
}
