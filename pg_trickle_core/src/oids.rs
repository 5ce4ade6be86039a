//! OIDs of built-in objects, the same on every server (`src/include/catalog/pg_*.dat`).

use crate::plan::Oid;

/// Type `bool`.
pub const BOOL: Oid = 16;
/// Type `name`.
pub const NAME: Oid = 19;
/// Type `int8`.
pub const INT8: Oid = 20;
/// Type `int2`.
pub const INT2: Oid = 21;
/// Type `int4`.
pub const INT4: Oid = 23;
/// Type `text`.
pub const TEXT: Oid = 25;
/// Type `tid`.
pub const TID: Oid = 27;
/// Type `oid`.
pub const OID: Oid = 26;
/// Type `xml`.
pub const XML: Oid = 142;
/// Type `float4`.
pub const FLOAT4: Oid = 700;
/// Type `float8`.
pub const FLOAT8: Oid = 701;
/// Type `aclitem`.
pub const ACLITEM: Oid = 1033;
/// Type `aclitem[]`.
pub const ACLITEM_ARRAY: Oid = 1034;
/// Type `bpchar`, which SQL calls `character(n)`.
pub const BPCHAR: Oid = 1042;
/// Type `varchar`.
pub const VARCHAR: Oid = 1043;
/// Type `date`.
pub const DATE: Oid = 1082;
/// Type `time`.
pub const TIME: Oid = 1083;
/// Type `timestamp`.
pub const TIMESTAMP: Oid = 1114;
/// Type `timestamptz`.
pub const TIMESTAMPTZ: Oid = 1184;
/// Type `timetz`.
pub const TIMETZ: Oid = 1266;
/// Type `bit`.
pub const BIT: Oid = 1560;
/// Type `numeric`.
pub const NUMERIC: Oid = 1700;
/// Pseudo-type `record`.
pub const RECORD: Oid = 2249;
/// Pseudo-type `record[]`.
pub const RECORD_ARRAY: Oid = 2287;
/// Type `uuid`.
pub const UUID: Oid = 2950;
/// Type `jsonb`.
pub const JSONB: Oid = 3802;

/// The types whose values name catalog objects: `regclass` and its relatives. Their output depends on `search_path`,
/// but all of them accept a plain number.
pub const REG_TYPES: [Oid; 11] = [24, 2202, 2203, 2204, 2205, 2206, 3734, 3769, 4089, 4096, 4191];
/// The arrays of these.
pub const REG_TYPE_ARRAYS: [Oid; 11] = [1008, 2207, 2208, 2209, 2210, 2211, 3735, 3770, 4090, 4097, 4192];

/// Types below this are the same on every server; none of them but system catalogs has columns (`FirstGenbkiObjectId`).
pub const FIRST_OF_INITDB: Oid = 10000;

/// Operator `bool < bool`.
pub const BOOL_LESS: Oid = 58;
/// Operator `bool = bool`.
pub const BOOL_EQUAL: Oid = 91;

/// Aggregate `any_value(anyelement)`.
pub const ANY_VALUE: Oid = 6291;
/// Aggregate `count("any")`.
pub const COUNT: Oid = 2147;
/// Aggregate `sum(int8)`.
pub const SUM_INT8: Oid = 2107;
/// Aggregate `sum(int4)`.
pub const SUM_INT4: Oid = 2108;
/// Aggregate `sum(int2)`.
pub const SUM_INT2: Oid = 2109;
/// Aggregate `sum(numeric)`.
pub const SUM_NUMERIC: Oid = 2114;
/// Operator `=` of `int8`.
pub const INT8_EQUAL: Oid = 410;
/// Operator `>` of `int8`.
pub const INT8_GREATER: Oid = 413;

/// Collation `"C"`, the collation of type `name`.
pub const C_COLLATION: Oid = 950;
