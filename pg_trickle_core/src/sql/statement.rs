//! Maintenance statements as data: SELECT, INSERT, MERGE and their parts.
//!
//! The delta rules build these values, and only the `Display` implementations here turn them into text. The scalar
//! expressions in them are text from this module or from the expression writer, never the user's own text. All names
//! but those of our own columns are schema-qualified, so no statement depends on `search_path`.

use std::fmt;

use super::ident::quote_ident;

/// `alias.column`, quoted.
#[must_use]
pub fn column(alias: &str, name: &str) -> String {
    format!("{alias}.{}", quote_ident(name))
}

/// `a AND b AND ...`; TRUE for an empty list.
#[must_use]
pub fn and(conditions: &[String]) -> String {
    junction(conditions, " AND ", "TRUE")
}

/// `a OR b OR ...`; FALSE for an empty list.
#[must_use]
pub fn or(conditions: &[String]) -> String {
    junction(conditions, " OR ", "FALSE")
}

fn junction(conditions: &[String], word: &str, none: &str) -> String {
    match conditions {
        [] => none.to_owned(),
        [one] => one.clone(),
        many => format!("({})", many.join(word)),
    }
}

/// True if a value is NULL. `IS NULL` would also be true for a row of NULLs, which is a different value.
#[must_use]
pub fn is_null(value: &str) -> String {
    format!("({value} IS NOT DISTINCT FROM NULL)")
}

/// True if both values are NULL.
#[must_use]
pub fn both_null(a: &str, b: &str) -> String {
    and(&[is_null(a), is_null(b)])
}

/// `ROW(a, b, ...)`.
#[must_use]
pub fn row(values: &[String]) -> String {
    format!("ROW({})", values.join(", "))
}

/// `ROW(alias.a, alias.b, ...)`.
#[must_use]
pub fn row_of(alias: &str, columns: &[String]) -> String {
    row(&columns.iter().map(|name| column(alias, name)).collect::<Vec<_>>())
}

/// `pgtrickle.row_image(ROW(...))` over the columns of `alias`.
#[must_use]
pub fn image(alias: &str, columns: &[String]) -> String {
    format!("pgtrickle.row_image({})", row_of(alias, columns))
}

/// `pgtrickle.row_hash(ROW(...))` over the columns of `alias`, or over bare names.
#[must_use]
pub fn hash(alias: Option<&str>, columns: &[String]) -> String {
    let record = match alias {
        Some(alias) => row_of(alias, columns),
        None => row(&columns.iter().map(|name| quote_ident(name)).collect::<Vec<_>>()),
    };
    format!("pgtrickle.row_hash({record})")
}

/// `ROW(alias.a, ...)::record`, which compares NULLs as equal, and can be hashed.
#[must_use]
pub fn record(alias: &str, columns: &[String]) -> String {
    format!("{}::pg_catalog.record", row_of(alias, columns))
}

/// True if the columns of two rows differ, byte for byte.
#[must_use]
pub fn differs(a: &str, b: &str, columns: &[String]) -> String {
    op(&record(a, columns), "*<>", &record(b, columns))
}

/// `(left OPERATOR(pg_catalog.op) right)`, for operators that every server has in `pg_catalog`.
#[must_use]
pub fn op(left: &str, operator: &str, right: &str) -> String {
    format!("({left} OPERATOR(pg_catalog.{operator}) {right})")
}

/// `CASE WHEN c THEN v ... [ELSE e] END`.
#[must_use]
pub fn case(arms: &[(String, String)], otherwise: Option<&str>) -> String {
    let mut text = String::from("CASE");
    for (condition, value) in arms {
        text.push_str(&format!(" WHEN {condition} THEN {value}"));
    }
    if let Some(value) = otherwise {
        text.push_str(&format!(" ELSE {value}"));
    }
    text.push_str(" END");
    text
}

/// A `SELECT`, with the clauses that maintenance needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Select {
    /// Expressions and their names, unquoted; `alias.*` has none.
    pub columns: Vec<(String, String)>,
    /// FROM items, separated by commas, each with its alias.
    pub from: Vec<String>,
    /// Conjuncts of WHERE.
    pub filter: Vec<String>,
    /// GROUP BY expressions.
    pub group_by: Vec<String>,
    /// Disjuncts of HAVING.
    pub having_any: Vec<String>,
    /// DISTINCT ON expressions.
    pub distinct_on: Vec<String>,
    /// ORDER BY items.
    pub order_by: Vec<String>,
}

impl Select {
    /// `(SELECT ...) AS alias`, for a FROM list.
    #[must_use]
    pub fn derived(&self, alias: &str) -> String {
        format!("({self}) AS {alias}")
    }
}

impl fmt::Display for Select {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SELECT ")?;
        if !self.distinct_on.is_empty() {
            write!(f, "DISTINCT ON ({}) ", self.distinct_on.join(", "))?;
        }
        for (i, (expression, name)) in self.columns.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            f.write_str(expression)?;
            if !name.is_empty() {
                write!(f, " AS {}", quote_ident(name))?;
            }
        }
        if !self.from.is_empty() {
            write!(f, " FROM {}", self.from.join(", "))?;
        }
        if !self.filter.is_empty() {
            write!(f, " WHERE {}", self.filter.join(" AND "))?;
        }
        if !self.group_by.is_empty() {
            write!(f, " GROUP BY {}", self.group_by.join(", "))?;
        }
        if !self.having_any.is_empty() {
            write!(f, " HAVING {}", self.having_any.join(" OR "))?;
        }
        if !self.order_by.is_empty() {
            write!(f, " ORDER BY {}", self.order_by.join(", "))?;
        }
        Ok(())
    }
}

/// `a UNION ALL b ...`, for use in a derived table.
#[must_use]
pub fn union_all(arms: &[Select]) -> String {
    let arms: Vec<String> = arms.iter().map(ToString::to_string).collect();
    arms.join(" UNION ALL ")
}

/// Columns and the values assigned to them.
pub type Assignments = Vec<(String, String)>;

/// `ON CONFLICT (key) DO UPDATE SET ...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnConflict {
    /// Key columns.
    pub key: Vec<String>,
    /// The assignments.
    pub set: Assignments,
}

/// `INSERT INTO table AS alias (columns) query [ON CONFLICT (key) DO UPDATE SET ...]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Insert {
    /// Qualified, quoted name of the table.
    pub table: String,
    /// The alias by which the conflict clause refers to the table.
    pub alias: String,
    /// Columns, unquoted.
    pub columns: Vec<String>,
    /// The rows: one query.
    pub query: String,
    /// `ON CONFLICT .. DO UPDATE`.
    pub on_conflict: Option<OnConflict>,
}

impl fmt::Display for Insert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "INSERT INTO {} AS {} ", self.table, self.alias)?;
        if self.columns.is_empty() {
            // A stream table without columns still has rows.
            return write!(f, "{}", self.query);
        }
        write!(f, "({}) {}", names(&self.columns), self.query)?;
        if let Some(OnConflict { key, set }) = &self.on_conflict {
            write!(f, " ON CONFLICT ({}) DO ", names(key))?;
            if set.is_empty() {
                f.write_str("NOTHING")?;
            } else {
                write!(f, "UPDATE SET {}", assignments(set))?;
            }
        }
        Ok(())
    }
}

/// `MERGE INTO table AS alias USING source ON on ...`, with the three actions that a fold needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// Qualified, quoted name of the table.
    pub table: String,
    /// Alias of the table.
    pub alias: String,
    /// The source, with its alias.
    pub source: String,
    /// The join condition.
    pub on: String,
    /// `WHEN MATCHED AND condition THEN DELETE`.
    pub delete_when: Option<String>,
    /// `WHEN MATCHED [AND condition] THEN UPDATE SET ...`.
    pub update: Option<(Option<String>, Assignments)>,
    /// Columns that the update sets together, to the row of a SELECT.
    pub together: Vec<(Vec<String>, String)>,
    /// `WHEN NOT MATCHED AND condition THEN INSERT (columns) VALUES (values)`.
    pub insert: Option<(String, Assignments)>,
}

impl fmt::Display for Merge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "MERGE INTO {} AS {} USING {} ON {}",
            self.table, self.alias, self.source, self.on
        )?;
        if let Some(condition) = &self.delete_when {
            write!(f, " WHEN MATCHED AND {condition} THEN DELETE")?;
        }
        if let Some((condition, set)) = &self.update
            && !set.is_empty()
        {
            f.write_str(" WHEN MATCHED")?;
            if let Some(condition) = condition {
                write!(f, " AND {condition}")?;
            }
            write!(f, " THEN UPDATE SET {}", assignments(set))?;
            for (columns, select) in &self.together {
                write!(f, ", ({}) = ({select})", names(columns))?;
            }
        }
        if let Some((condition, values)) = &self.insert {
            let (columns, values): (Vec<String>, Vec<String>) = values.iter().cloned().unzip();
            write!(
                f,
                " WHEN NOT MATCHED AND {condition} THEN INSERT ({}) VALUES ({})",
                names(&columns),
                values.join(", ")
            )?;
        }
        Ok(())
    }
}

/// Quoted names, separated by commas.
#[must_use]
pub fn names(columns: &[String]) -> String {
    let quoted: Vec<String> = columns.iter().map(|name| quote_ident(name)).collect();
    quoted.join(", ")
}

/// `a = x, b = y`.
#[must_use]
pub fn assignments(set: &[(String, String)]) -> String {
    let parts: Vec<String> = set
        .iter()
        .map(|(name, value)| format!("{} = {value}", quote_ident(name)))
        .collect();
    parts.join(", ")
}
