//! The tools of frontend teams take the schema and the operations of the screens: graphql-eslint, Relay's compiler,
//! GraphQL Code Generator, composition under Apollo Federation 2, and the normalized cache of Apollo Client.

use std::path::Path;
use std::process::Command;

#[test]
fn the_tools_of_frontend_teams_take_the_schema() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    assert!(folder.join("node_modules").is_dir(), "tests/clients/node_modules is missing: `make test` installs it");
    let checks = ["check.mjs", "lint", "relay", "codegen", "federation", "apollo"];
    let run = Command::new("node").args(checks).current_dir(&folder).output().expect("there is no `node`");
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{out}\n{err}");
    assert_eq!(out.lines().filter(|line| line.starts_with("ok ")).count(), checks.len() - 1, "{out}");
}
