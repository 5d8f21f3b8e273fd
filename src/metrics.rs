//! Counters of a node, rendered for Prometheus on the private listener.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Labels of the token counter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenLabels {
    /// `grant_type`, or `other`.
    pub grant: &'static str,
    /// `issued`, or the `error` member of the refusal.
    pub outcome: &'static str,
}

impl EncodeLabelSet for TokenLabels {
    fn encode(&self, encoder: &mut LabelSetEncoder) -> Result<(), std::fmt::Error> {
        [("grant", self.grant), ("outcome", self.outcome)].encode(encoder)
    }
}

/// Labels of the request counter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestLabels {
    /// The route's name; never a path that a client chose.
    pub route: &'static str,
    /// HTTP status.
    pub status: u16,
}

impl EncodeLabelSet for RequestLabels {
    fn encode(&self, encoder: &mut LabelSetEncoder) -> Result<(), std::fmt::Error> {
        [("route", self.route), ("status", self.status.to_string().as_str())].encode(encoder)
    }
}

/// Labels of the counter of messages.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MailLabels {
    /// `sent`, `put_off` or `failed`.
    pub outcome: &'static str,
}

impl EncodeLabelSet for MailLabels {
    fn encode(&self, encoder: &mut LabelSetEncoder) -> Result<(), std::fmt::Error> {
        [("outcome", self.outcome)].encode(encoder)
    }
}

/// Labels of the counter of swept rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SweptLabels {
    /// What they were.
    pub rows: &'static str,
}

impl EncodeLabelSet for SweptLabels {
    fn encode(&self, encoder: &mut LabelSetEncoder) -> Result<(), std::fmt::Error> {
        [("rows", self.rows)].encode(encoder)
    }
}

/// What the page shows of other parts at the instant it is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    /// Whether the node can do its work, as `/health/ready` says.
    pub ready: bool,
    /// Password hashes that wait for a thread.
    pub hash_queue: usize,
    /// Threads that hash passwords.
    pub hash_threads: usize,
    /// Password hashes made or compared since the start.
    pub hashes: u64,
    /// Database connections at work.
    pub store_busy: usize,
    /// Reads and writes that wait for a connection.
    pub store_queue: usize,
    /// Write transactions committed.
    pub batches: u64,
    /// Writes committed in them.
    pub writes: u64,
    /// Messages that wait in the outbox and those that have failed, where the database says.
    pub mail: Option<(i64, i64)>,
}

/// The counters of a node.
pub struct Metrics {
    registry: Registry,
    ready: Gauge,
    requests: Family<RequestLabels, Counter>,
    tokens: Family<TokenLabels, Counter>,
    mail: Family<MailLabels, Counter>,
    mail_queued: Gauge,
    mail_failed: Gauge,
    swept: Family<SweptLabels, Counter>,
    sweep_finished: Gauge,
    durations: Histogram,
    hash_queue: Gauge,
    hash_threads: Gauge,
    hashes: Counter,
    store_busy: Gauge,
    store_queue: Gauge,
    batches: Counter,
    writes: Counter,
    seen: [AtomicU64; 3],
}

impl Default for Metrics {
    fn default() -> Self {
        let buckets = [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];
        let mut made = Self {
            registry: Registry::with_prefix("grantor"),
            ready: Gauge::default(),
            requests: Family::default(),
            tokens: Family::default(),
            mail: Family::default(),
            mail_queued: Gauge::default(),
            mail_failed: Gauge::default(),
            swept: Family::default(),
            sweep_finished: Gauge::default(),
            durations: Histogram::new(buckets),
            hash_queue: Gauge::default(),
            hash_threads: Gauge::default(),
            hashes: Counter::default(),
            store_busy: Gauge::default(),
            store_queue: Gauge::default(),
            batches: Counter::default(),
            writes: Counter::default(),
            seen: Default::default(),
        };
        let registry = &mut made.registry;
        registry.register("ready", "Whether the node is ready: 1, or 0", made.ready.clone());
        registry.register("http_requests", "Requests by route and status", made.requests.clone());
        registry.register("tokens", "Token requests by grant and outcome", made.tokens.clone());
        registry.register("mail", "Attempts of this node to send a message, by outcome", made.mail.clone());
        registry.register("mail_queued", "Messages that wait in the outbox, of all nodes", made.mail_queued.clone());
        registry.register("mail_failed", "Messages that will not be sent any more", made.mail_failed.clone());
        registry.register("swept_rows", "Rows that this node dropped since nothing needs them", made.swept.clone());
        registry.register_with_unit(
            "sweep_finished_timestamp",
            "When this node last ended a round of sweeping, since 1970; another node may have had the later ones",
            Unit::Seconds,
            made.sweep_finished.clone(),
        );
        registry.register_with_unit(
            "http_request_duration",
            "Time from the request's head to the answer",
            Unit::Seconds,
            made.durations.clone(),
        );
        registry.register("hash_queue_depth", "Password hashes that wait for a thread", made.hash_queue.clone());
        registry.register("hash_threads", "Threads that hash passwords", made.hash_threads.clone());
        registry.register("hashes", "Password hashes made or compared", made.hashes.clone());
        registry.register("store_busy_connections", "Database connections at work", made.store_busy.clone());
        registry.register("store_queue_depth", "Reads and writes that wait for a connection", made.store_queue.clone());
        registry.register("store_write_batches", "Write transactions committed", made.batches.clone());
        registry.register("store_writes", "Writes committed; divided by batches, the batch size", made.writes.clone());
        made
    }
}

impl Metrics {
    /// Counts an answer of the token endpoint.
    pub fn token(&self, grant: &'static str, outcome: &'static str) {
        self.tokens.get_or_create(&TokenLabels { grant, outcome }).inc();
    }

    /// Counts an attempt to send a message.
    pub fn mail(&self, outcome: &'static str) {
        self.mail.get_or_create(&MailLabels { outcome }).inc();
    }

    /// Counts dropped rows.
    pub fn swept(&self, rows: &'static str, count: i64) {
        if let Some(count) = u64::try_from(count).ok().filter(|count| *count > 0) {
            self.swept.get_or_create(&SweptLabels { rows }).inc_by(count);
        }
    }

    /// Notes the end of a round of sweeping, in seconds since 1970.
    pub fn sweep_finished(&self, at: i64) {
        self.sweep_finished.set(at);
    }

    /// Counts a request and its time.
    pub fn request(&self, route: &'static str, status: u16, seconds: f64) {
        self.requests.get_or_create(&RequestLabels { route, status }).inc();
        self.durations.observe(seconds);
    }

    /// The page, in the `OpenMetrics` text format.
    #[must_use]
    pub fn page(&self, figures: &Figures) -> String {
        let gauge = |gauge: &Gauge, value: usize| gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        self.ready.set(i64::from(figures.ready));
        gauge(&self.hash_queue, figures.hash_queue);
        gauge(&self.hash_threads, figures.hash_threads);
        gauge(&self.store_busy, figures.store_busy);
        gauge(&self.store_queue, figures.store_queue);
        if let Some((queued, failed)) = figures.mail {
            self.mail_queued.set(queued);
            self.mail_failed.set(failed);
        }
        let counters =
            [(&self.hashes, figures.hashes), (&self.batches, figures.batches), (&self.writes, figures.writes)];
        for ((counter, to), seen) in counters.into_iter().zip(&self.seen) {
            counter.inc_by(to.saturating_sub(seen.swap(to, Ordering::Relaxed)));
        }
        let mut page = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut page, &self.registry);
        page
    }
}
