//! What the value of an expression depends on besides the rows that it is computed from.
//!
//! PostgreSQL calls a function stable for one of four reasons:
//!
//! - It reads the clock, the session or the transaction: `now()`, `current_setting()`, `pg_backend_pid()`.
//! - It reads the catalog, or tables: `to_regclass()`, `pg_get_viewdef()`, `has_table_privilege()`, `crosstab()`.
//! - It depends on settings: `to_char(timestamptz)` on TimeZone, `to_tsvector(text)` on the text search configuration.
//! - It depends on its arguments alone, and is stable because some types have stable output functions: `concat()`.
//!
//! The last two are incremental, and [`FOLDED`] lists them. Everything else needs a full refresh, so that a function
//! that nobody has looked at costs time and not rows. Functions of extensions count only if they are compiled: one that
//! a user writes may have any name, and read tables.
//!
//! A listed function can still depend on the catalog (it writes a `regclass` as text), or on the form in which a value
//! is stored (`pg_column_size`).

use super::fallback::Fallback;
use super::types::type_of;
use super::volatility::called;
use crate::catalog::{Catalog, Function};
use crate::error::Error;
use crate::oids::{
    ACLITEM, ACLITEM_ARRAY, DATE, FIRST_OF_INITDB, REG_TYPE_ARRAYS, REG_TYPES, TIME, TIMESTAMP, TIMESTAMPTZ, TIMETZ,
};
use crate::plan::Oid;
use crate::query::{CoerceViaIo, Expr, Query, RangeFunction};
use crate::sql::ident::is_one_of;

/// The stable functions of PostgreSQL 17 and 18 that depend on arguments and settings. `name*` is a family: all
/// stable functions whose names begin this way. One text, so that no pointers are relocated at loading.
const FOLDED: &str = "\
    anytextcat array_send array_to_json array_to_string bpcharsend concat concat_ws convert convert_from convert_to \
    date date_* enum_* extract format generate_series in_range interval_pl_timestamptz json_* jsonb_* length \
    make_timestamptz money multirange_send namesend numeric overlaps phraseto_tsquery plainto_tsquery quote_literal \
    quote_nullable range_send record_send row_to_json textanycat textsend time timestamp timestamp_* timestamptz \
    timestamptz_* timetz timezone to_char to_date to_json to_jsonb to_number to_timestamp to_tsquery to_tsvector \
    ts_headline ts_match_tq ts_match_tt varcharsend websearch_to_tsquery xml xml_is_well_formed xml_send";

/// The same of the extensions that PGlite ships: pg_trgm, unaccent, pg_uuidv7.
const FOLDED_IN_EXTENSIONS: &str = "\
    similarity_op strict_word_similarity_commutator_op strict_word_similarity_op unaccent uuid_v7_to_timestamp \
    uuid_v7_to_timestamptz word_similarity_commutator_op word_similarity_op";

/// Types of PostgreSQL's own whose values have one size.
const OF_ONE_SIZE: &str = "\
    bool box char circle date float4 float8 int2 int4 int8 interval line lseg macaddr macaddr8 money name oid pg_lsn \
    point time timestamp timestamptz timetz uuid xid xid8";

/// Fails where an expression can change its value without a change of a table.
pub fn settled(expr: &Expr, catalog: &dyn Catalog) -> Result<(), Fallback> {
    first(expr, &mut |node| unsettled(node, catalog))
}

/// The same for all expressions of a query, and of the queries in it.
pub fn settled_query(query: &Query, catalog: &dyn Catalog) -> Result<(), Fallback> {
    let mut result = Ok(());
    query.for_each_query(&mut |query| {
        query.for_each_expr(&mut |expr| {
            if result.is_ok() {
                result = settled(expr, catalog);
            }
        });
    });
    result
}

/// Fails where the value of an expression depends on the form in which the values that it reads are stored.
pub fn same_when_stored(expr: &Expr, catalog: &dyn Catalog) -> Result<(), Fallback> {
    first(expr, &mut |node| stored_form(node, catalog))
}

/// Fails where the columns that a function in FROM is told to have are read from text by the catalog.
pub fn settled_columns(function: &RangeFunction, catalog: &dyn Catalog) -> Result<(), Fallback> {
    for column in &function.column_types {
        if names_objects(*column, catalog)? {
            let type_sql = catalog.type_sql(*column, -1)?;
            return Err(Fallback::Whole(format!("the text of {type_sql}")));
        }
    }
    Ok(())
}

/// Fails for the first part of the expression that `what` names.
fn first(expr: &Expr, what: &mut dyn FnMut(&Expr) -> Result<Option<String>, Error>) -> Result<(), Fallback> {
    let mut result = Ok(None);
    expr.for_each(&mut |node| {
        if matches!(result, Ok(None)) {
            result = what(node);
        }
    });
    result?.map_or(Ok(()), |what| Err(Fallback::Whole(what)))
}

/// What of this node alone changes by itself.
fn unsettled(node: &Expr, catalog: &dyn Catalog) -> Result<Option<String>, Error> {
    match node {
        Expr::SqlValue(_) => return Ok(Some("CURRENT_DATE, CURRENT_USER or the like".to_owned())),
        Expr::CoerceViaIo(cast) => return text_form(node, cast, catalog),
        Expr::Xml(_) | Expr::JsonConstructor(_) | Expr::JsonExpr(_) => return names(node, catalog),
        _ => {}
    }
    for oid in called(node, catalog)? {
        let function = catalog.function(oid)?;
        if function.volatility == 's' {
            if is_pg(&function, "pg_typeof") {
                continue;
            }
            if is_pg(&function, "pg_column_size") {
                return stored_form(node, catalog);
            }
            if !is_folded(&function, catalog)? {
                return Ok(Some(format!("stable function {}()", function.name)));
            }
            // Those of extensions take no values of any type.
            if function.schema == "pg_catalog"
                && let Some(what) = names(node, catalog)?
            {
                return Ok(Some(what));
            }
        }
    }
    Ok(None)
}

fn is_pg(function: &Function, name: &str) -> bool {
    function.schema == "pg_catalog" && function.name == name
}

/// True for the stable functions that depend on nothing but arguments and settings.
fn is_folded(function: &Function, catalog: &dyn Catalog) -> Result<bool, Error> {
    if function.schema != "pg_catalog" {
        return Ok(is_one_of(&function.name, FOLDED_IN_EXTENSIONS) && catalog.is_compiled(function.oid)?);
    }
    // A time of day has the time zone's offset of today.
    let of_today = function.result == TIMETZ && function.arg_types.last() != Some(&TIMESTAMPTZ);
    let is_listed = FOLDED.split(' ').any(|known| match known.strip_suffix('*') {
        Some(family) => function.name.starts_with(family),
        None => function.name == known,
    });
    Ok(is_listed && !of_today)
}

/// A cast by output and input functions that reads the catalog or the clock.
fn text_form(node: &Expr, cast: &CoerceViaIo, catalog: &dyn Catalog) -> Result<Option<String>, Error> {
    // The name of a built-in type is what it is.
    if let Expr::Func(call) = &cast.arg
        && is_pg(&catalog.function(call.function)?, "pg_typeof")
        && let [argument] = call.args.as_slice()
    {
        let of = type_of(argument, catalog)?;
        if of != 0 && catalog.type_(of)?.schema == "pg_catalog" {
            return Ok(None);
        }
    }
    if let Some(what) = names(node, catalog)? {
        return Ok(Some(what));
    }
    if cast.type_oid == TIMETZ {
        return Ok(Some(
            "text as time with time zone, which has the offset of today".to_owned(),
        ));
    }
    if [DATE, TIME, TIMESTAMP, TIMESTAMPTZ].contains(&cast.type_oid) {
        return says_now(&cast.arg, catalog);
    }
    Ok(None)
}

/// A constant that becomes the present when it is read as a date or time.
fn says_now(expr: &Expr, catalog: &dyn Catalog) -> Result<Option<String>, Error> {
    const PRESENT: &str = "now today tomorrow yesterday";
    let values: Vec<&Expr> = match expr {
        Expr::Const(constant) if !constant.is_null => {
            let text = catalog.const_text(&constant.node)?.to_ascii_lowercase();
            let word = text.split_whitespace().find(|word| is_one_of(word, PRESENT));
            return Ok(word.map(|word| format!("'{word}' as a date or time")));
        }
        Expr::Relabel(cast) => vec![&cast.arg],
        Expr::CoerceViaIo(cast) => vec![&cast.arg],
        Expr::Coalesce(list) => list.args.iter().collect(),
        Expr::Case(case) => case
            .whens
            .iter()
            .map(|(_, value)| value)
            .chain(&case.otherwise)
            .collect(),
        _ => Vec::new(),
    };
    for value in values {
        if let Some(what) = says_now(value, catalog)? {
            return Ok(Some(what));
        }
    }
    Ok(None)
}

/// A node that writes or reads values as text, where these name objects of the catalog.
fn names(node: &Expr, catalog: &dyn Catalog) -> Result<Option<String>, Error> {
    let mut types = vec![node.type_oid()];
    node.for_each_child(&mut |child| add_types(child, &mut types));
    for type_oid in types {
        if names_objects(type_oid, catalog)? {
            return Ok(Some(format!("the text of {}", catalog.type_sql(type_oid, -1)?)));
        }
    }
    Ok(None)
}

/// The type of a value, or of all that a row is made of.
fn add_types(value: &Expr, types: &mut Vec<Oid>) {
    match value {
        Expr::Row(row) => row.args.iter().for_each(|field| add_types(field, types)),
        _ => types.push(value.type_oid()),
    }
}

/// True for types whose text is looked up in the catalog, and those that are made of them.
fn names_objects(type_oid: Oid, catalog: &dyn Catalog) -> Result<bool, Error> {
    if type_oid < FIRST_OF_INITDB {
        let acl = [ACLITEM, ACLITEM_ARRAY];
        return Ok(acl.contains(&type_oid) || REG_TYPES.contains(&type_oid) || REG_TYPE_ARRAYS.contains(&type_oid));
    }
    let of = catalog.type_(type_oid)?;
    if of.relid != 0 {
        for column in &catalog.relation(of.relid)?.columns {
            if !column.dropped && names_objects(column.type_oid, catalog)? {
                return Ok(true);
            }
        }
    }
    let inside = if of.element != 0 { of.element } else { of.base };
    names_objects(inside, catalog)
}

/// `pg_column_size` of a value that has another size in a table than in memory, and yet another when it is compressed.
fn stored_form(node: &Expr, catalog: &dyn Catalog) -> Result<Option<String>, Error> {
    let Expr::Func(call) = node else { return Ok(None) };
    if !is_pg(&catalog.function(call.function)?, "pg_column_size") {
        return Ok(None);
    }
    for argument in &call.args {
        let type_oid = type_of(argument, catalog)?;
        if !matches!(argument, Expr::Const(_)) && !is_of_one_size(type_oid, catalog)? {
            let type_sql = catalog.type_sql(type_oid, -1)?;
            return Ok(Some(format!("pg_column_size() of {type_sql}, as it is stored")));
        }
    }
    Ok(None)
}

fn is_of_one_size(type_oid: Oid, catalog: &dyn Catalog) -> Result<bool, Error> {
    let of = catalog.type_(type_oid)?;
    match of.kind {
        'e' => Ok(true),
        'd' => is_of_one_size(of.base, catalog),
        _ => Ok(of.schema == "pg_catalog" && is_one_of(&of.name, OF_ONE_SIZE)),
    }
}
