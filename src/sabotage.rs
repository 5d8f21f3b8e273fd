//! Defects that can be switched on, to see that a test of faults finds them: one that finds nothing proves nothing.
//!
//! They are in programs built with the feature `sabotage` alone, which no release is; `GRANTOR_SABOTAGE` names one of
//! them. Without the feature nothing is ever wrong, and the compiler drops every question.

#[cfg(all(feature = "sabotage", not(debug_assertions)))]
compile_error!("the feature `sabotage` puts defects into the program: it is for tests, and not for a release");

/// One defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// A write is answered before its commit.
    AnswerBeforeCommit,
    /// A commit does not wait for the disk.
    UnsyncedCommit,
    /// A write that failed is answered as if it had been made.
    SwallowedFailure,
    /// Whichever generation is presented, the family is rotated.
    AnyGeneration,
    /// A node that has not heard of the database answers on.
    StaleRegistry,
    /// The age of what is known is taken from the machine's clock, which can be set.
    WallClock,
    /// A wait for the database has no end.
    EndlessWait,
    /// What only one node may do is done by all at once.
    NoLock,
    /// A schema of a newer program is not refused.
    AnySchema,
    /// A new signing key signs at once, and the old one is gone.
    AbruptRotation,
    /// A node that is told to stop drops what is in flight.
    NoDrain,
}

/// Whether this defect was chosen.
#[cfg(feature = "sabotage")]
#[must_use]
pub fn is(defect: Defect) -> bool {
    static CHOSEN: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "no setting: the configuration knows nothing of defects")]
    let chosen = CHOSEN.get_or_init(|| std::env::var("GRANTOR_SABOTAGE").unwrap_or_default());
    *chosen == format!("{defect:?}")
}

/// Never, in a program that is built without the feature.
#[cfg(not(feature = "sabotage"))]
#[must_use]
pub const fn is(_: Defect) -> bool {
    false
}
