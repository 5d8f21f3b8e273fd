//! The console: its pages by HTTP, and as people see them in a real browser.

mod forms;
mod looks;
mod sessions;
