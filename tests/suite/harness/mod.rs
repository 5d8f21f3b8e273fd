//! What tests are written with: a server with its own database, clock and port; clients and users of it; processes.

mod answer;
mod browser;
mod builders;
mod disk;
mod injection;
mod pages;
mod postgres;
mod process;
mod requirement;
mod server;

pub use answer::{Answer, agent, basic, form, post_form};
pub use browser::{Browser, Looks};
pub use builders::{TestClient, TestUser, UserBuilder};
pub use disk::Disk;
pub use injection::Injection;
pub use pages::{Pages, safe};
pub use postgres::{Cluster, fresh_postgres_url};
pub use process::{Installation, sabotaged_program, unused_address};
pub use requirement::{missing, program, times};
pub use server::{Database, Server, ServerBuilder};
