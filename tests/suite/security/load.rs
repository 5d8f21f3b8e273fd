//! The table *Load*: whoever is slow on purpose is cut, and a flood of guesses is nobody else's trouble.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rstest::rstest;

use crate::harness::{Database, Server};

const HEAD: &str = "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\n";

fn impatient(db: Database) -> Server {
    let server = Server::with(db).set("limits.header_timeout", 1).set("limits.keep_alive", 2);
    server.set("limits.body_timeout", 1).start()
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.base().strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    stream
}

/// Sends a byte now and then until the server has ended the connection; what it said, and after how long.
fn drip(mut stream: TcpStream, most: Duration) -> (String, Duration) {
    let (started, mut said) = (Instant::now(), Vec::new());
    loop {
        assert!(started.elapsed() < most, "still open after {most:?}");
        let mut part = [0; 1024];
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(count) => said.extend_from_slice(&part[..count]),
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                if stream.write_all(b"a").is_err() {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    (String::from_utf8_lossy(&said).into_owned(), started.elapsed())
}

#[test]
fn a_head_that_never_ends_is_cut() {
    let server = impatient(Database::Sqlite);
    let mut stream = connect(&server);
    write!(stream, "{HEAD}X-Slow: ").unwrap();
    let (said, after) = drip(stream, Duration::from_secs(4));
    assert!(said.starts_with("HTTP/1.1 408") || said.is_empty(), "{said}");
    assert!(after >= Duration::from_millis(900), "{after:?}");
}

#[test]
fn a_later_head_that_never_ends_is_cut_as_an_idle_connection_is() {
    let server = impatient(Database::Sqlite);
    let mut stream = connect(&server);
    write!(stream, "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n{HEAD}X-Slow: ").unwrap();
    let (said, after) = drip(stream, Duration::from_secs(8));
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    assert!(after >= Duration::from_secs(2), "{after:?}");
}

#[rstest]
#[case::token("/oauth/token", "application/x-www-form-urlencoded", "grant_type=")]
#[case::api("/api/v1/links/redeem", "application/json", "{\"link\":\"")]
#[case::console("/console/sign-in", "application/x-www-form-urlencoded", "username=")]
fn a_body_that_never_ends_is_answered_with_408(
    #[case] path: &str,
    #[case] content_type: &str,
    #[case] beginning: &str,
    #[values("Content-Length: 5000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n1000\r\n")] framing: &str,
) {
    let server = impatient(Database::Sqlite);
    let mut stream = connect(&server);
    let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}");
    write!(stream, "{head}\r\n{framing}{beginning}").unwrap();
    let (said, _) = drip(stream, Duration::from_secs(8));
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
}

#[test]
fn an_idle_connection_is_closed_and_a_busy_one_is_not() {
    let server = impatient(Database::Sqlite);
    let (mut idle, mut busy) = (connect(&server), connect(&server));
    let ask = |stream: &mut TcpStream| {
        write!(stream, "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = [0; 4096];
        let count = stream.read(&mut answer).unwrap_or(0);
        String::from_utf8_lossy(&answer[..count]).into_owned()
    };
    assert!(ask(&mut idle).starts_with("HTTP/1.1 200"));
    let started = Instant::now();
    // Longer than an idle connection may be.
    while started.elapsed() < Duration::from_secs(6) {
        assert!(ask(&mut busy).starts_with("HTTP/1.1 200"));
        std::thread::sleep(Duration::from_millis(500));
    }
    idle.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    assert_eq!(idle.read(&mut [0; 16]).unwrap_or(0), 0, "it is closed");
}

#[test]
fn a_head_that_is_too_long_is_refused() {
    let server = impatient(Database::Sqlite);
    let mut stream = connect(&server);
    let _ = write!(stream, "{HEAD}X-Long: {}\r\n\r\n", "a".repeat(300_000));
    let (said, _) = drip(stream, Duration::from_secs(4));
    assert!(said.starts_with("HTTP/1.1 431") || said.is_empty(), "{said}");
    server.get("/health/live", &[]).ok();
}

/// Ends the flood, however the test ends.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// The short form of `bench/overload guesses`, which has the figures.
#[rstest]
fn a_flood_of_wrong_passwords_fails_no_request_of_others(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).set("passwords.bcrypt_cost", 12).set("limits.enabled", false).start();
    let client = server.confidential_client().grants(["password", "refresh_token", "client_credentials"]);
    let client = client.may_introspect().create();
    let tokens = client.password_grant(&server.api_user().create()).ok();
    let guesser = server.confidential_client().grants(["password"]).create();
    let (over, turned_away) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for number in 0..50 {
            let (over, turned_away, guesser) = (&over, &turned_away, &guesser);
            scope.spawn(move || {
                let username = format!("nobody-{number}");
                let pairs = [("grant_type", "password"), ("username", username.as_str()), ("password", "wrong one")];
                while !over.load(Ordering::Acquire) {
                    let answer = guesser.token(&pairs);
                    assert!(matches!(answer.status, 400 | 503), "{answer:?}");
                    if answer.status == 503 {
                        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
                        turned_away.fetch_add(1, Ordering::AcqRel);
                    }
                }
            });
        }
        let _ends = Ending(&over);
        let mut refresh_token = tokens.refresh_token();
        let headers = [("Client-ID", client.id.as_str()), ("Client-Secret", client.secret.as_str())];
        let mut slowest = Duration::ZERO;
        for _ in 0..40 {
            let started = Instant::now();
            server.get("/.well-known/jwks.json", &[]).ok();
            server.get("/verify", &headers).ok();
            client.introspect(&tokens.access_token()).ok();
            client.client_credentials().ok();
            refresh_token = client.refresh(&refresh_token).ok().refresh_token();
            slowest = slowest.max(started.elapsed());
        }
        // Far more than it takes, and far less than a place in the queue of hashes.
        assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    });
    assert!(turned_away.load(Ordering::Acquire) > 50, "the flood was none");
}
