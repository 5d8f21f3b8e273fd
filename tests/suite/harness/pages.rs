//! The console as a program sees it: a cookie jar of one cookie, and forms that bear the page's own token.

use super::answer::{Answer, agent, form};
use super::builders::TestUser;
use super::server::Server;

/// Somebody at the console, without a browser.
pub struct Pages<'a> {
    server: &'a Server,
    cookie: std::cell::RefCell<String>,
}

impl<'a> Pages<'a> {
    /// A visitor who has not asked for anything yet.
    pub fn visitor(server: &'a Server) -> Self {
        Self { server, cookie: std::cell::RefCell::default() }
    }

    /// A user who has signed in.
    #[track_caller]
    pub fn signed_in(server: &'a Server, user: &TestUser) -> Self {
        let pages = Self::visitor(server);
        let answer = pages.sign_in(&user.username, &user.password);
        assert_eq!((answer.status, answer.header("location")), (303, "/console/"), "{answer:?}");
        pages
    }

    /// Sends the sign-in page.
    pub fn sign_in(&self, username: &str, password: &str) -> Answer {
        self.send("/console/sign-in", "/console/sign-in", &[("username", username), ("password", password)])
    }

    /// The value of the cookie.
    pub fn cookie(&self) -> String {
        self.cookie.borrow().clone()
    }

    /// Puts another cookie in its place.
    pub fn set_cookie(&self, value: &str) {
        *self.cookie.borrow_mut() = value.to_owned();
    }

    #[track_caller]
    fn keep(&self, answer: Answer) -> Answer {
        let answer = safe(answer);
        let set = answer.header("set-cookie");
        if let Some((_, rest)) = set.split_once('=') {
            *self.cookie.borrow_mut() = rest.split(';').next().unwrap().to_owned();
        }
        answer
    }

    fn header(&self) -> String {
        format!("grantor_session={}", self.cookie.borrow())
    }

    /// Asks for a page.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        let request = agent().get(format!("{}{path}", self.server.base())).header("Cookie", self.header());
        self.keep(Answer::of(request.call()))
    }

    /// Sends a form as it is, without a token.
    #[track_caller]
    pub fn post(&self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let request = agent()
            .post(format!("{}{path}", self.server.base()))
            .header("Cookie", self.header())
            .header("Content-Type", "application/x-www-form-urlencoded");
        self.keep(Answer::of(request.send(form(pairs).as_bytes())))
    }

    /// The token that the forms of a page bear.
    #[track_caller]
    pub fn token_on(&self, page: &str) -> String {
        let answer = self.get(page);
        let (_, rest) = answer
            .body
            .split_once("name=\"csrf\" value=\"")
            .unwrap_or_else(|| panic!("{page} has no form: {} {}", answer.status, answer.body));
        rest.split('"').next().unwrap().to_owned()
    }

    /// Sends a form to `path` with the token of `page`.
    #[track_caller]
    pub fn send(&self, page: &str, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let token = self.token_on(page);
        let mut all = vec![("csrf", token.as_str())];
        all.extend_from_slice(pairs);
        self.post(path, &all)
    }
}

/// An answer of the console, which bears what keeps it safe whatever it says: in no frame, with no code of others, taken
/// for what it is, led to no other server, and kept by nobody.
#[track_caller]
pub fn safe(answer: Answer) -> Answer {
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{answer:?}");
    let is_page = answer.header("content-type").starts_with("text/html");
    let is_taken_along = !answer.header("content-disposition").is_empty();
    let location = answer.header("location");
    if is_page || !location.is_empty() {
        let policy = answer.header("content-security-policy");
        for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'self'"] {
            assert!(policy.contains(part), "{part}: {answer:?}");
        }
        assert!(!policy.contains("unsafe"), "{answer:?}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{answer:?}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{answer:?}");
    }
    if is_page || is_taken_along || !location.is_empty() || answer.headers.contains_key("set-cookie") {
        assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
    }
    if is_page {
        assert!(!answer.body.contains(" style=") && !answer.body.contains(" onclick="), "{answer:?}");
        assert!(!answer.body.contains("<script>"), "no code in a page, and nobody's name is one: {answer:?}");
    }
    assert!(location.is_empty() || location.starts_with("/console/"), "{answer:?}");
    answer
}
