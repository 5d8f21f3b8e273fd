//! `grantor user import`

use rstest::rstest;
use serde_json::json;

use super::{done, members, refused};
use crate::harness::{Database, Installation};

const TWO: &str = concat!(
    r#"[{"username":"ada","email":"ada@example.com","roles":["developer"],"#,
    r#""password_hash":"$2b$05$dNx0l.zNJ6Se0kaJv4yPBexoFW.mu7YjKTUmQ6hv/KijBsVHrQnpm"},"#,
    "\n",
    r#"{"username":"robot","kind":"api_user"}]"#
);

#[rstest]
fn a_dry_run_writes_nothing_and_a_second_import_skips(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let installation = Installation::new(db);
    let file = installation.path().join("users.json");
    std::fs::write(&file, TWO).unwrap();
    let file = file.to_str().unwrap();
    let dry = installation.json(&["user", "import", file, "--dry-run"]);
    assert_eq!(members(&dry), ["format", "imported", "roles_left_out", "skipped", "without_password"]);
    assert_eq!((&dry["imported"], &dry["format"]), (&json!(2), &json!("array")));
    assert_eq!(installation.json(&["user", "list"]).as_array().unwrap().len(), 1);

    let said = done(&installation.run(&["user", "import", file]));
    assert_eq!(said, "imported: 2\nof them without a password: 1\nskipped: 0\n");
    assert_eq!(installation.json(&["user", "show", "ada"])["status"], "active");
    assert_eq!(installation.json(&["user", "show", "robot"])["status"], "invited");

    let again = done(&installation.run_with(&["user", "import", "-"], TWO));
    assert!(again.starts_with("imported: 0\nskipped: 2\n  line 1: ada: the username is there already\n"), "{again}");
}

#[test]
fn a_file_that_cannot_be_imported_is_refused_in_one_line() {
    let installation = Installation::new(Database::Sqlite);
    for (text, wanted) in [
        ("username,email\n", "line 1: file: not JSON"),
        ("[{\"username\":\"a\"},\n{\"username\":1}]", "line 2: username"),
        ("\n{\"username\":\"a\",\"password\":\"secret words\"}", "line 2: password: is not a field"),
    ] {
        let said = refused(&installation.run_with(&["user", "import", "-"], text), 1);
        assert!(said.contains(wanted) && !said.contains("secret words"), "{said}");
    }
    assert!(refused(&installation.run(&["user", "import", "nowhere.json"]), 1).contains("nowhere.json cannot be read"));
}
