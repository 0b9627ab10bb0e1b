//! What the text of an SQL statement says. Keywords are in capitals.

/// How a statement changes rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Statement {
    Insert,
    /// Also an `INSERT` that updates the rows that exist already.
    Update,
    Delete,
}

fn words(sql: &str) -> Vec<&str> {
    sql.split(|letter: char| !letter.is_alphanumeric() && letter != '_').filter(|word| !word.is_empty()).collect()
}

/// Whether the statement changes rows.
pub(super) fn writes(sql: &str) -> bool {
    let words = words(sql);
    let contains = |pair: [&str; 2]| words.windows(2).any(|window| window == pair);
    match words.first() {
        Some(&"INSERT") => contains(["INSERT", "INTO"]),
        Some(&"DELETE") => contains(["DELETE", "FROM"]),
        Some(&"UPDATE") => words.contains(&"SET"),
        Some(&"WITH") => {
            // `FOR UPDATE` and `FOR NO KEY UPDATE` only lock.
            let updates = |pair: &[&str]| pair[1] == "UPDATE" && !["FOR", "KEY"].contains(&pair[0]);
            contains(["INSERT", "INTO"]) || contains(["DELETE", "FROM"]) || words.windows(2).any(updates)
        }
        _ => false,
    }
}

/// The words that may be tables, each after the keyword that says so. Only a `FROM` or `JOIN` that is not part of
/// `DELETE FROM` reads.
pub(super) fn tables(sql: &str) -> Vec<Table<'_>> {
    let words = words(sql);
    let mut tables = Vec::new();
    let is_upsert = words.windows(2).any(|pair| pair == ["DO", "UPDATE"]);
    for (index, pair) in words.windows(2).enumerate() {
        let written = match pair[0] {
            "FROM" if index > 0 && words[index - 1] == "DELETE" => Some(Statement::Delete),
            "FROM" | "JOIN" => None,
            "INTO" if !is_upsert => Some(Statement::Insert),
            "INTO" | "UPDATE" => Some(Statement::Update),
            _ => continue,
        };
        tables.push(Table { name: pair[1], written });
    }
    tables
}

#[derive(Debug, PartialEq)]
pub(super) struct Table<'a> {
    pub(super) name: &'a str,
    pub(super) written: Option<Statement>,
}

#[test]
fn statements_that_write_are_told_from_those_that_read() {
    for sql in [
        "INSERT INTO a VALUES (1)",
        "\n  UPDATE a SET x = 1",
        "DELETE FROM {table} WHERE x",
        "WITH old AS (DELETE FROM a RETURNING *) SELECT * FROM old",
        "WITH new AS (SELECT 1) INSERT INTO a SELECT * FROM new",
        "WITH new AS (SELECT 1) UPDATE a SET x = 1",
    ] {
        assert!(writes(sql), "{sql}");
    }
    for sql in [
        "",
        "SELECT * FROM a FOR UPDATE",
        "WITH b AS (SELECT * FROM a) SELECT * FROM b FOR NO KEY UPDATE",
        "DELETE",
        "UPDATE",
        "LOCK TABLE a",
    ] {
        assert!(!writes(sql), "{sql}");
    }
}

#[test]
fn tables_are_found_after_their_keywords() {
    let found = tables("DELETE FROM a USING b WHERE x IN (SELECT y FROM c JOIN d USING (z)) -- INTO e");
    let named = |name, written| Table { name, written };
    let expected =
        [named("a", Some(Statement::Delete)), named("c", None), named("d", None), named("e", Some(Statement::Insert))];
    assert_eq!(found, expected);
    assert_eq!(tables("UPDATE a SET x = 1"), [named("a", Some(Statement::Update))]);
    let upsert = tables("INSERT INTO a VALUES (1) ON CONFLICT (x) DO UPDATE SET x = 1");
    assert!(upsert.contains(&named("a", Some(Statement::Update))), "{upsert:?}");
}
