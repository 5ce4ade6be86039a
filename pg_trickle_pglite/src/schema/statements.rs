//! The statements that the backend writes. All others are constants with parameters, or come from the core.

use crate::text::hidden;
use crate::text::names::{qualified, quoted};

/// The triggers of a source or of its children, after `__pgt_`.
const SOURCE_TRIGGERS: &str = "before insert update delete truncate after";

/// The start of the statement that creates the definition view, up to the user's query.
#[must_use]
pub fn define(schema: &str, id: i32) -> String {
    format!("CREATE VIEW {} AS\n", qualified(schema, &hidden::draft(id)))
}

/// Moves a definition view out of sight.
#[must_use]
pub fn hide(schema: &str, id: i32) -> [String; 2] {
    let (hidden, draft) = (hidden::SCHEMA, hidden::draft(id));
    [
        format!("ALTER VIEW {} SET SCHEMA {hidden}", qualified(schema, &draft)),
        format!("ALTER VIEW {hidden}.{draft} RENAME TO def_{id}"),
    ]
}

/// The view that users see.
#[must_use]
pub fn user_view(name: &str, select: &str, replace: bool) -> String {
    let or_replace = if replace { "OR REPLACE " } else { "" };
    format!("CREATE {or_replace}VIEW {name} AS {select}")
}

/// The triggers that refuse writes: BEFORE, so that a statement that writes no row is refused too, and INSTEAD OF, without
/// which the write would reach the storage.
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

/// What a statement writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// INSERT.
    Insert,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
}

impl Write {
    /// Its bit in `pg_trigger.tgtype`.
    #[must_use]
    pub fn trigger_type(self) -> u32 {
        match self {
            Self::Insert => 1 << 2,
            Self::Delete => 1 << 3,
            Self::Update => 1 << 4,
        }
    }
}

/// A statement that fires the triggers of a view and writes nothing. An UPDATE names all columns.
#[must_use]
pub fn write_nothing(view: &str, columns: &[&str], write: Write) -> String {
    match write {
        Write::Insert => format!("INSERT INTO {view} SELECT * FROM {view} WHERE false"),
        Write::Delete => format!("DELETE FROM {view} WHERE false"),
        Write::Update => {
            let set: Vec<String> = columns
                .iter()
                .map(|column| format!("{0} = {0}", quoted(column)))
                .collect();
            format!("UPDATE {view} SET {} WHERE false", set.join(", "))
        }
    }
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

/// Changes nothing, but fails while a statement uses the table.
#[must_use]
pub fn enable_trigger(table: &str) -> String {
    format!("ALTER TABLE ONLY {table} ENABLE TRIGGER __pgt_before")
}

/// Gives a relation to a role.
#[must_use]
pub fn give(relation: &str, role: &str) -> String {
    format!("ALTER TABLE {relation} OWNER TO {}", quoted(role))
}

/// Drops a view, optionally with everything that depends on it.
#[must_use]
pub fn drop_view(view: &str, cascade: bool) -> String {
    format!("DROP VIEW {view}{}", if cascade { " CASCADE" } else { "" })
}

/// Drops an object, given with its kind: `VIEW name`, and everything that depends on it.
#[must_use]
pub fn drop(what: &str) -> String {
    format!("DROP {what} CASCADE")
}

/// Drops a storage table, if it exists.
#[must_use]
pub fn drop_storage(table: &str) -> String {
    format!("DROP TABLE IF EXISTS {table}")
}

/// The definition of an index, rewritten for another table.
#[must_use]
pub fn move_index(definition: &str, from: &str, to: &str) -> String {
    definition
        .replacen("INDEX ", "INDEX IF NOT EXISTS ", 1)
        .replacen(&format!(" ON {from} "), &format!(" ON {to} "), 1)
}
