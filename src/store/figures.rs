//! What the metrics page tells of the store.

/// Figures of the store for the metrics page.
#[derive(Debug, Clone, Copy, Default)]
pub struct StoreFigures {
    /// Write transactions committed.
    pub batches: u64,
    /// Writes committed in them.
    pub writes: u64,
    /// Reads begun, those of the node's own polling among them.
    pub reads: u64,
    /// Connections that wait for an answer of the database right now.
    pub busy_connections: usize,
    /// Jobs that wait for a connection or for the writer.
    pub queued: usize,
}
