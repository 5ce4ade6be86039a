//! Operators, and the comparisons that are built from them.
//!
//! `IS DISTINCT FROM`, `NULLIF` and `CASE x WHEN y` look up `=` by its bare name. If the tree uses an `=` outside
//! `pg_catalog` (as for citext), they are replaced by a text with the same meaning.

use super::{Printer, operator_sql};
use crate::catalog::Operator;
use crate::error::Error;
use crate::oids;
use crate::plan::Oid;
use crate::query::{
    BooleanTest, BooleanTestKind, Expr, NullTest, OpExpr, RowCompare, RowCompareKind, ScalarArrayOp, SqlLeaf,
};

/// The value of `CASE x WHEN ...`.
pub(super) enum Tested {
    /// `CASE WHEN ...`.
    Nothing,
    /// Written once, after CASE.
    Once(String),
    /// Written in every condition.
    Repeated(String),
}

impl Printer<'_> {
    /// `(left OPERATOR(..) right)`.
    #[inline(never)]
    pub(super) fn op(&self, op: &OpExpr) -> Result<String, Error> {
        let operator = self.operator(op.operator)?;
        match op.args.as_slice() {
            [arg] => Ok(format!("({operator} {})", self.operand(arg)?)),
            [left, right] => Ok(format!("({} {operator} {})", self.operand(left)?, self.operand(right)?)),
            args => Err(Error::Tree(format!("an operator with {} operands", args.len()))),
        }
    }

    /// An operand. A bare ROW would be compared field by field, which treats NULLs differently from the operator of
    /// `record`.
    pub(super) fn operand(&self, expr: &Expr) -> Result<String, Error> {
        let text = self.expr(expr)?;
        Ok(match expr {
            Expr::Row(row) if row.type_oid == oids::RECORD => format!("{text}::pg_catalog.record"),
            _ => text,
        })
    }

    fn operands(&self, op: &OpExpr) -> Result<(String, String, Operator), Error> {
        let [left, right] = op.args.as_slice() else {
            return Err(Error::Tree("a comparison without two operands".to_owned()));
        };
        let operator = self.catalog.operator(op.operator)?;
        Ok((self.operand(left)?, self.operand(right)?, operator))
    }

    /// `left IS DISTINCT FROM right`.
    #[inline(never)]
    pub(super) fn distinct(&self, op: &OpExpr) -> Result<String, Error> {
        let (left, right, operator) = self.operands(op)?;
        if is_plain_equality(&operator) {
            return Ok(format!("({left} IS DISTINCT FROM {right})"));
        }
        let operator = operator_sql(&operator);
        Ok(format!(
            "CASE pg_catalog.num_nulls({left}, {right}) WHEN 0 THEN (NOT ({left} {operator} {right})) \
             WHEN 1 THEN true ELSE false END"
        ))
    }

    /// `NULLIF(left, right)`.
    #[inline(never)]
    pub(super) fn null_if(&self, op: &OpExpr) -> Result<String, Error> {
        let (left, right, operator) = self.operands(op)?;
        if is_plain_equality(&operator) {
            return Ok(format!("NULLIF({left}, {right})"));
        }
        let operator = operator_sql(&operator);
        Ok(format!(
            "CASE WHEN ({left} {operator} {right}) THEN NULL ELSE {left} END"
        ))
    }

    /// True if it is written as `NULLIF(..)`.
    pub(in crate::sql) fn is_plain_null_if(&self, op: &OpExpr) -> Result<bool, Error> {
        Ok(is_plain_equality(&self.catalog.operator(op.operator)?))
    }

    /// `left op ANY (array)`.
    #[inline(never)]
    pub(super) fn scalar_array_op(&self, op: &ScalarArrayOp) -> Result<String, Error> {
        let [left, right] = op.args.as_slice() else {
            return Err(Error::Tree("ANY without two operands".to_owned()));
        };
        let word = if op.any { "ANY" } else { "ALL" };
        let mut array = self.expr(right)?;
        if let Expr::SubLink(_) = right {
            // Without the cast, this would be an ANY over the rows of the subquery.
            let type_oid = self.type_of(right)?;
            let type_sql = self.catalog.type_sql(type_oid, right.typmod())?;
            array = format!("{array}::{type_sql}");
        }
        Ok(format!(
            "({} {} {word} ({array}))",
            self.operand(left)?,
            self.operator(op.operator)?
        ))
    }

    /// `ROW(..) < ROW(..)`.
    #[inline(never)]
    pub(super) fn row_compare(&self, compare: &RowCompare) -> Result<String, Error> {
        if let Some(operator) = self.common_operator(&compare.operators)? {
            return Ok(format!(
                "(ROW({}) {operator} ROW({}))",
                self.list(&compare.left)?,
                self.list(&compare.right)?
            ));
        }
        self.row_compare_by_fields(compare)
    }

    /// The common name of all these operators, as `OPERATOR(..)`; `None` if they have different names.
    pub(super) fn common_operator(&self, operators: &[Oid]) -> Result<Option<String>, Error> {
        let mut common: Option<String> = None;
        for oid in operators {
            let operator = self.operator(*oid)?;
            match &common {
                None => common = Some(operator),
                Some(known) if *known == operator => {}
                Some(_) => return Ok(None),
            }
        }
        Ok(common)
    }

    /// The first pair that differs decides. A NULL before it makes the result NULL.
    #[inline(never)]
    fn row_compare_by_fields(&self, compare: &RowCompare) -> Result<String, Error> {
        let mut text = String::from("CASE");
        let last = compare.operators.len().saturating_sub(1);
        let pairs = compare.left.iter().zip(&compare.right);
        for (position, ((left, right), operator)) in pairs.zip(&compare.operators).enumerate() {
            let type_oid = self.type_of(left)?;
            let equality = self
                .catalog
                .default_equality(type_oid)?
                .ok_or_else(|| Error::Tree(format!("a row comparison of type {type_oid} without `=`")))?;
            let equality = operator_sql(&equality.equality);
            let operator = self.operator(*operator)?;
            let (left, right) = (self.expr(left)?, self.expr(right)?);
            text.push_str(&format!(" WHEN ({left} {equality} {right}) IS NULL THEN NULL"));
            if position == last {
                let orderly = matches!(
                    compare.kind,
                    RowCompareKind::Lt | RowCompareKind::Le | RowCompareKind::Ge | RowCompareKind::Gt
                );
                if !orderly {
                    return Err(Error::Tree("a row comparison that is not an ordering".to_owned()));
                }
                text.push_str(&format!(" ELSE ({left} {operator} {right}) END"));
            } else {
                text.push_str(&format!(
                    " WHEN NOT ({left} {equality} {right}) THEN ({left} {operator} {right})"
                ));
            }
        }
        Ok(text)
    }

    /// How the value of `CASE x WHEN ...` is written.
    pub(super) fn tested(&self, arg: &Expr, whens: &[(Expr, Expr)]) -> Result<Tested, Error> {
        let text = self.operand(arg)?;
        for (condition, _) in whens {
            let plain = match condition {
                Expr::Op(op) if op.args.first().is_some_and(is_case_test) => {
                    is_plain_equality(&self.catalog.operator(op.operator)?)
                }
                _ => false,
            };
            if !plain {
                return Ok(Tested::Repeated(text));
            }
        }
        Ok(Tested::Once(text))
    }

    /// The condition of one WHEN.
    pub(super) fn when(&self, condition: &Expr, tested: &Tested) -> Result<String, Error> {
        match (tested, condition) {
            (Tested::Once(_), Expr::Op(op)) => match op.args.get(1) {
                Some(value) => self.operand(value),
                None => Err(Error::Tree("CASE x WHEN without a value".to_owned())),
            },
            (Tested::Repeated(text), _) => self.expr(&with_test(condition, text)),
            _ => self.expr(condition),
        }
    }

    /// `IS NULL`, `IS NOT NULL`.
    #[inline(never)]
    pub(super) fn null_test(&self, test: &NullTest) -> Result<String, Error> {
        let arg = self.expr(&test.arg)?;
        // The row is tested as a whole, not field by field.
        if !test.is_row && self.is_row_type(self.type_of(&test.arg)?)? {
            let not = if test.negated { "" } else { "NOT " };
            return Ok(format!("({arg} IS {not}DISTINCT FROM NULL)"));
        }
        let not = if test.negated { "NOT " } else { "" };
        Ok(format!("({arg} IS {not}NULL)"))
    }

    /// `IS TRUE` and similar.
    #[inline(never)]
    pub(super) fn boolean_test(&self, test: &BooleanTest) -> Result<String, Error> {
        let word = match test.kind {
            BooleanTestKind::True => "TRUE",
            BooleanTestKind::NotTrue => "NOT TRUE",
            BooleanTestKind::False => "FALSE",
            BooleanTestKind::NotFalse => "NOT FALSE",
            BooleanTestKind::Unknown => "UNKNOWN",
            BooleanTestKind::NotUnknown => "NOT UNKNOWN",
        };
        Ok(format!("({} IS {word})", self.expr(&test.arg)?))
    }
}

/// True if the parser finds this operator by the bare name `=`, under every `search_path` that has `pg_catalog` first.
pub(in crate::sql) fn is_plain_equality(operator: &Operator) -> bool {
    operator.schema == "pg_catalog" && operator.name == "="
}

/// True for the tested value, possibly cast to the operand type of the operator.
fn is_case_test(expr: &Expr) -> bool {
    match expr {
        Expr::CaseTest(..) => true,
        Expr::Func(e) => e.args.first().is_some_and(is_case_test),
        Expr::Relabel(e) => is_case_test(&e.arg),
        Expr::CoerceViaIo(e) => is_case_test(&e.arg),
        Expr::ArrayCoerce(e) => is_case_test(&e.arg),
        Expr::ConvertRowtype(e) => is_case_test(&e.arg),
        Expr::CoerceToDomain(e) => is_case_test(&e.arg),
        _ => false,
    }
}

/// The condition with the tested value inserted, except in nested CASEs, which have values of their own.
fn with_test(condition: &Expr, text: &str) -> Expr {
    condition.transform(&mut |node| match node {
        Expr::CaseTest(type_oid, typmod, collation) => {
            Some(SqlLeaf::text(text.to_owned(), *type_oid, *typmod, *collation))
        }
        Expr::Case(_) | Expr::JsonConstructor(_) | Expr::JsonExpr(_) => Some(node.clone()),
        Expr::ArrayCoerce(cast) => {
            let mut cast = cast.clone();
            cast.arg = with_test(&cast.arg, text);
            Some(Expr::ArrayCoerce(cast))
        }
        _ => None,
    })
}
