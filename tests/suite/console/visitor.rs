//! Somebody before the pages who has a cookie and no script: what a browser sends, and nothing else.

use crate::harness::{Answer, Server, TestUser, safe};

/// A visitor, signed in or not.
pub struct Visitor<'a> {
    server: &'a Server,
    cookie: String,
    csrf: String,
}

fn cookie_of(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned()
}

/// What stands between two texts on a page.
#[track_caller]
pub fn between(page: &str, before: &str, after: &str) -> String {
    let rest = page.split_once(before).unwrap_or_else(|| panic!("no {before} in {page}")).1;
    rest.split_once(after).unwrap_or_else(|| panic!("no {after} after {before}")).0.to_owned()
}

impl<'a> Visitor<'a> {
    pub fn new(server: &'a Server) -> Self {
        let page = server.get("/console/sign-in", &[]).ok();
        let csrf = between(&page.body, "name=\"csrf\" value=\"", "\"");
        Self { server, cookie: cookie_of(&page), csrf }
    }

    /// Somebody who has signed in.
    #[track_caller]
    pub fn signed_in(server: &'a Server, user: &TestUser) -> Self {
        let mut visitor = Self::new(server);
        let sent = [("username", user.username.as_str()), ("password", user.password.as_str())];
        let answer = visitor.post("/console/sign-in", &sent);
        assert_eq!(answer.status, 303, "{answer:?}");
        visitor.cookie = cookie_of(&answer);
        visitor.csrf = between(&visitor.page("/console/profile"), "name=\"csrf\" value=\"", "\"");
        visitor
    }

    /// An administrator of the server.
    pub fn administrator(server: &'a Server) -> Self {
        let user = server.person().change(|new| new.roles = vec!["administrator".to_owned()]).create();
        Self::signed_in(server, &user)
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        safe(self.server.get(path, &[("Cookie", &self.cookie)]))
    }

    /// A page, which is there.
    #[track_caller]
    pub fn page(&self, path: &str) -> String {
        self.get(path).ok().body
    }

    /// Sends a form, as a page of this server does.
    #[track_caller]
    pub fn post(&self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let all = [&[("csrf", self.csrf.as_str())], pairs].concat();
        safe(self.server.post(path, &all, &[("Cookie", &self.cookie), ("Sec-Fetch-Site", "same-origin")]))
    }

    /// Sends a form that is taken, and answers where it leads.
    #[track_caller]
    pub fn done(&self, path: &str, pairs: &[(&str, &str)]) -> String {
        let answer = self.post(path, pairs);
        assert_eq!(answer.status, 303, "{answer:?}");
        answer.header("location").to_owned()
    }

    /// Sends a form that is shown again, and answers the page.
    #[track_caller]
    pub fn refused(&self, path: &str, pairs: &[(&str, &str)]) -> String {
        let answer = self.post(path, pairs);
        assert_eq!(answer.status, 422, "{answer:?}");
        answer.body
    }
}

/// The status of the API for a username and a password on the request.
pub fn opens(server: &Server, username: &str, password: &str) -> u16 {
    use base64::Engine;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}"));
    server.get("/api/v1/me", &[("Authorization", &format!("Basic {pair}"))]).status
}

/// The id of a role.
pub fn role_id(server: &Server, name: &str) -> String {
    server.run(async |context, by| {
        let organization = grantor::admin::organizations::reached(context, by, None).await.unwrap().id;
        grantor::admin::roles::find(context, by, &organization, name).await.unwrap().id
    })
}

/// The id of a user.
pub fn user_id(server: &Server, name: &str) -> String {
    server.run(async |context, by| grantor::admin::users::find(context, by, name).await.unwrap().id)
}

/// The hidden fields of a page's forms, as a browser would send them.
pub fn hidden(page: &str) -> Vec<(String, String)> {
    let fields = page.split("<input type=\"hidden\" name=\"").skip(1);
    let field = |rest: &str| {
        let (name, rest) = rest.split_once('"').unwrap();
        (name.to_owned(), between(rest, "value=\"", "\"").replace("&#38;", "&").replace("&#34;", "\""))
    };
    fields.map(field).filter(|(name, _)| name != "csrf").collect()
}
