//! `grantor apply`, `grantor export`

use std::os::unix::fs::PermissionsExt;

use rstest::rstest;
use serde_json::{Value, json};

use super::{client_credentials, done, members, refused, within_a_second};
use crate::harness::{Database, Installation};

const SHOP: &str = r#"
[[organization]]
slug = "shop"
name = "The Shop"

[[scope]]
name = "orders:read"
description = "Read orders"

[[scope]]
name = "orders:write"
requires_approval = true
audience = "https://orders"

[[role]]
organization = "shop"
name = "buyer"
permissions = ["orders:read", "api:access"]

[[client]]
client_id = "orders-job"
organization = "shop"
label = "Orders job"
description = "Runs at night"
grant_types = ["client_credentials"]
scopes = ["orders:write", "orders:read"]
audiences = ["https://orders"]
access_lifetime = 600
idle_lifetime = 86400
reuse_window = 0
signing_algorithm = "PS256"

[[client]]
client_id = "till"
label = "Till"
public = true
grant_types = ["password", "refresh_token"]
"#;

fn apply(installation: &Installation, text: &str, further: &[&str]) -> Value {
    let output = installation.run_with(&[&["apply", "-f", "-", "--json"], further].concat(), text);
    serde_json::from_str(&done(&output)).unwrap()
}

fn steps(applied: &Value) -> Vec<String> {
    let steps = applied["steps"].as_array().unwrap().iter();
    steps.map(|step| format!("{} {}", step["noun"].as_str().unwrap(), step["key"].as_str().unwrap())).collect()
}

fn clients(installation: &Installation) -> usize {
    installation.json(&["client", "list"]).as_array().unwrap().len()
}

#[rstest]
fn a_declaration_is_made_once_and_the_second_time_nothing_changes(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let mut server = Installation::new(db);
    server.start();
    let all = [
        "organization shop",
        "scope orders:read",
        "scope orders:write",
        "role shop/buyer",
        "client orders-job",
        "client till",
    ];
    let dry = apply(&server, SHOP, &["--dry-run"]);
    assert_eq!(members(&dry), ["dry_run", "secrets", "steps", "unchanged"]);
    assert_eq!((steps(&dry), &dry["secrets"]), (all.map(str::to_owned).to_vec(), &json!({})));
    assert_eq!(clients(&server), 1, "a dry run makes nothing");

    let made = apply(&server, SHOP, &[]);
    assert_eq!(steps(&made), all);
    assert_eq!(members(&made["secrets"]), ["orders-job"], "a public client has no secret");
    let secret = made["secrets"]["orders-job"].as_str().unwrap();
    within_a_second("declared", || client_credentials(&server, "orders-job", secret).is_none());

    let again = apply(&server, SHOP, &[]);
    assert_eq!((steps(&again), &again["unchanged"], &again["secrets"]), (vec![], &json!(6), &json!({})));
    let said = done(&server.run_with(&["apply", "-f", "-"], SHOP));
    assert_eq!(said, "= 6 unchanged\n");
    assert_eq!(client_credentials(&server, "orders-job", secret), None, "the secret is the same");
}

#[rstest]
fn what_differs_changes_and_what_is_not_declared_stays(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Installation::new(db);
    apply(&server, SHOP, &[]);
    server.json(&["client", "disable", "orders-job"]);
    let changed = SHOP
        .replace("The Shop", "The Store")
        .replace("\"orders:write\", \"orders:read\"", "\"orders:read\"")
        .replace("access_lifetime = 600\n", "")
        .replace("[\"orders:read\", \"api:access\"]", "[\"api:access\"]")
        .replace("description = \"Read orders\"\n", "");
    let only_some = changed.split("[[client]]\nclient_id = \"till\"").next().unwrap();

    let said = done(&server.run_with(&["apply", "-f", "-"], only_some));

    assert_eq!(
        said,
        "~ change organization shop: name: The Shop → The Store\n\
         ~ change scope orders:read: description: Read orders → (none)\n\
         ~ change role shop/buyer: permissions: api:access orders:read → api:access\n\
         ~ change client orders-job: scopes: orders:read orders:write → orders:read\n\
         ~ change client orders-job: access_lifetime: 600 → default\n\
         = 1 unchanged\n"
    );
    let job = server.json(&["client", "show", "orders-job"]);
    assert_eq!(job["scopes"], json!(["orders:read"]));
    assert_eq!(job["status"], "disabled", "a stop that nobody declared outlives the declaration");
    assert_eq!(server.json(&["client", "show", "till"])["status"], "active");

    let enabled = format!("{only_some}\nstatus = \"active\"\n");
    let applied = apply(&server, &enabled, &[]);
    assert_eq!(
        applied["steps"][0]["action"]["change"],
        json!([{"field": "status", "from": "disabled", "to": "active"}])
    );
    assert_eq!(server.json(&["client", "show", "orders-job"])["status"], "active");
}

#[rstest]
fn an_export_makes_the_same_installation_again_and_holds_no_secret(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let (first, second) = (Installation::new(db), Installation::new(db));
    let secret = apply(&first, SHOP, &[])["secrets"]["orders-job"].as_str().unwrap().to_owned();
    first.json(&["client", "disable", "till"]);
    let exported = done(&first.run(&["export"]));
    assert!(!exported.contains(&secret) && !exported.contains("digest"), "{exported}");
    assert!(exported.contains("status = \"disabled\""), "{exported}");
    assert_eq!(steps(&apply(&first, &exported, &[])), Vec::<String>::new());

    apply(&second, &exported, &[]);

    assert_eq!(done(&second.run(&["export"])), exported);
    assert_eq!(steps(&apply(&second, &exported, &[])), Vec::<String>::new());
    assert_eq!(second.json(&["export"])["client"].as_array().unwrap().len(), 3);
}

#[rstest]
fn what_cannot_be_is_refused_in_one_line_and_nothing_of_it_is_made(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Installation::new(db);
    apply(&server, SHOP, &[]);
    let before = done(&server.run(&["export"]));
    let good = "[[scope]]\nname = \"new:scope\"\n";
    for (text, wanted) in [
        ("[[client]]\nclient_id = \"x\"\nlabel = \"x\"\ngrants = []\n", "line 6: unknown field `grants`"),
        ("[[user]]\nname = \"x\"\n", "line 3: unknown field `user`"),
        ("[[client]]\nclient_id = \"x\"\n", "missing field `label`"),
        ("[[client]]\nclient_id = \"x\"\nlabel = 7\n", "line 5: invalid type"),
        ("[[client\n", "line 3: "),
        ("[[scope]]\nname = \"new:scope\"\n", "the scope `new:scope` is declared twice"),
        ("[[scope]]\nname = \"openid\"\n", "scope `openid`: it is built in"),
        ("[[organization]]\nslug = \"No\"\nname = \"x\"\n", "organization `No`: a slug has"),
        ("[[role]]\nname = \"r\"\npermissions = [\"fly\"]\n", "role `default/r`: `fly` is neither"),
        ("[[role]]\norganization = \"nowhere\"\nname = \"r\"\n", "there is no organization `nowhere`"),
        (
            "[[client]]\nclient_id = \"x\"\nlabel = \"x\"\nscopes = [\"fly\"]\n",
            "client `x`: the scope `fly` is neither",
        ),
        (
            "[[client]]\nclient_id = \"x\"\nlabel = \"x\"\ngrant_types = [\"magic\"]\n",
            "client `x`: `magic` is not one of",
        ),
        ("[[client]]\nclient_id = \"x\"\nlabel = \"x\"\nidle_lifetime = 1\n", "client `x`: idle_lifetime"),
        ("[[client]]\nclient_id = \"till\"\nlabel = \"Till\"\n", "client `till`: `public` is decided"),
        (
            "[[client]]\nclient_id = \"till\"\nlabel = \"Till\"\npublic = true\nstatus = \"deleted\"\n",
            "nothing is deleted",
        ),
    ] {
        let said = refused(&server.run_with(&["apply", "-f", "-"], &format!("{good}{text}")), 1);
        assert!(said.contains(wanted), "{text}: {said}");
        assert_eq!(done(&server.run(&["export"])), before, "{text}");
    }
}

#[test]
fn secrets_go_into_a_new_file_of_the_owners() {
    let server = Installation::new(Database::Sqlite);
    let file = server.path().join("secrets.json");
    let arguments = ["apply", "-f", "-", "--secrets-out", file.to_str().unwrap()];
    refused(&server.run_with(&arguments, "[[client]]\n"), 1);
    assert!(!file.exists());
    let said = done(&server.run_with(&arguments, SHOP));
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let secrets: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let secret = secrets["orders-job"].as_str().unwrap();
    assert!(secret.starts_with("gr_cs_") && !said.contains(secret), "{said}");
    assert!(refused(&server.run_with(&arguments, SHOP), 1).contains("exists already"));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(done(&server.run_with(&arguments, SHOP)), "= 6 unchanged\n");
    assert!(!file.exists(), "nothing was made, so there is nothing to keep");
}
