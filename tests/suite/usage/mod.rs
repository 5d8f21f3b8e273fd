//! Usage: exact to the request, without a write for each; and the reports made of it.

mod counting;
mod reports;
