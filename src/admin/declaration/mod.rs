//! Organizations, scopes, roles and clients as one text: what there is, and what there should be.
//!
//! An entry says all about the thing that it names: a key that it leaves out has its default. What no entry names is
//! left alone, and a status that is not given stays as it is: an emergency stop outlives the next application.

mod apply;
mod check;
mod document;
mod entry;
mod execute;
mod plan;
mod state;

pub use apply::{Applied, apply, export};
pub use plan::{Action, FieldChange, Plan, Step};
