//! Migrations on both databases.

use std::collections::BTreeSet;
use std::path::Path;

use diesel::Connection;
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use grantor::store::{Db, Store, StoreError, migrations};
use rstest::rstest;

use crate::harness::{Database, Installation};
use crate::house::store::{execute, settings};
use crate::security::rotation::in_parallel;

fn folder_of(database: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(database)
}

fn names(database: &str) -> BTreeSet<String> {
    std::fs::read_dir(folder_of(database))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn both_databases_have_the_same_migrations() {
    assert_eq!(names("sqlite"), names("postgres"));
    assert!(!names("sqlite").is_empty());
    for database in ["sqlite", "postgres"] {
        for name in names(database) {
            for file in ["up.sql", "down.sql"] {
                assert!(folder_of(database).join(&name).join(file).is_file(), "{database}/{name}/{file}");
            }
        }
    }
}

/// Names and types of all columns, so that what a migration leaves can be compared.
fn tables(db: &mut Db) -> Vec<String> {
    use diesel::prelude::*;
    #[derive(diesel::QueryableByName)]
    struct Line {
        #[diesel(sql_type = diesel::sql_types::Text)]
        line: String,
    }
    let lines: Vec<Line> = match db {
        Db::Sqlite(connection) => diesel::sql_query(
            "SELECT COALESCE(sql, name) AS line FROM sqlite_master WHERE tbl_name NOT LIKE '__diesel%' \
             AND name NOT LIKE 'sqlite_%' ORDER BY name",
        )
        .load(connection)
        .unwrap(),
        Db::Postgres(connection) => diesel::sql_query(
            "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable AS line
             FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_diesel%'
             UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE '\\_\\_diesel%'
             ORDER BY 1",
        )
        .load(connection)
        .unwrap(),
    };
    lines.into_iter().map(|line| line.line).collect()
}

#[rstest]
fn up_down_and_up_again_gives_the_same_schema(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let folder = tempfile::tempdir().unwrap();
    let mut db = Store::connect(&settings(db, &folder)).unwrap();
    let first = migrations::run(&mut db).unwrap();
    assert!(first.pending.is_empty() && first.unknown.is_empty() && !first.applied.is_empty());
    let schema = tables(&mut db);
    assert!(schema.len() > 10, "{schema:?}");

    match &mut db {
        Db::Sqlite(connection) => {
            let all = FileBasedMigrations::from_path(folder_of("sqlite")).unwrap();
            connection.revert_all_migrations(all).unwrap();
        }
        Db::Postgres(connection) => {
            let all = FileBasedMigrations::from_path(folder_of("postgres")).unwrap();
            connection.revert_all_migrations(all).unwrap();
        }
    }
    assert_eq!(tables(&mut db), Vec::<String>::new(), "down leaves nothing");
    assert_eq!(migrations::state(&mut db).unwrap().pending, first.applied);

    assert_eq!(migrations::run(&mut db).unwrap(), first);
    assert_eq!(tables(&mut db), schema);
    assert_eq!(migrations::run(&mut db).unwrap(), first, "a second run changes nothing");
}

#[rstest]
fn an_empty_database_is_migrated_once_by_four_that_start_together(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(db, &folder);
        let states = in_parallel(4, |_| migrations::run(&mut Store::connect(&settings).unwrap()).unwrap());
        assert!(states.iter().all(|state| *state == states[0] && state.pending.is_empty()), "{states:?}");
    }
}

#[rstest]
fn a_database_of_a_newer_version_is_refused_in_words_and_left_alone(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let folder = tempfile::tempdir().unwrap();
    let mut db = Store::connect(&settings(db, &folder)).unwrap();
    migrations::run(&mut db).unwrap();
    execute(&mut db, "INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')").unwrap();

    let state = migrations::state(&mut db).unwrap();
    assert_eq!(state.unknown, ["29991231000000"]);
    for refusal in [state.refuse_newer().unwrap_err(), migrations::run(&mut db).unwrap_err()] {
        let StoreError::Conflict(words) = refusal else { panic!("{refusal:?}") };
        assert!(words.contains("29991231000000") && words.contains("is newer than this grantor knows"), "{words}");
        assert!(words.contains("run the newer grantor"), "{words}");
    }
    // The connection is as it was: no transaction is left open.
    db.transaction(|db| execute(db, "SELECT 1")).unwrap();
}

/// The database settings of an installation, as its own process reads them.
pub fn installation_settings(installation: &Installation) -> grantor::config::Database {
    let said = installation.json(&["config", "print"]);
    let url = said["database"]["url"].as_str().expect("a URL").to_owned();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.toml");
    std::fs::write(&file, "").unwrap();
    let environment =
        [("GRANTOR__ENVIRONMENT".to_owned(), "test".to_owned()), ("GRANTOR__DATABASE__URL".to_owned(), url)];
    let options =
        grantor::config::LoadOptions { config_file: Some(file), environment: environment.into(), ..Default::default() };
    grantor::config::load(&options).unwrap().database
}
