//! Everything the core may ask of a database. There is no implementation here: the backend answers through SPI, and
//! tests answer from a table.
//!
//! Answers describe the catalog as the current command sees it. Implementations may cache them as long as nothing they
//! depend on has changed.

use crate::error::Error;
use crate::plan::Oid;

/// A row of `pg_proc`: function, aggregate, window function or procedure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// `oid`.
    pub oid: Oid,
    /// Name of its schema.
    pub schema: String,
    /// `proname`.
    pub name: String,
    /// `provolatile`: `i`mmutable, `s`table or `v`olatile.
    pub volatility: char,
    /// `prokind`: `f`unction, `a`ggregate, `w`indow function or `p`rocedure.
    pub kind: char,
    /// `proretset`.
    pub returns_set: bool,
    /// `proisstrict`.
    pub strict: bool,
    /// `proargtypes`: the types of the input arguments.
    pub arg_types: Vec<Oid>,
    /// `provariadic`: the element type of the VARIADIC argument, 0 without one.
    pub variadic: Oid,
    /// `prorettype`.
    pub result: Oid,
    /// Column names of a result of type `record`: its OUT, INOUT and TABLE arguments in order, with `columnN` for an
    /// N-th argument without a name. Empty for other functions.
    pub out_names: Vec<String>,
}

/// A row of `pg_operator`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// `oid`.
    pub oid: Oid,
    /// Name of its schema.
    pub schema: String,
    /// `oprname`.
    pub name: String,
    /// `oprleft`; 0 for a prefix operator.
    pub left: Oid,
    /// `oprright`.
    pub right: Oid,
    /// `oprresult`.
    pub result: Oid,
    /// `oprcode`.
    pub function: Oid,
    /// `provolatile` of that function.
    pub volatility: char,
}

/// A row of `pg_type`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// `oid`.
    pub oid: Oid,
    /// Name of its schema.
    pub schema: String,
    /// `typname`.
    pub name: String,
    /// `typtype`: `b`ase, `c`omposite, `d`omain, `e`num, `p`seudo, `r`ange or `m`ultirange.
    pub kind: char,
    /// `typcategory`.
    pub category: char,
    /// `typelem` of a true array type (one with `typsubscript = array_subscript_handler`), else 0.
    pub element: Oid,
    /// `typarray`, 0 without one.
    pub array: Oid,
    /// `typbasetype` of a domain, else 0.
    pub base: Oid,
    /// `typtypmod` of a domain, else -1.
    pub base_typmod: i32,
    /// `typrelid` of a composite type, else 0.
    pub relid: Oid,
    /// `typcollation`, 0 where the type is not collatable.
    pub collation: Oid,
}

/// The operators of a type's default operator class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultOperators {
    /// `=` of the default btree class, or of the default hash class where the type has no btree class.
    pub equality: Operator,
    /// `<` of the default btree class.
    pub less: Option<Operator>,
    /// `>` of the default btree class.
    pub greater: Option<Operator>,
}

/// A row of `pg_attribute`, system columns left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// `attnum`, from 1.
    pub attnum: i16,
    /// `attname`.
    pub name: String,
    /// `atttypid`.
    pub type_oid: Oid,
    /// `atttypmod`.
    pub typmod: i32,
    /// `attcollation`, 0 for none.
    pub collation: Oid,
    /// `attnotnull`.
    pub not_null: bool,
    /// `attisdropped`.
    pub dropped: bool,
    /// `attgenerated`: `s`tored or `v`irtual.
    pub generated: Option<char>,
}

/// A column of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexColumn {
    /// `attnum`, 0 for an expression.
    pub attnum: i16,
    /// `DESC`.
    pub descending: bool,
    /// `NULLS FIRST`.
    pub nulls_first: bool,
}

/// Columns that identify a row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// `attnum`s, in the order of the index.
    pub columns: Vec<i16>,
    /// True for the PRIMARY KEY.
    pub primary: bool,
}

/// A row of `pg_class`: table, view, partitioned table, composite type, ...
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// `oid`.
    pub oid: Oid,
    /// Name of its schema; empty for a stage that is a CTE of the statement.
    pub schema: String,
    /// `relname`.
    pub name: String,
    /// `relkind`.
    pub kind: char,
    /// `relpersistence`.
    pub persistence: char,
    /// All columns in order of `attnum`, dropped ones too: the column `n` is `columns[n - 1]`.
    pub columns: Vec<Column>,
    /// The PRIMARY KEY first, then UNIQUE over NOT NULL columns. Only keys that hold at all times: not deferrable, not
    /// partial, no expressions, not WITHOUT OVERLAPS, valid; and that hold in this relation alone, so none for a table
    /// with inheritance children (partitions do not count as such).
    pub keys: Vec<Key>,
    /// The columns of each index that covers all rows.
    pub indexes: Vec<Vec<IndexColumn>>,
    /// True if other tables inherit from it, as partitions or otherwise.
    pub has_children: bool,
    /// `relkind = 'p'`.
    pub is_partitioned: bool,
    /// True if policies of row-level security apply to the owner of the stream table.
    pub row_security: bool,
    /// True if it is in `pg_catalog`, `information_schema` or a toast schema.
    pub is_system: bool,
    /// True if an UPDATE of it can update more of its rows, through a foreign key to itself.
    pub updates_itself: bool,
}

impl Relation {
    /// The column with this `attnum`, unless it is dropped.
    #[must_use]
    pub fn column(&self, attnum: i16) -> Option<&Column> {
        let position = usize::try_from(attnum).ok()?.checked_sub(1)?;
        self.columns.get(position).filter(|column| !column.dropped)
    }

    /// True if an index starts with this column, or with an expression if it is 0.
    #[must_use]
    pub fn is_indexed(&self, attnum: i16) -> bool {
        let leads = |columns: &Vec<IndexColumn>| columns.first().is_some_and(|first| first.attnum == attnum);
        self.indexes.iter().any(leads)
    }
}

/// Answers about the catalog. Every method fails with [`Error::Catalog`] if the object does not exist.
pub trait Catalog {
    /// The function with this OID.
    fn function(&self, oid: Oid) -> Result<Function, Error>;

    /// True for a function that is compiled into a module of its own, as those of extensions are (`LANGUAGE c`).
    fn is_compiled(&self, function: Oid) -> Result<bool, Error>;

    /// The operator with this OID.
    fn operator(&self, oid: Oid) -> Result<Operator, Error>;

    /// The type with this OID.
    fn type_(&self, oid: Oid) -> Result<Type, Error>;

    /// The type as SQL text, e.g. `character varying(3)` or `public.mood[]`.
    ///
    /// The text must mean the same under every `search_path`: SQL's own keywords as they are, and every other name
    /// schema-qualified, including `pg_catalog`. A modifier of -1 must not turn into one: `pg_catalog.bpchar` and
    /// `pg_catalog."bit"`, not `character` and `bit`.
    fn type_sql(&self, oid: Oid, typmod: i32) -> Result<String, Error>;

    /// Schema and name of the collation with this OID.
    fn collation(&self, oid: Oid) -> Result<(String, String), Error>;

    /// The relation with this OID.
    fn relation(&self, oid: Oid) -> Result<Relation, Error>;

    /// About how many rows a table has now. Plans that depend on it must be remembered, since nobody says when it changes.
    #[cfg(feature = "changes")]
    fn row_count(&self, _relid: Oid) -> Result<i64, Error> {
        Ok(0)
    }

    /// The number of a table in the plan that is being made. It stands in the names of the table's changes in place of its
    /// OID, so that the SQL is the same in every database. Only the plan's own catalog knows it.
    fn delta(&self, _relid: Oid) -> u32 {
        0
    }

    /// True for a view that reads, with the rights of another role, what the owner of the stream table may not read, or may
    /// see other rows of. Its query must not become part of a query that runs as that owner.
    fn is_foreign_view(&self, oid: Oid) -> Result<bool, Error>;

    /// The analysed tree of a view: `ev_action` of its `_RETURN` rule.
    fn view_tree(&self, oid: Oid) -> Result<String, Error>;

    /// The value of a non-NULL constant, written by the output function of its type.
    ///
    /// `node` is the text of its `CONST` node. The result must mean the same under all settings: it is written with
    /// `DateStyle` ISO, `IntervalStyle` iso_8601, `extra_float_digits` 1 and `bytea_output` hex.
    fn const_text(&self, node: &str) -> Result<String, Error>;

    /// The operators of the type's default operator class; `None` for a type without equality (json, point, xml). A
    /// domain has those of its base type; a type that is binary-coercible to the type of the class (varchar) uses that
    /// class.
    fn default_equality(&self, type_oid: Oid) -> Result<Option<DefaultOperators>, Error>;
}

/// The types of most columns, with the operators of their default btree classes: equal, less, greater. PostgreSQL never
/// gives these numbers to anything else, and looking them up takes a good part of the time of a first stream table.
const USUAL: [[Oid; 4]; 14] = [
    [16, 91, 58, 59],         // bool
    [20, 410, 412, 413],      // int8
    [21, 94, 95, 520],        // int2
    [23, 96, 97, 521],        // int4
    [25, 98, 664, 666],       // text
    [701, 670, 672, 674],     // float8
    [1042, 1054, 1058, 1060], // bpchar
    [1043, 98, 664, 666],     // varchar
    [1082, 1093, 1095, 1097], // date
    [1114, 2060, 2062, 2064], // timestamp
    [1184, 1320, 1322, 1324], // timestamptz
    [1700, 1752, 1754, 1756], // numeric
    [2950, 2972, 2974, 2975], // uuid
    [3802, 3240, 3242, 3243], // jsonb
];

/// Equal, less and greater of a type, by OID; `None` for a type without a default class.
pub type BaseOperators = Option<[Option<Oid>; 3]>;

/// Answers [`Catalog::default_equality`] for a catalog that can `find` the operators of the default class of a type that is
/// no domain.
///
/// # Errors
///
/// Those of the catalog.
pub fn default_operators_of(
    catalog: &dyn Catalog,
    type_oid: Oid,
    find: impl FnOnce(Oid) -> Result<BaseOperators, Error>,
) -> Result<Option<DefaultOperators>, Error> {
    let mut base = catalog.type_(type_oid)?;
    while base.kind == 'd' {
        base = catalog.type_(base.base)?;
    }
    let found = match USUAL.iter().find(|usual| usual[0] == base.oid) {
        Some([_, operators @ ..]) => Some(operators.map(Some)),
        None => find(base.oid)?,
    };
    let optional = |oid: Option<Oid>| oid.map(|oid| catalog.operator(oid)).transpose();
    Ok(match found {
        Some([Some(equal), less, greater]) => match parts_have(catalog, &base)? {
            (false, _) => None,
            (true, ordered) => Some(DefaultOperators {
                equality: catalog.operator(equal)?,
                less: optional(less.filter(|_| ordered))?,
                greater: optional(greater.filter(|_| ordered))?,
            }),
        },
        Some([None, ..]) | None => None,
    })
}

/// What the values that a value of the type consists of have in common: equality, and an order. Arrays and rows
/// have no more than that (`lookup_type_cache` of `typcache.c`).
fn parts_have(catalog: &dyn Catalog, type_: &Type) -> Result<(bool, bool), Error> {
    let parts: Vec<Oid> = if type_.element != 0 {
        vec![type_.element]
    } else if type_.kind == 'c' {
        let columns = catalog.relation(type_.relid)?.columns;
        let kept = columns.iter().filter(|column| !column.dropped);
        kept.map(|column| column.type_oid).collect()
    } else {
        Vec::new()
    };
    let mut ordered = true;
    for part in parts {
        match catalog.default_equality(part)? {
            Some(default) => ordered &= default.less.is_some(),
            None => return Ok((false, false)),
        }
    }
    Ok((true, ordered))
}
