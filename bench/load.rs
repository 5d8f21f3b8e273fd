//! The load generator of the benchmark: one thread, a few keep-alive connections, one scenario, one line of JSON.
//!
//! It waits for each answer before it sends the next request on a connection, and it believes none: an answer with another
//! status, without the member it must have, or with a token seen just before is an error. It talks to loopback only and stops
//! by itself. One file of more than 250 lines, so that it can be built and read apart from the server it measures.

// A program for the terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::future::poll_fn;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const USAGE: &str = "\
load --url http://127.0.0.1:PORT --scenario NAME --path PATH [options]

  --scenario   client_credentials | password | refresh | introspect | introspect-fresh | get | guess | bcrypt
  guess        wrong passwords: every request another name from another network (by X-Forwarded-For, which
               the server must trust); 400, 429 and 503 are right, and the time of the last two is told apart
  --client     ID:SECRET, sent as HTTP Basic (or ID: for a public client)
  --username, --password   for the password grant, and for `refresh` without --tokens
  --tokens     a file with one refresh token per line, one line for each connection
  --token-path where `introspect` and `introspect-fresh` get their tokens (default /oauth/token)
  --token-client  ID:SECRET to get them with (default: --client)
  --form       NAME=VALUE, a further member of every token request; may be repeated
  --header     'Name: value' for `get`; may be repeated
  --headers    a file for `get`: each request has the headers of the next line (a tab between two), in turn
  --cost       what `bcrypt` hashes with: no server, one thread, the raw rate of a person's password
  --expect     text that must stand in the body of each answer to `get`
  --connections 16   --warmup 1   --seconds 5   --fetch-seconds 10   --fetch-limit 150000
  --rate       requests a second of all connections together; as fast as answers come without it
  --watch      a process id whose share of a core is reported (with its children); may be repeated
  --core       the number of the watched processes' core: reports what others used of it
  --awake yes  never sleep while waiting for answers: for a load generator that has a core to itself";

/// A run is given up when this many answers were wrong: the figure would mean nothing.
const TOO_MANY_ERRORS: usize = 200;
/// The longest a run may take after its planned end.
const GRACE: Duration = Duration::from_secs(10);
const LARGEST_ANSWER: usize = 1 << 20;
/// Nanoseconds of a processor tick, on every Linux.
const TICK: u64 = 10_000_000;
/// A look for answers that takes no longer found none: reading one and sending the next request takes several times as long.
const FOUND_NOTHING: Duration = Duration::from_micros(3);

type Failure = String;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scenario {
    ClientCredentials,
    Password,
    Refresh,
    Introspect,
    IntrospectFresh,
    Get,
    Guess,
    Bcrypt,
}

impl Scenario {
    fn parse(name: &str) -> Result<Self, Failure> {
        Ok(match name {
            "client_credentials" => Self::ClientCredentials,
            "password" => Self::Password,
            "refresh" => Self::Refresh,
            "introspect" => Self::Introspect,
            "introspect-fresh" => Self::IntrospectFresh,
            "get" => Self::Get,
            "guess" => Self::Guess,
            "bcrypt" => Self::Bcrypt,
            other => return Err(format!("no such scenario: {other}")),
        })
    }
}

struct Options {
    address: SocketAddr,
    scenario: Scenario,
    path: String,
    token_path: String,
    basic: String,
    token_basic: String,
    username: String,
    password: String,
    tokens: Vec<String>,
    form: String,
    headers: String,
    headers_in_turn: Vec<String>,
    cost: u32,
    expect: String,
    connections: usize,
    warmup: Duration,
    seconds: Duration,
    fetch_seconds: Duration,
    fetch_limit: usize,
    rate: u32,
    watch: Vec<u32>,
    core: String,
    awake: bool,
}

impl Options {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut given: BTreeMap<String, Vec<String>> = BTreeMap::new();
        // `cargo bench` adds --bench.
        let mut arguments = arguments.filter(|argument| argument != "--bench");
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} wants a value"))?;
            given.entry(name).or_default().push(value);
        }
        let mut all = |name: &str| given.remove(name).unwrap_or_default();
        let mut one = |name: &str, default: &str| all(name).pop().unwrap_or_else(|| default.to_owned());

        let basic = basic(&one("--client", ":"));
        let token_basic = match one("--token-client", "") {
            other if other.is_empty() => basic.clone(),
            other => self::basic(&other),
        };
        let tokens = lines(&one("--tokens", ""))?;
        let scenario = Scenario::parse(&one("--scenario", "client_credentials"))?;
        let options = Self {
            address: loopback(&one("--url", if scenario == Scenario::Bcrypt { "http://127.0.0.1:1" } else { "" }))?,
            scenario,
            path: one("--path", "/oauth/token"),
            token_path: one("--token-path", "/oauth/token"),
            basic,
            token_basic,
            username: one("--username", ""),
            password: one("--password", ""),
            tokens,
            headers_in_turn: lines(&one("--headers", ""))?
                .iter()
                .map(|line| line.replace('\t', "\r\n") + "\r\n")
                .collect(),
            cost: u32::try_from(number(&one("--cost", "12"), 4, 15)?).unwrap_or(12),
            expect: one("--expect", ""),
            awake: match one("--awake", "no").as_str() {
                "yes" => true,
                "no" => false,
                other => return Err(format!("--awake is yes or no, not {other}")),
            },
            core: one("--core", ""),
            connections: number(&one("--connections", "16"), 1, 1024)?,
            warmup: Duration::from_secs(number(&one("--warmup", "1"), 0, 60)? as u64),
            seconds: Duration::from_secs(number(&one("--seconds", "5"), 1, 3600)? as u64),
            fetch_seconds: Duration::from_secs(number(&one("--fetch-seconds", "10"), 1, 600)? as u64),
            rate: u32::try_from(number(&one("--rate", "0"), 0, 1_000_000)?).unwrap_or(0),
            fetch_limit: number(&one("--fetch-limit", "150000"), 1, 5_000_000)?,
            form: all("--form").iter().fold(String::new(), |form, member| {
                let (name, value) = member.split_once('=').unwrap_or((member, ""));
                form + "&" + &escape(name) + "=" + &escape(value)
            }),
            headers: all("--header").iter().fold(String::new(), |headers, line| headers + line + "\r\n"),
            watch: all("--watch")
                .iter()
                .map(|pid| pid.parse().map_err(|_| format!("not a process id: {pid}")))
                .collect::<Result<_, _>>()?,
        };
        match given.keys().next() {
            Some(unknown) => Err(format!("unknown option {unknown}")),
            None => Ok(options),
        }
    }
}

/// The lines of a file, if one is named.
fn lines(file: &str) -> Result<Vec<String>, Failure> {
    if file.is_empty() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    Ok(text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

fn number(text: &str, least: usize, most: usize) -> Result<usize, Failure> {
    match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("{text} is not a number from {least} to {most}")),
    }
}

/// Only loopback: this program must not be a weapon.
fn loopback(url: &str) -> Result<SocketAddr, Failure> {
    let authority = url.strip_prefix("http://").ok_or_else(|| format!("--url must begin with http://, not {url:?}"))?;
    let authority = authority.trim_end_matches('/');
    let address = match authority.strip_prefix("localhost:") {
        Some(port) => port.parse().map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)).ok(),
        None => authority.parse().ok(),
    };
    match address {
        Some(address) if address.ip().is_loopback() => Ok(address),
        _ => Err(format!("only a loopback address with a port is accepted, not {url:?}")),
    }
}

// ---------------------------------------------------------------- requests

/// RFC 6749 §2.3.1: both halves are form-encoded before Basic joins them.
fn basic(client: &str) -> String {
    let (id, secret) = client.split_once(':').unwrap_or((client, ""));
    base64(format!("{}:{}", escape(id), escape(secret)).as_bytes())
}

fn escape(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for position in 0..4 {
            if position <= chunk.len() {
                out.push(char::from(ALPHABET[(bits >> (18 - 6 * position) & 63) as usize]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

fn post(options: &Options, path: &str, basic: &str, form: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {basic}\r\nAccept: application/json\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        options.address,
        form.len()
    )
    .into_bytes()
}

fn get(options: &Options, headers: &str) -> Vec<u8> {
    format!("GET {} HTTP/1.1\r\nHost: {}\r\n{}{headers}\r\n", options.path, options.address, options.headers)
        .into_bytes()
}

fn client_credentials(options: &Options, path: &str, basic: &str) -> Vec<u8> {
    post(options, path, basic, &format!("grant_type=client_credentials{}", options.form))
}

fn password(options: &Options) -> Vec<u8> {
    let form = format!(
        "grant_type=password&username={}&password={}{}",
        escape(&options.username),
        escape(&options.password),
        options.form
    );
    post(options, &options.path, &options.basic, &form)
}

/// The n-th guess: a name that nobody has, from a network of its own.
fn guess(options: &Options, n: usize) -> Vec<u8> {
    let form = format!("grant_type=password&username=nobody-{n}&password=wrong+password+{n}{}", options.form);
    let network = format!("10.{}.{}.{}", n >> 16 & 255, n >> 8 & 255, n & 255);
    format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {}\r\nX-Forwarded-For: {network}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        options.path,
        options.address,
        options.basic,
        form.len()
    )
    .into_bytes()
}

fn refresh(options: &Options, token: &str) -> Vec<u8> {
    post(options, &options.path, &options.basic, &format!("grant_type=refresh_token&refresh_token={}", escape(token)))
}

fn introspect(options: &Options, token: &str) -> Vec<u8> {
    post(options, &options.path, &options.basic, &format!("token={}", escape(token)))
}

// ---------------------------------------------------------------- HTTP

struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    answer: Vec<u8>,
}

impl Connection {
    fn new(address: SocketAddr) -> Self {
        Self { address, stream: None, answer: Vec::with_capacity(8192) }
    }

    /// Sends a request and reads the whole answer; gives the body of a 200.
    async fn exchange(&mut self, request: &[u8]) -> Result<&[u8], Failure> {
        match self.ask(request).await? {
            (200, body) => Ok(body),
            (status, body) => {
                Err(format!("status {status}: {}", String::from_utf8_lossy(&body[..body.len().min(200)])))
            }
        }
    }

    /// Sends a request and reads the whole answer; gives its status and body.
    async fn ask(&mut self, request: &[u8]) -> Result<(u16, &[u8]), Failure> {
        // On any early return the connection is dropped, and the next request opens another.
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => open(self.address).await.map_err(|error| format!("connect: {error}"))?,
        };
        write_all(&mut stream, request).await.map_err(|error| format!("write: {error}"))?;

        self.answer.clear();
        let head = loop {
            read_some(&mut stream, &mut self.answer).await?;
            if let Some(head) = Head::parse(&self.answer)? {
                break head;
            }
        };
        while self.answer.len() < head.length + head.body {
            read_some(&mut stream, &mut self.answer).await?;
        }
        if self.answer.len() > head.length + head.body {
            return Err("more bytes than the answer's length".to_owned());
        }
        if !head.close {
            self.stream = Some(stream);
        }
        Ok((head.status, &self.answer[head.length..]))
    }
}

async fn open(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn write_all(stream: &mut TcpStream, mut bytes: &[u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        let written = poll_fn(|context| Pin::new(&mut *stream).poll_write(context, bytes)).await?;
        bytes = &bytes[written..];
    }
    Ok(())
}

async fn read_some(stream: &mut TcpStream, into: &mut Vec<u8>) -> Result<(), Failure> {
    let mut space = [0; 8192];
    let mut buffer = ReadBuf::new(&mut space);
    poll_fn(|context| Pin::new(&mut *stream).poll_read(context, &mut buffer))
        .await
        .map_err(|error| format!("read: {error}"))?;
    match buffer.filled() {
        [] => Err("the server closed the connection".to_owned()),
        _ if into.len() > LARGEST_ANSWER => Err("the answer is too long".to_owned()),
        bytes => {
            into.extend_from_slice(bytes);
            Ok(())
        }
    }
}

struct Head {
    status: u16,
    /// Bytes up to and with the empty line.
    length: usize,
    /// Bytes of the body.
    body: usize,
    close: bool,
}

impl Head {
    fn parse(bytes: &[u8]) -> Result<Option<Self>, Failure> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(None);
        };
        let text = std::str::from_utf8(&bytes[..end]).map_err(|_| "the head of the answer is not text".to_owned())?;
        let mut lines = text.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.strip_prefix("HTTP/1.1 "))
            .and_then(|rest| rest.get(..3))
            .and_then(|code| code.parse().ok())
            .ok_or("not an HTTP/1.1 answer")?;
        let mut body = None;
        let mut close = false;
        for line in lines {
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            if name.eq_ignore_ascii_case("content-length") {
                body = value.trim().parse().ok();
            } else if name.eq_ignore_ascii_case("connection") {
                close = value.trim().eq_ignore_ascii_case("close");
            }
        }
        let body = body.or((status == 204).then_some(0)).ok_or("an answer without Content-Length")?;
        Ok(Some(Self { status, length: end + 4, body, close }))
    }
}

// ---------------------------------------------------------------- checking answers

/// What stands after `"name":`, if the member is there.
fn member<'a>(body: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let quoted = format!("\"{name}\"");
    let at = body.windows(quoted.len()).position(|part| part == quoted.as_bytes())?;
    let rest = body[at + quoted.len()..].trim_ascii_start();
    Some(rest.strip_prefix(b":")?.trim_ascii_start())
}

/// A string member without escapes; tokens have none.
fn text<'a>(body: &'a [u8], name: &str) -> Result<&'a str, Failure> {
    member(body, name)
        .and_then(|rest| rest.strip_prefix(b"\""))
        .and_then(|rest| rest.split(|byte| *byte == b'"').next())
        .and_then(|value| std::str::from_utf8(value).ok())
        .filter(|value| !value.is_empty() && !value.contains('\\'))
        .ok_or_else(|| format!("no {name} in {}", String::from_utf8_lossy(&body[..body.len().min(200)])))
}

/// The `alg` of a JWT's header, or `opaque`.
fn algorithm(token: &str) -> String {
    let Some((header, _)) = token.split_once('.') else {
        return "opaque".to_owned();
    };
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in header.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return "opaque".to_owned(),
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 255) as u8);
        }
    }
    text(&bytes, "alg").unwrap_or("opaque").to_owned()
}

// ---------------------------------------------------------------- the run

/// What the connections have in common.
struct Plan {
    options: Options,
    /// Fetched beforehand: for `introspect` one token, for `introspect-fresh` one for each request.
    tokens: Vec<String>,
    next_token: AtomicUsize,
    errors: AtomicUsize,
}

#[derive(Default)]
struct Tally {
    /// Microseconds of each good answer that came inside the measured time.
    latencies: Vec<u32>,
    /// The same of what was turned away, with 429 or 503.
    turned_away: Vec<u32>,
    errors: usize,
    first_error: Option<Failure>,
    last_token: String,
}

/// One connection's side of the scenario: which request comes next, and whether the answer is right.
struct Script {
    plan: Arc<Plan>,
    request: Vec<u8>,
    last_token: String,
    refresh_token: String,
}

impl Script {
    async fn prepare(plan: Arc<Plan>, index: usize, connection: &mut Connection) -> Result<Self, Failure> {
        let options = &plan.options;
        let mut script =
            Self { request: Vec::new(), last_token: String::new(), refresh_token: String::new(), plan: plan.clone() };
        script.request = match options.scenario {
            Scenario::ClientCredentials => client_credentials(options, &options.path, &options.basic),
            Scenario::Password => password(options),
            Scenario::Get => get(options, ""),
            Scenario::Introspect => introspect(options, plan.tokens.first().map_or("", String::as_str)),
            Scenario::IntrospectFresh | Scenario::Guess | Scenario::Bcrypt => Vec::new(),
            Scenario::Refresh => {
                script.refresh_token = match options.tokens.get(index) {
                    Some(token) => token.clone(),
                    None if !options.tokens.is_empty() => {
                        return Err("fewer lines in --tokens than connections".to_owned());
                    }
                    None => text(connection.exchange(&password(options)).await?, "refresh_token")?.to_owned(),
                };
                refresh(options, &script.refresh_token)
            }
        };
        Ok(script)
    }

    /// Makes the next request ready; false when there is nothing left to send.
    fn next(&mut self) -> bool {
        let in_turn = &self.plan.options.headers_in_turn;
        if !in_turn.is_empty() {
            let next = self.plan.next_token.fetch_add(1, Ordering::Relaxed) % in_turn.len();
            self.request = get(&self.plan.options, &in_turn[next]);
        }
        if self.plan.options.scenario == Scenario::Guess {
            self.request = guess(&self.plan.options, self.plan.next_token.fetch_add(1, Ordering::Relaxed));
        }
        if self.plan.options.scenario == Scenario::IntrospectFresh {
            let next = self.plan.next_token.fetch_add(1, Ordering::Relaxed);
            match self.plan.tokens.get(next) {
                Some(token) => self.request = introspect(&self.plan.options, token),
                None => return false,
            }
        }
        true
    }

    fn check(&mut self, body: &[u8]) -> Result<(), Failure> {
        let options = &self.plan.options;
        match options.scenario {
            Scenario::Get => {
                let expected = options.expect.as_bytes();
                if !expected.is_empty() && !body.windows(expected.len()).any(|part| part == expected) {
                    return Err(format!("no {:?} in the answer", options.expect));
                }
            }
            Scenario::Introspect | Scenario::IntrospectFresh => {
                if !member(body, "active").is_some_and(|rest| rest.starts_with(b"true")) {
                    return Err(format!("not active: {}", String::from_utf8_lossy(&body[..body.len().min(200)])));
                }
            }
            Scenario::Guess | Scenario::Bcrypt => {}
            Scenario::ClientCredentials | Scenario::Password | Scenario::Refresh => {
                let token = text(body, "access_token")?;
                if token == self.last_token {
                    return Err("the same access token twice".to_owned());
                }
                self.last_token.clear();
                self.last_token.push_str(token);
                if options.scenario == Scenario::Refresh {
                    let successor = text(body, "refresh_token")?;
                    if successor == self.refresh_token {
                        return Err("the refresh token was not rotated".to_owned());
                    }
                    self.refresh_token.clear();
                    self.refresh_token.push_str(successor);
                    self.request = refresh(options, successor);
                }
            }
        }
        Ok(())
    }
}

/// One connection, from the start to the end of the run.
async fn drive(mut script: Script, mut connection: Connection, from: Instant, until: Instant) -> Tally {
    let mut tally = Tally { latencies: Vec::with_capacity(1 << 16), ..Tally::default() };
    let options = &script.plan.options;
    let share = u32::try_from(options.connections).unwrap_or(u32::MAX);
    let interval = (options.rate > 0).then(|| Duration::from_secs(1) * share / options.rate);
    // Late ones are not made up for: that would be a burst of our own making.
    let mut pace = interval.map(|interval| {
        let mut pace = tokio::time::interval(interval);
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        pace
    });
    while script.next() {
        if let Some(pace) = &mut pace {
            pace.tick().await;
        }
        let sent = Instant::now();
        if sent >= until {
            break;
        }
        let is_guess = script.plan.options.scenario == Scenario::Guess;
        let outcome = match connection.ask(&script.request).await {
            Ok((200, body)) if !is_guess => script.check(body).map(|()| false),
            Ok((400, _)) if is_guess => Ok(false),
            Ok((429 | 503, _)) if is_guess => Ok(true),
            Ok((status, body)) => {
                Err(format!("status {status}: {}", String::from_utf8_lossy(&body[..body.len().min(200)])))
            }
            Err(failure) => Err(failure),
        };
        let answered = Instant::now();
        match outcome.map(|turned_away| if turned_away { &mut tally.turned_away } else { &mut tally.latencies }) {
            Ok(latencies) if answered >= from && answered <= until => {
                latencies.push(u32::try_from((answered - sent).as_micros()).unwrap_or(u32::MAX));
            }
            Ok(_) => {}
            // Wrong answers count at any time, in the warm-up too.
            Err(failure) => {
                tally.errors += 1;
                tally.first_error.get_or_insert(failure);
                // A chain of refresh tokens cannot go on after a failure.
                let all = script.plan.errors.fetch_add(1, Ordering::Relaxed);
                if all >= TOO_MANY_ERRORS || script.plan.options.scenario == Scenario::Refresh {
                    break;
                }
            }
        }
    }
    tally.last_token = script.last_token;
    tally
}

/// Gets access tokens by client credentials on all connections, until there are `most` or the time is over.
async fn fetch(options: &Options, most: usize) -> Result<Vec<String>, Failure> {
    let request = Arc::new(client_credentials(options, &options.token_path, &options.token_basic));
    let until = Instant::now() + options.fetch_seconds;
    let begun = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..options.connections.min(most) {
        let (request, begun, address) = (request.clone(), begun.clone(), options.address);
        workers.spawn(async move {
            let mut connection = Connection::new(address);
            let mut tokens = Vec::new();
            while Instant::now() < until && begun.fetch_add(1, Ordering::Relaxed) < most {
                tokens.push(text(connection.exchange(&request).await?, "access_token")?.to_owned());
            }
            Ok::<_, Failure>(tokens)
        });
    }
    let mut tokens = Vec::new();
    for outcome in workers.join_all().await {
        tokens.extend(outcome?);
    }
    Ok(tokens)
}

/// Keeps the thread from sleeping, and counts the time in which it had nothing to do.
///
/// Whoever answers a sleeper pays for waking its core, and that would count as the server's work.
async fn stay_awake(idle: Arc<AtomicU64>) {
    let mut before = Instant::now();
    loop {
        tokio::task::yield_now().await;
        let now = Instant::now();
        let round = now - before;
        if round < FOUND_NOTHING {
            idle.fetch_add(u64::try_from(round.as_nanos()).unwrap_or_default(), Ordering::Relaxed);
            // Two cores of a virtual machine may be one: what is not needed is left to the other.
            (0..32).for_each(|_| std::hint::spin_loop());
        }
        before = now;
    }
}

/// A moment's readings, in processor ticks: of the watched processes, of ourselves, of their core, and of the host's thefts.
struct Readings {
    at: Instant,
    watched: Vec<u64>,
    own: u64,
    core_busy: u64,
    stolen: u64,
}

impl Readings {
    fn take(options: &Options, idle: &AtomicU64) -> Self {
        let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
        // user nice system idle iowait irq softirq steal
        let fields = |name: &str| -> Vec<u64> {
            let line = stat.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap_or_default();
            line.split_whitespace().take(8).filter_map(|field| field.parse().ok()).collect()
        };
        let core = fields(&format!("cpu{}", options.core));
        Self {
            watched: options.watch.iter().map(|pid| family_ticks(*pid)).collect(),
            own: ticks(std::process::id()).saturating_sub(idle.load(Ordering::Relaxed) / TICK),
            core_busy: core.iter().sum::<u64>() - core.iter().skip(3).take(2).sum::<u64>(),
            stolen: fields("cpu").get(7).copied().unwrap_or(0),
            at: Instant::now(),
        }
    }

    /// Ticks as a share of one core.
    fn share(&self, earlier: &Self, now: u64, then: u64) -> f64 {
        let ticks = u32::try_from(now.saturating_sub(then)).unwrap_or(u32::MAX);
        f64::from(ticks) / 100.0 / (self.at - earlier.at).as_secs_f64().max(0.001)
    }
}

/// User and system time of a process and all below it (the postmaster works through its children).
fn family_ticks(pid: u32) -> u64 {
    let children = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let children = children.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let below: u64 = children
        .map(|list| list.split_whitespace().filter_map(|child| child.parse().ok()).map(family_ticks).sum::<u64>())
        .sum();
    ticks(pid) + below
}

fn ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The second field is the program's name in parentheses and may hold anything.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
}

/// What bcrypt itself comes to on this core.
fn bcrypt_rate(options: &Options) -> Result<String, Failure> {
    let (started, mut hashes) = (Instant::now(), 0_u32);
    while started.elapsed() < options.seconds {
        bcrypt::hash_with_salt("a password of the benchmark", options.cost, [7; 16])
            .map_err(|error| error.to_string())?;
        hashes += 1;
    }
    let seconds = started.elapsed().as_secs_f64();
    Ok(format!("{{\"requests\":{hashes},\"errors\":0,\"per_second\":{:.2}}}", f64::from(hashes) / seconds))
}

async fn run(options: Options) -> Result<String, Failure> {
    if options.scenario == Scenario::Bcrypt {
        return bcrypt_rate(&options);
    }
    let tokens = match options.scenario {
        Scenario::Introspect => fetch(&options, 1).await?,
        Scenario::IntrospectFresh => fetch(&options, options.fetch_limit).await?,
        _ => Vec::new(),
    };
    let idle = Arc::new(AtomicU64::new(0));
    if options.awake {
        tokio::spawn(stay_awake(idle.clone()));
    }
    let connections = options.connections;
    let (warmup, length) = (options.warmup, options.seconds);
    let plan = Arc::new(Plan { options, tokens, next_token: AtomicUsize::new(0), errors: AtomicUsize::new(0) });

    let mut ready = Vec::new();
    for index in 0..connections {
        let mut connection = Connection::new(plan.options.address);
        ready.push((Script::prepare(plan.clone(), index, &mut connection).await?, connection));
    }
    let from = Instant::now() + warmup;
    let until = from + length;
    let mut workers = JoinSet::new();
    for (script, connection) in ready {
        workers.spawn(drive(script, connection, from, until));
    }
    let watched = (plan.clone(), idle.clone());
    let watching = tokio::spawn(async move {
        tokio::time::sleep_until(from.into()).await;
        Readings::take(&watched.0.options, &watched.1)
    });
    let tallies = tokio::time::timeout(warmup + length + GRACE, workers.join_all())
        .await
        .map_err(|_| "the server stopped answering")?;
    let after = Readings::take(&plan.options, &idle);
    // Running out of fresh tokens or a failure ends a run early.
    let before = if watching.is_finished() {
        watching.await.map_err(|error| error.to_string())?
    } else {
        return Err(report_early_end(&plan, &tallies));
    };
    let seconds = (after.at.min(until) - from).as_secs_f64().max(0.001);
    Ok(report(&plan, tallies, seconds, &before, &after))
}

/// Times in microseconds, in their order.
struct Sorted(Vec<u32>);

impl Sorted {
    fn of(mut times: Vec<u32>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// In milliseconds.
    fn percentile(&self, hundredths: usize) -> f64 {
        let rank = (self.0.len() * hundredths).div_ceil(100).saturating_sub(1);
        self.0.get(rank).map_or(0.0, |micros| f64::from(*micros) / 1000.0)
    }
}

fn report_early_end(plan: &Plan, tallies: &[Tally]) -> Failure {
    match tallies.iter().find_map(|tally| tally.first_error.as_deref()) {
        Some(error) => format!("ended in the warm-up: {error}"),
        None => format!("ended in the warm-up: {} tokens were not enough", plan.tokens.len()),
    }
}

fn report(plan: &Plan, tallies: Vec<Tally>, seconds: f64, before: &Readings, after: &Readings) -> String {
    let errors: usize = tallies.iter().map(|tally| tally.errors).sum();
    let first_error = tallies.iter().find_map(|tally| tally.first_error.clone());
    let algorithm = tallies.iter().find(|tally| !tally.last_token.is_empty()).map(|tally| algorithm(&tally.last_token));
    let (latencies, turned_away) = tallies.into_iter().fold((Vec::new(), Vec::new()), |mut all, tally| {
        all.0.extend(tally.latencies);
        all.1.extend(tally.turned_away);
        all
    });
    let latencies = Sorted::of(latencies);
    let turned_away = Sorted::of(turned_away);
    let percentile = |hundredths: usize| latencies.percentile(hundredths);
    let per_second = f64::from(u32::try_from(latencies.0.len()).unwrap_or(u32::MAX)) / seconds;
    let watched: Vec<String> = after
        .watched
        .iter()
        .zip(&before.watched)
        .map(|(now, then)| format!("{:.3}", after.share(before, *now, *then)))
        .collect();
    let others = (!plan.options.core.is_empty()).then(|| {
        let busy = after.share(before, after.core_busy, before.core_busy);
        let ours = after.share(before, after.watched.iter().sum(), before.watched.iter().sum());
        format!("{:.3}", (busy - ours).max(0.0))
    });
    let quoted = |text: Option<String>| text.map_or("null".to_owned(), |text| json_string(&text));
    format!(
        "{{\"requests\":{},\"errors\":{errors},\"seconds\":{seconds:.3},\"per_second\":{per_second:.1},\
         \"p50_ms\":{:.3},\"p99_ms\":{:.3},\"max_ms\":{:.3},\"fetched\":{},\"algorithm\":{},\
         \"turned_away\":{},\"turned_away_p99_ms\":{:.3},\"turned_away_max_ms\":{:.3},\
         \"watched_cpu\":[{}],\"others_on_core\":{},\"own_cpu\":{:.3},\"stolen_cpu\":{:.3},\"first_error\":{}}}",
        latencies.0.len(),
        percentile(50),
        percentile(99),
        percentile(100),
        plan.tokens.len(),
        quoted(algorithm),
        turned_away.0.len(),
        turned_away.percentile(99),
        turned_away.percentile(100),
        watched.join(","),
        others.unwrap_or_else(|| "null".to_owned()),
        after.share(before, after.own, before.own),
        after.share(before, after.stolen, before.stolen),
        quoted(first_error),
    )
}

fn json_string(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            control if control.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out + "\""
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench").peekable();
    if arguments.peek().is_none_or(|first| first == "--help") {
        // Also what a plain `cargo bench` comes to.
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let options = match Options::parse(arguments) {
        Ok(options) => options,
        Err(failure) => {
            eprintln!("{failure}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let outcome = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(run(options)));
    match outcome {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
