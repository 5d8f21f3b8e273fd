//! A newer program migrates the database while this one serves from it: what only adds disturbs nobody.

use std::time::Duration;

use grantor::store::Store;
use rstest::rstest;

use crate::faults::ledger::{Load, Otherwise, accounts};
use crate::harness::{Database, Installation};
use crate::house::migrations::installation_settings;
use crate::house::store::execute;

#[rstest]
fn a_server_goes_on_while_a_newer_program_migrates_its_database(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let mut node = Installation::new(db);
    let accounts = accounts(&node);
    node.start();
    let mut newer = Store::connect(&installation_settings(&node)).unwrap();
    let ledger = Load::new(&node, &accounts, Otherwise::Unavailable(Duration::from_secs(3))).beside(|| {
        for table in ["families", "users", "clients", "client_secrets", "denied_tokens", "user_roles"] {
            execute(&mut newer, &format!("ALTER TABLE {table} ADD COLUMN of_the_future TEXT")).unwrap();
            std::thread::sleep(Duration::from_millis(50));
        }
        execute(&mut newer, "CREATE INDEX of_the_future ON families (of_the_future)").unwrap();
        execute(&mut newer, "INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')").unwrap();
        std::thread::sleep(Duration::from_millis(500));
    });
    assert_eq!(ledger.put_off(), 0);
    ledger.holds(&node, &accounts, "after the migration");
    assert_eq!(node.get("/health/ready", &[]).status, 200, "{}", node.log());
}
