//! The console: its pages by HTTP, and as people see them in a real browser.

mod biotz;
mod forms;
mod kizen;
mod looks;
mod own;
mod sessions;
