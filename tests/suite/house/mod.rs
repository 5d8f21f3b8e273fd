//! The house's own rules.

mod architecture;
