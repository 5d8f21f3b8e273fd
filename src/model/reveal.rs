//! Whether a secret that was shown once can be shown again.

crate::words! {
    /// What happens to a secret once it was shown.
    RevealPolicy {
        /// Only its digest is kept: nobody sees it again.
        Once = "once",
        /// It is kept sealed; who signs in once more sees it again, and the audit says so.
        Always = "always",
    }
}
