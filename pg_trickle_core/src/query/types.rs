//! The type, type modifier and collation of an expression (`exprType` and related functions in nodeFuncs.c).

use super::{Expr, SubLinkKind};
use crate::oids::{BOOL, C_COLLATION, INT4, NAME, RECORD, TEXT, XML};
use crate::plan::Oid;

impl Expr {
    /// The type of the value; 0 for the array of an `ARRAY(subquery)`, which only the catalog knows.
    #[must_use]
    pub fn type_oid(&self) -> Oid {
        match self {
            Expr::Var(e) => e.type_oid,
            Expr::Const(e) => e.type_oid,
            Expr::Param(e) => e.type_oid,
            Expr::Aggref(e) => e.type_oid,
            Expr::Grouping(_) => INT4,
            Expr::Window(e) => e.type_oid,
            Expr::Subscript(e) => e.type_oid,
            Expr::Func(e) => e.type_oid,
            Expr::NamedArg(e) => e.arg.type_oid(),
            Expr::Op(e) | Expr::Distinct(e) => e.type_oid,
            Expr::NullIf(e) => e.args.first().map_or(e.type_oid, Expr::type_oid),
            Expr::SubLink(e) => match e.kind {
                SubLinkKind::Expr => e.query.targets.first().map_or(0, |target| target.expr.type_oid()),
                SubLinkKind::Array => 0,
                _ => BOOL,
            },
            Expr::FieldSelect(e) => e.type_oid,
            Expr::Relabel(e) => e.type_oid,
            Expr::CoerceViaIo(e) => e.type_oid,
            Expr::ArrayCoerce(e) => e.type_oid,
            Expr::ConvertRowtype(e) => e.type_oid,
            Expr::Collate(e) => e.arg.type_oid(),
            Expr::Case(e) => e.type_oid,
            Expr::CaseTest(type_oid, _, _) => *type_oid,
            Expr::Array(e) => e.type_oid,
            Expr::Row(e) => {
                if e.type_oid == 0 {
                    RECORD
                } else {
                    e.type_oid
                }
            }
            Expr::Coalesce(e) => e.type_oid,
            Expr::MinMax(e) => e.type_oid,
            Expr::SqlValue(e) => e.type_oid,
            Expr::Xml(e) => match e.op {
                super::XmlOp::IsDocument => BOOL,
                super::XmlOp::Serialize => TEXT,
                _ => XML,
            },
            Expr::JsonValue(e) => e.formatted.as_ref().unwrap_or(&e.raw).type_oid(),
            Expr::JsonConstructor(e) => e.returning.type_oid,
            Expr::JsonExpr(e) => e.returning.type_oid,
            Expr::CoerceToDomain(e) => e.type_oid,
            Expr::Sql(e) => e.type_oid,
            Expr::ScalarArrayOp(_)
            | Expr::Bool(_)
            | Expr::RowCompare(_)
            | Expr::JsonIs(_)
            | Expr::NullTest(_)
            | Expr::BooleanTest(_) => BOOL,
        }
    }

    /// The type modifier; −1 if there is none, or if it is unknown.
    #[must_use]
    pub fn typmod(&self) -> i32 {
        match self {
            Expr::Var(e) => e.typmod,
            Expr::Const(e) => e.typmod,
            Expr::Param(e) => e.typmod,
            Expr::Subscript(e) => e.typmod,
            Expr::NamedArg(e) => e.arg.typmod(),
            Expr::FieldSelect(e) => e.typmod,
            Expr::Relabel(e) => e.typmod,
            Expr::ArrayCoerce(e) => e.typmod,
            Expr::Collate(e) => e.arg.typmod(),
            Expr::CaseTest(_, typmod, _) => *typmod,
            Expr::SqlValue(e) => e.typmod,
            Expr::JsonValue(e) => e.formatted.as_ref().unwrap_or(&e.raw).typmod(),
            Expr::JsonConstructor(e) => e.returning.typmod,
            Expr::JsonExpr(e) => e.returning.typmod,
            Expr::CoerceToDomain(e) => e.typmod,
            Expr::Sql(e) => e.typmod,
            Expr::Func(e) if e.form == super::CoerceForm::ExplicitCast || e.form == super::CoerceForm::ImplicitCast => {
                // A length coercion has the modifier as its second argument.
                match e.args.get(1) {
                    Some(Expr::Const(modifier)) if modifier.type_oid == INT4 => modifier.int4().unwrap_or(-1),
                    _ => -1,
                }
            }
            Expr::Case(e) => common(
                e.type_oid,
                e.whens.iter().map(|(_, result)| result).chain(e.otherwise.as_ref()),
            ),
            Expr::Coalesce(e) => common(e.type_oid, e.args.iter()),
            Expr::MinMax(e) => common(e.type_oid, e.args.iter()),
            Expr::NullIf(e) => e.args.first().map_or(-1, Expr::typmod),
            Expr::SubLink(e) if e.kind == SubLinkKind::Expr => {
                e.query.targets.first().map_or(-1, |target| target.expr.typmod())
            }
            _ => -1,
        }
    }

    /// The collation; 0 if there is none.
    #[must_use]
    pub fn collation(&self) -> Oid {
        match self {
            Expr::Var(e) => e.collation,
            Expr::Const(e) => e.collation,
            Expr::Param(e) => e.collation,
            Expr::Aggref(e) => e.collation,
            Expr::Window(e) => e.collation,
            Expr::Subscript(e) => e.collation,
            Expr::Func(e) => e.collation,
            Expr::NamedArg(e) => e.arg.collation(),
            Expr::Op(e) | Expr::Distinct(e) | Expr::NullIf(e) => e.collation,
            Expr::SubLink(e) => match e.kind {
                SubLinkKind::Expr | SubLinkKind::Array => {
                    e.query.targets.first().map_or(0, |target| target.expr.collation())
                }
                _ => 0,
            },
            Expr::FieldSelect(e) => e.collation,
            Expr::Relabel(e) => e.collation,
            Expr::CoerceViaIo(e) => e.collation,
            Expr::ArrayCoerce(e) => e.collation,
            Expr::Collate(e) => e.collation,
            Expr::Case(e) => e.collation,
            Expr::CaseTest(_, _, collation) => *collation,
            Expr::Array(e) => e.collation,
            Expr::Coalesce(e) => e.collation,
            Expr::MinMax(e) => e.collation,
            Expr::SqlValue(e) => {
                if e.type_oid == NAME {
                    C_COLLATION
                } else {
                    0
                }
            }
            Expr::JsonValue(e) => e.formatted.as_ref().unwrap_or(&e.raw).collation(),
            Expr::JsonConstructor(e) => e.coercion.as_ref().map_or(0, Expr::collation),
            Expr::JsonExpr(e) => e.collation,
            Expr::CoerceToDomain(e) => e.collation,
            Expr::Sql(e) => e.collation,
            Expr::Grouping(_)
            | Expr::ScalarArrayOp(_)
            | Expr::Bool(_)
            | Expr::ConvertRowtype(_)
            | Expr::Row(_)
            | Expr::RowCompare(_)
            | Expr::Xml(_)
            | Expr::JsonIs(_)
            | Expr::NullTest(_)
            | Expr::BooleanTest(_) => 0,
        }
    }
}

/// The type modifier that all arguments have in common, if they are of the type of the result.
fn common<'e>(type_oid: Oid, args: impl Iterator<Item = &'e Expr>) -> i32 {
    let mut typmod = None;
    for arg in args {
        if arg.type_oid() != type_oid || arg.typmod() < 0 {
            return -1;
        }
        if *typmod.get_or_insert(arg.typmod()) != arg.typmod() {
            return -1;
        }
    }
    typmod.unwrap_or(-1)
}

impl super::Const {
    /// The value of an `int4` constant: the first four bytes of the datum, which is little-endian in WebAssembly.
    #[must_use]
    pub fn int4(&self) -> Option<i32> {
        if self.is_null {
            return None;
        }
        let (_, datum) = self.node.split_once('[')?;
        let bytes: Vec<u8> = datum
            .split_whitespace()
            .take(4)
            .map(|byte| byte.parse::<i16>().ok().map(|byte| byte.to_le_bytes()[0]))
            .collect::<Option<Vec<u8>>>()?;
        Some(i32::from_le_bytes(bytes.try_into().ok()?))
    }
}
