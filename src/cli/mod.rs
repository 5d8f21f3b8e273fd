//! The command line: noun, then verb; one file per noun. Secrets never come as arguments.

// Doc comments here are the help texts that people read on a terminal, where backticks are noise.
#![allow(clippy::doc_markdown)]

mod access;
mod api_key;
mod audit;
mod backup;
mod client;
mod config;
mod credentials;
mod declaration;
mod doctor;
mod failure;
mod init;
mod key;
mod mail;
mod master_key;
mod migrate;
mod openapi;
mod organization;
mod output;
mod quickstart;
mod report;
mod role;
mod scope;
mod serve;
mod session;
mod setup_link;
mod token;
mod user;
mod user_import;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

pub use failure::Failure;

/// Issues and checks API credentials and OAuth 2.0 tokens.
#[derive(Debug, Parser)]
#[command(name = "grantor", version, about, max_term_width = 100)]
struct Arguments {
    /// Configuration file (default: config/<environment>.toml in the working folder, if it is there)
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Dialect of a platform: biotz, buymed, kizen, akeneo or bandwidth
    #[arg(long, global = true, value_name = "NAME")]
    preset: Option<String>,
    /// Print one JSON value and nothing else
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the installation and its administrator; harmless where it is made already
    Init(init::Init),
    /// Serve (also without any command)
    Serve,
    /// Set everything up in this folder, print curl lines to paste, and serve
    Quickstart(quickstart::Quickstart),
    /// Look for what would keep the server from working
    Doctor,
    /// The OpenAPI document of the API
    Openapi,
    /// The database's schema
    Migrate {
        #[command(subcommand)]
        verb: Option<migrate::Verb>,
    },
    /// Copy the database into a file while the server runs; the master key is not in it
    Backup(backup::Backup),
    /// Put a backup in the place of the database while no server runs; ends every token
    Restore(backup::Restore),
    /// Make organizations, scopes, roles and clients what a file declares
    Apply(declaration::Apply),
    /// Print organizations, scopes, roles and clients as such a file, without any secret
    Export,
    /// Applications and API connections
    #[command(subcommand)]
    Client(client::Verb),
    /// People and API users
    #[command(subcommand)]
    User(user::Verb),
    /// Generated usernames and passwords for programs
    #[command(subcommand)]
    Credentials(credentials::Verb),
    /// Keys that programs send with each request
    #[command(subcommand)]
    ApiKey(api_key::Verb),
    /// Sets of permissions
    #[command(subcommand)]
    Role(role::Verb),
    /// The catalogue of scopes
    #[command(subcommand)]
    Scope(scope::Verb),
    /// Tenants
    #[command(subcommand)]
    Organization(organization::Verb),
    /// Signing keys
    #[command(subcommand)]
    Key(key::Verb),
    /// Messages to people: sent, waiting and failed
    #[command(subcommand)]
    Mail(mail::Verb),
    /// The key that the database is useless without
    #[command(subcommand)]
    MasterKey(master_key::Verb),
    /// The audit log
    #[command(subcommand)]
    Audit(audit::Verb),
    /// What is not used, and what should no longer be
    Report(report::Report),
    /// Tokens, without the database
    #[command(subcommand)]
    Token(token::Verb),
    /// The configuration in force
    #[command(subcommand)]
    Config(config::Verb),
    /// A completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Runs the program: parse, dispatch, exit code (0 done, 1 refused, 2 usage).
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let session = session::Session::new(arguments.config, arguments.preset, arguments.json);
    match dispatch(&session, arguments.command.unwrap_or(Command::Serve)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::error(&failure.to_string());
            ExitCode::from(failure.exit_code())
        }
    }
}

fn dispatch(session: &session::Session, command: Command) -> Result<(), Failure> {
    match command {
        Command::Init(init) => init.run(session),
        Command::Serve => serve::run(session),
        Command::Quickstart(quickstart) => quickstart.run(session),
        Command::Doctor => doctor::run(session),
        Command::Openapi => openapi::run(session),
        Command::Migrate { verb } => migrate::run(session, verb.unwrap_or_default()),
        Command::Backup(backup) => backup.run(session),
        Command::Restore(restore) => restore.run(session),
        Command::Apply(apply) => apply.run(session),
        Command::Export => declaration::export(session),
        Command::Client(verb) => verb.run(session),
        Command::User(verb) => verb.run(session),
        Command::Credentials(verb) => verb.run(session),
        Command::ApiKey(verb) => verb.run(session),
        Command::Role(verb) => verb.run(session),
        Command::Scope(verb) => verb.run(session),
        Command::Organization(verb) => verb.run(session),
        Command::Key(verb) => verb.run(session),
        Command::Mail(verb) => verb.run(session),
        Command::MasterKey(verb) => verb.run(session),
        Command::Audit(verb) => verb.run(session),
        Command::Report(report) => report.run(session),
        Command::Token(verb) => verb.run(session),
        Command::Config(verb) => verb.run(session),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "grantor", &mut script);
            output::line(String::from_utf8_lossy(&script).trim_end());
            Ok(())
        }
    }
}
