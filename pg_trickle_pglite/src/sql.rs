//! Text of the DDL that the backend writes itself. Everything else is a constant with parameters, or comes from the core.

use crate::names::QualifiedName;

/// The triggers of a source or of its children, after `__pgt_`.
const SOURCE_TRIGGERS: &str = "before insert update delete truncate after";

/// The schema of all that is hidden.
pub const SCHEMA: &str = "pgtrickle";

/// A quoted identifier.
#[must_use]
pub fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The text of an array of these numbers.
#[must_use]
pub fn array(numbers: &[String]) -> String {
    format!("{{{}}}", numbers.join(","))
}

/// A qualified, quoted name.
#[must_use]
pub fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", ident(schema), ident(name))
}

/// A name as the user may have written it, for PostgreSQL to resolve.
#[must_use]
pub fn as_given(name: &QualifiedName) -> String {
    match &name.schema {
        Some(schema) => qualified(schema, &name.name),
        None => ident(&name.name),
    }
}

/// The name that a definition view is made under, in the user's schema.
#[must_use]
fn draft_name(id: i32) -> String {
    format!("__pgt_def_{id}")
}

/// The definition view's qualified name.
#[must_use]
pub fn definition_name(id: i32) -> String {
    format!("{SCHEMA}.def_{id}")
}

/// The storage table's name, without its schema. Those of stages below have `_1`, `_2`, ... after it.
#[must_use]
pub fn storage(id: i32) -> String {
    format!("st_{id}")
}

/// The qualified name of a storage table.
#[must_use]
pub fn storage_name(name: &str) -> String {
    format!("{SCHEMA}.{name}")
}

/// What stands before the user's query in the statement that makes the definition view.
#[must_use]
pub fn define(schema: &str, id: i32) -> String {
    format!("CREATE VIEW {} AS\n", qualified(schema, &draft_name(id)))
}

/// Moves a definition view out of sight.
#[must_use]
pub fn hide(schema: &str, id: i32) -> [String; 2] {
    [
        format!("ALTER VIEW {} SET SCHEMA {SCHEMA}", qualified(schema, &draft_name(id))),
        format!("ALTER VIEW {SCHEMA}.{} RENAME TO def_{id}", draft_name(id)),
    ]
}

/// The view that users see.
#[must_use]
pub fn user_view(name: &str, select: &str, replace: bool) -> String {
    let or_replace = if replace { "OR REPLACE " } else { "" };
    format!("CREATE {or_replace}VIEW {name} AS {select}")
}

/// The triggers that refuse writes: before the statement, so that writing no row is refused too, and instead of it,
/// without which the write would go to the storage.
#[must_use]
pub fn refuse_writes(view: &str) -> [String; 2] {
    [
        format!(
            "CREATE TRIGGER __pgt_refuse BEFORE INSERT OR UPDATE OR DELETE ON {view} \
             FOR EACH STATEMENT EXECUTE FUNCTION pgtrickle.maintain()"
        ),
        format!(
            "CREATE TRIGGER __pgt_instead INSTEAD OF INSERT OR UPDATE OR DELETE ON {view} \
             FOR EACH ROW EXECUTE FUNCTION pgtrickle.maintain()"
        ),
    ]
}

/// The triggers of a table that queries read directly.
#[must_use]
pub fn source_triggers(table: &str) -> Vec<String> {
    let trigger = |what: &str, tables: &str| {
        format!("CREATE TRIGGER {what} ON {table}{tables} FOR EACH STATEMENT EXECUTE FUNCTION pgtrickle.maintain()")
    };
    vec![
        trigger("__pgt_before BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE", ""),
        trigger("__pgt_insert AFTER INSERT", " REFERENCING NEW TABLE AS __pgt_new"),
        trigger(
            "__pgt_update AFTER UPDATE",
            " REFERENCING OLD TABLE AS __pgt_old NEW TABLE AS __pgt_new",
        ),
        trigger("__pgt_delete AFTER DELETE", " REFERENCING OLD TABLE AS __pgt_old"),
        trigger("__pgt_truncate AFTER TRUNCATE", ""),
    ]
}

/// The triggers of a table that queries read through a parent.
#[must_use]
pub fn child_triggers(table: &str) -> Vec<String> {
    ["__pgt_before BEFORE", "__pgt_after AFTER"]
        .into_iter()
        .map(|when| {
            format!(
                "CREATE TRIGGER {when} INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} \
                 FOR EACH STATEMENT EXECUTE FUNCTION pgtrickle.maintain()"
            )
        })
        .collect()
}

/// Removes the triggers of a source.
#[must_use]
pub fn drop_triggers(table: &str) -> Vec<String> {
    SOURCE_TRIGGERS
        .split(' ')
        .map(|trigger| format!("DROP TRIGGER IF EXISTS __pgt_{trigger} ON {table}"))
        .collect()
}

/// Changes nothing.
#[must_use]
pub fn enable_trigger(table: &str) -> String {
    format!("ALTER TABLE ONLY {table} ENABLE TRIGGER __pgt_before")
}

/// Gives a relation to a role.
#[must_use]
pub fn give(relation: &str, role: &str) -> String {
    format!("ALTER TABLE {relation} OWNER TO {}", ident(role))
}

/// Drops a view, with what depends on it or not.
#[must_use]
pub fn drop_view(view: &str, cascade: bool) -> String {
    format!("DROP VIEW {view}{}", if cascade { " CASCADE" } else { "" })
}

/// Drops what is given with its kind: `VIEW name`.
#[must_use]
pub fn drop(what: &str) -> String {
    format!("DROP {what}")
}

/// Drops a storage table, which may be gone.
#[must_use]
pub fn drop_storage(table: &str) -> String {
    format!("DROP TABLE IF EXISTS {table}")
}

/// The definition of an index, for another table.
#[must_use]
pub fn move_index(definition: &str, from: &str, to: &str) -> String {
    definition
        .replacen("INDEX ", "INDEX IF NOT EXISTS ", 1)
        .replacen(&format!(" ON {from} "), &format!(" ON {to} "), 1)
}

/// How the values of a column are compared.
#[derive(Clone, Copy)]
pub enum Compared {
    /// By the equality of their type.
    ByType,
    /// By their text, for types without one.
    ByText,
    /// They may differ by this fraction.
    Near(&'static str),
}

/// Counts the rows that two relations do not share, as bags: `(missing, extra)` from the second's point of view.
#[must_use]
pub fn difference(truth: &str, stored: &str, columns: &[Compared]) -> String {
    let mut names: Vec<String> = (1..=columns.len()).map(|n| format!("c{n}")).collect();
    let list: String = names
        .iter()
        .zip(columns)
        .map(|(name, compared)| match compared {
            Compared::ByText => format!("{name}::pg_catalog.text, "),
            Compared::ByType | Compared::Near(_) => format!("{name}, "),
        })
        .collect();
    let keys: Vec<String> = (1..=columns.len()).map(|n| n.to_string()).collect();
    let (group, alias) = if keys.is_empty() {
        ("()".to_owned(), "q".to_owned())
    } else {
        (keys.join(", "), format!("q({})", names.join(", ")))
    };
    let both = if names.is_empty() {
        "q(n)".to_owned()
    } else {
        format!("q({}, n)", names.join(", "))
    };
    let counted = format!(
        "(SELECT {list}sum(n) AS total FROM (SELECT {list}1 AS n FROM {truth} AS {alias} \
         UNION ALL SELECT {list}-1 FROM {stored} AS {alias}) AS {both} GROUP BY {group}) AS counted"
    );
    let mut near = Vec::new();
    let mut floats = Vec::new();
    for n in (0..columns.len()).rev() {
        if let Compared::Near(most) = columns[n] {
            let c = names.remove(n);
            near.push(format!(
                " AND (count({c}) = 0 OR count({c}) = 2 AND (max({c}) = min({c}) OR \
                 max({c}) / 2 - min({c}) / 2 < {most} * greatest(abs(max({c})), abs(min({c})))))"
            ));
            floats.push(c);
        }
    }
    if floats.is_empty() {
        return format!(
            "SELECT coalesce(sum(total) FILTER (WHERE total > 0), 0)::int8, \
             coalesce(-sum(total) FILTER (WHERE total < 0), 0)::int8 FROM {counted}"
        );
    }
    // What is left of each side, in the order of its floats: the rows at the same place must be near.
    let others: String = names.iter().map(|name| format!("{name}, ")).collect();
    format!(
        "SELECT coalesce(sum(missing), 0)::int8, coalesce(sum(extra), 0)::int8 FROM (\
         SELECT count(*) FILTER (WHERE total > 0) AS missing, count(*) FILTER (WHERE total < 0) AS extra FROM (\
         SELECT *, row_number() OVER (PARTITION BY {others}total > 0 ORDER BY {}) AS place \
         FROM {counted}, generate_series(1, abs(total)) WHERE total <> 0) AS placed \
         GROUP BY {others}place HAVING NOT (count(*) = 2{})) AS apart",
        floats.join(", "),
        near.concat(),
    )
}
