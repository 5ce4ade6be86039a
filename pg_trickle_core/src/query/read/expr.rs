//! Expressions.

use super::{Reader, expect, pick, sort_groups};
use crate::error::Error;
use crate::node::Node;
use crate::query::{
    Aggref, ArrayCoerce, ArrayExpr, Bool, BoolOp, BooleanTest, BooleanTestKind, Case, CoerceForm, CoerceToDomain,
    CoerceViaIo, Collate, Const, ConvertRowtype, Expr, FieldSelect, FuncExpr, GroupingFunc, List, MinMax, NamedArg,
    NullTest, OpExpr, Param, ParamKind, Relabel, RowCompare, RowCompareKind, RowExpr, ScalarArrayOp, SqlValue, SubLink,
    SubLinkKind, Subscript, Var, WindowFunc,
};

fn form(node: Node<'_>, field: &str) -> Result<CoerceForm, Error> {
    pick(
        node,
        field,
        &[
            CoerceForm::Call,
            CoerceForm::ExplicitCast,
            CoerceForm::ImplicitCast,
            CoerceForm::SqlSyntax,
        ],
    )
}

impl Reader {
    /// One arm for each node kind; the readers are methods so that their locals take no stack while others recurse.
    pub(super) fn expr(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        match node.label() {
            "VAR" => self.var(node),
            "CONST" => constant(node),
            "PARAM" => param(node),
            "AGGREF" => self.aggref(node),
            "GROUPINGFUNC" => self.grouping(node),
            "WINDOWFUNC" => self.window_func(node),
            "SUBSCRIPTINGREF" => self.subscript(node),
            "FUNCEXPR" => self.func(node),
            "NAMEDARGEXPR" => self.named_arg(node),
            "OPEXPR" => self.op(node).map(Expr::Op),
            "DISTINCTEXPR" => self.op(node).map(Expr::Distinct),
            "NULLIFEXPR" => self.op(node).map(Expr::NullIf),
            "SCALARARRAYOPEXPR" => self.scalar_array_op(node),
            "BOOLEXPR" => self.bool(node),
            "SUBLINK" => self.sublink(node),
            "FIELDSELECT" => self.field_select(node),
            "RELABELTYPE" => self.relabel(node),
            "COERCEVIAIO" => self.coerce_via_io(node),
            "ARRAYCOERCEEXPR" => self.array_coerce(node),
            "CONVERTROWTYPEEXPR" => self.convert_rowtype(node),
            "COLLATEEXPR" => self.collate(node),
            "CASEEXPR" => self.case(node),
            "CASETESTEXPR" => case_test(node),
            "ARRAYEXPR" => self.array(node),
            "ROWEXPR" => self.row(node),
            "ROWCOMPAREEXPR" => self.row_compare(node),
            "COALESCEEXPR" => self.coalesce(node),
            "MINMAXEXPR" => self.min_max(node),
            "SQLVALUEFUNCTION" => sql_value(node),
            "XMLEXPR" => self.xml(node),
            "JSONVALUEEXPR" => self.json_value(node),
            "JSONCONSTRUCTOREXPR" => self.json_constructor(node),
            "JSONISPREDICATE" => self.json_is(node),
            "JSONEXPR" => self.json_expr(node),
            "NULLTEST" => self.null_test(node),
            "BOOLEANTEST" => self.boolean_test(node),
            "COERCETODOMAIN" => self.coerce_to_domain(node),
            // Of INSERT, UPDATE, MERGE, RETURNING, defaults, domain checks and cursors.
            label @ ("FIELDSTORE"
            | "SETTODEFAULT"
            | "CURRENTOFEXPR"
            | "NEXTVALUEEXPR"
            | "COERCETODOMAINVALUE"
            | "MERGESUPPORTFUNC"
            | "RETURNINGEXPR"
            | "INFERENCEELEM") => Err(Error::Tree(format!("a SELECT cannot contain a {label}"))),
            label => Err(Error::Tree(format!("unknown expression {label}"))),
        }
    }

    #[inline(never)]
    fn var(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        // 0 is the column itself; OLD and NEW belong to RETURNING.
        if node.get("varreturningtype").is_some() && node.number::<i32>("varreturningtype")? != 0 {
            return Err(node.bad("varreturningtype", "is set outside of RETURNING"));
        }
        self.ungroup(Var {
            varno: node.number("varno")?,
            attno: node.number("varattno")?,
            type_oid: node.number("vartype")?,
            typmod: node.number("vartypmod")?,
            collation: node.number("varcollid")?,
            levels_up: node.number("varlevelsup")?,
        })
    }

    #[inline(never)]
    fn aggref(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::Aggref(Box::new(Aggref {
            function: node.number("aggfnoid")?,
            type_oid: node.number("aggtype")?,
            collation: node.number("aggcollid")?,
            input_collation: node.number("inputcollid")?,
            arg_types: node.numbers("aggargtypes")?,
            direct_args: self.exprs(node, "aggdirectargs")?,
            args: self.targets(node, "args")?,
            order: sort_groups(node, "aggorder")?,
            distinct: sort_groups(node, "aggdistinct")?,
            filter: self.opt_expr(node, "aggfilter")?,
            star: node.bool("aggstar")?,
            variadic: node.bool("aggvariadic")?,
            kind: node.char("aggkind")?,
            levels_up: node.number("agglevelsup")?,
        })))
    }

    #[inline(never)]
    fn grouping(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::Grouping(GroupingFunc {
            args: self.exprs(node, "args")?,
            refs: node.numbers("refs")?,
            levels_up: node.number("agglevelsup")?,
        }))
    }

    #[inline(never)]
    fn window_func(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::Window(Box::new(WindowFunc {
            function: node.number("winfnoid")?,
            type_oid: node.number("wintype")?,
            collation: node.number("wincollid")?,
            input_collation: node.number("inputcollid")?,
            args: self.exprs(node, "args")?,
            filter: self.opt_expr(node, "aggfilter")?,
            winref: node.number("winref")?,
            star: node.bool("winstar")?,
            is_agg: node.bool("winagg")?,
        })))
    }

    #[inline(never)]
    fn subscript(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        if node.child("refassgnexpr")?.is_some() {
            return Err(node.bad("refassgnexpr", "assigns to an element in a SELECT"));
        }
        Ok(Expr::Subscript(Box::new(Subscript {
            container_type: node.number("refcontainertype")?,
            type_oid: node.number("refrestype")?,
            typmod: node.number("reftypmod")?,
            collation: node.number("refcollid")?,
            upper: self.opt_exprs(node, "refupperindexpr")?,
            lower: self.opt_exprs(node, "reflowerindexpr")?,
            container: self.one(node, "refexpr")?,
        })))
    }

    #[inline(never)]
    fn func(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::Func(FuncExpr {
            function: node.number("funcid")?,
            type_oid: node.number("funcresulttype")?,
            returns_set: node.bool("funcretset")?,
            variadic: node.bool("funcvariadic")?,
            form: form(node, "funcformat")?,
            collation: node.number("funccollid")?,
            input_collation: node.number("inputcollid")?,
            args: self.exprs(node, "args")?,
        }))
    }

    #[inline(never)]
    fn named_arg(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::NamedArg(Box::new(NamedArg {
            arg: self.one(node, "arg")?,
            name: node.name("name")?,
            number: node.number("argnumber")?,
        })))
    }

    #[inline(never)]
    fn op(&mut self, node: Node<'_>) -> Result<OpExpr, Error> {
        Ok(OpExpr {
            operator: node.number("opno")?,
            function: node.number("opfuncid")?,
            type_oid: node.number("opresulttype")?,
            returns_set: node.bool("opretset")?,
            collation: node.number("opcollid")?,
            input_collation: node.number("inputcollid")?,
            args: self.exprs(node, "args")?,
        })
    }

    #[inline(never)]
    fn scalar_array_op(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::ScalarArrayOp(ScalarArrayOp {
            operator: node.number("opno")?,
            any: node.bool("useOr")?,
            input_collation: node.number("inputcollid")?,
            args: self.exprs(node, "args")?,
        }))
    }

    #[inline(never)]
    fn bool(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::Bool(Bool {
            op: match node.name("boolop")?.as_str() {
                "and" => BoolOp::And,
                "or" => BoolOp::Or,
                "not" => BoolOp::Not,
                op => return Err(node.bad("boolop", &format!("has the unknown value {op}"))),
            },
            args: self.exprs(node, "args")?,
        }))
    }

    #[inline(never)]
    fn sublink(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::SubLink(Box::new(SubLink {
            kind: pick(
                node,
                "subLinkType",
                &[
                    SubLinkKind::Exists,
                    SubLinkKind::All,
                    SubLinkKind::Any,
                    SubLinkKind::RowCompare,
                    SubLinkKind::Expr,
                    SubLinkKind::MultiExpr,
                    SubLinkKind::Array,
                    SubLinkKind::Cte,
                ],
            )?,
            test: self.opt_expr(node, "testexpr")?,
            operator_name: node.strings("operName")?,
            query: self.query(node.node("subselect")?)?,
        })))
    }

    #[inline(never)]
    fn field_select(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::FieldSelect(Box::new(FieldSelect {
            arg: self.one(node, "arg")?,
            field: node.number("fieldnum")?,
            type_oid: node.number("resulttype")?,
            typmod: node.number("resulttypmod")?,
            collation: node.number("resultcollid")?,
        })))
    }

    #[inline(never)]
    fn relabel(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::Relabel(Box::new(Relabel {
            arg: self.one(node, "arg")?,
            type_oid: node.number("resulttype")?,
            typmod: node.number("resulttypmod")?,
            collation: node.number("resultcollid")?,
            form: form(node, "relabelformat")?,
        })))
    }

    #[inline(never)]
    fn coerce_via_io(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::CoerceViaIo(Box::new(CoerceViaIo {
            arg: self.one(node, "arg")?,
            type_oid: node.number("resulttype")?,
            collation: node.number("resultcollid")?,
            form: form(node, "coerceformat")?,
        })))
    }

    #[inline(never)]
    fn array_coerce(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::ArrayCoerce(Box::new(ArrayCoerce {
            arg: self.one(node, "arg")?,
            element: self.one(node, "elemexpr")?,
            type_oid: node.number("resulttype")?,
            typmod: node.number("resulttypmod")?,
            collation: node.number("resultcollid")?,
            form: form(node, "coerceformat")?,
        })))
    }

    #[inline(never)]
    fn convert_rowtype(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::ConvertRowtype(Box::new(ConvertRowtype {
            arg: self.one(node, "arg")?,
            type_oid: node.number("resulttype")?,
            form: form(node, "convertformat")?,
        })))
    }

    #[inline(never)]
    fn collate(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::Collate(Box::new(Collate {
            arg: self.one(node, "arg")?,
            collation: node.number("collOid")?,
        })))
    }

    #[inline(never)]
    fn case(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::Case(Box::new(Case {
            type_oid: node.number("casetype")?,
            collation: node.number("casecollid")?,
            arg: self.opt_expr(node, "arg")?,
            whens: self.each(node, "args", |reader, when| {
                expect(when, "CASEWHEN")?;
                Ok((reader.one(when, "expr")?, reader.one(when, "result")?))
            })?,
            otherwise: self.opt_expr(node, "defresult")?,
        })))
    }

    #[inline(never)]
    fn array(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::Array(ArrayExpr {
            type_oid: node.number("array_typeid")?,
            collation: node.number("array_collid")?,
            element_type: node.number("element_typeid")?,
            elements: self.exprs(node, "elements")?,
            multidims: node.bool("multidims")?,
        }))
    }

    #[inline(never)]
    fn row(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::Row(RowExpr {
            type_oid: node.number("row_typeid")?,
            args: self.exprs(node, "args")?,
            form: form(node, "row_format")?,
            names: node.strings("colnames")?,
        }))
    }

    #[inline(never)]
    fn row_compare(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        // PostgreSQL 18 renamed the field when the enumeration became CompareType; the numbers are the same.
        let field = match node.get("cmptype") {
            Some(_) => "cmptype",
            None => "rctype",
        };
        Ok(Expr::RowCompare(RowCompare {
            kind: match node.number(field)? {
                1 => RowCompareKind::Lt,
                2 => RowCompareKind::Le,
                3 => RowCompareKind::Eq,
                4 => RowCompareKind::Ge,
                5 => RowCompareKind::Gt,
                6 => RowCompareKind::Ne,
                kind => return Err(node.bad(field, &format!("has the unknown value {kind}"))),
            },
            operators: node.numbers("opnos")?,
            collations: node.numbers("inputcollids")?,
            left: self.exprs(node, "largs")?,
            right: self.exprs(node, "rargs")?,
        }))
    }

    #[inline(never)]
    fn coalesce(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::Coalesce(List {
            type_oid: node.number("coalescetype")?,
            collation: node.number("coalescecollid")?,
            args: self.exprs(node, "args")?,
        }))
    }

    #[inline(never)]
    fn min_max(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::MinMax(MinMax {
            type_oid: node.number("minmaxtype")?,
            collation: node.number("minmaxcollid")?,
            input_collation: node.number("inputcollid")?,
            least: pick(node, "op", &[false, true])?,
            args: self.exprs(node, "args")?,
        }))
    }

    #[inline(never)]
    fn null_test(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::NullTest(Box::new(NullTest {
            arg: self.one(node, "arg")?,
            negated: pick(node, "nulltesttype", &[false, true])?,
            is_row: node.bool("argisrow")?,
        })))
    }

    #[inline(never)]
    fn boolean_test(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::BooleanTest(Box::new(BooleanTest {
            arg: self.one(node, "arg")?,
            kind: pick(
                node,
                "booltesttype",
                &[
                    BooleanTestKind::True,
                    BooleanTestKind::NotTrue,
                    BooleanTestKind::False,
                    BooleanTestKind::NotFalse,
                    BooleanTestKind::Unknown,
                    BooleanTestKind::NotUnknown,
                ],
            )?,
        })))
    }

    #[inline(never)]
    fn coerce_to_domain(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::CoerceToDomain(Box::new(CoerceToDomain {
            arg: self.one(node, "arg")?,
            type_oid: node.number("resulttype")?,
            typmod: node.number("resulttypmod")?,
            collation: node.number("resultcollid")?,
            form: form(node, "coercionformat")?,
        })))
    }
}

#[inline(never)]
fn constant(node: Node<'_>) -> Result<Expr, Error> {
    Ok(Expr::Const(Const {
        type_oid: node.number("consttype")?,
        typmod: node.number("consttypmod")?,
        collation: node.number("constcollid")?,
        is_null: node.bool("constisnull")?,
        node: node.raw().to_owned(),
    }))
}

#[inline(never)]
fn param(node: Node<'_>) -> Result<Expr, Error> {
    Ok(Expr::Param(Param {
        kind: pick(
            node,
            "paramkind",
            &[
                ParamKind::Extern,
                ParamKind::Exec,
                ParamKind::Sublink,
                ParamKind::Multiexpr,
            ],
        )?,
        id: node.number("paramid")?,
        type_oid: node.number("paramtype")?,
        typmod: node.number("paramtypmod")?,
        collation: node.number("paramcollid")?,
    }))
}

#[inline(never)]
fn case_test(node: Node<'_>) -> Result<Expr, Error> {
    Ok(Expr::CaseTest(
        node.number("typeId")?,
        node.number("typeMod")?,
        node.number("collation")?,
    ))
}

#[inline(never)]
fn sql_value(node: Node<'_>) -> Result<Expr, Error> {
    Ok(Expr::SqlValue(SqlValue {
        op: node.number("op")?,
        type_oid: node.number("type")?,
        typmod: node.number("typmod")?,
    }))
}
