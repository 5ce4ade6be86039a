//! Expressions.

use super::Reader;
use crate::error::Error;
use crate::node::Node;
use crate::query::{
    Aggref, ArrayCoerce, ArrayExpr, Bool, BoolOp, BooleanTest, BooleanTestKind, Case, CoerceForm, CoerceToDomain,
    CoerceViaIo, Collate, Const, ConvertRowtype, Expr, FieldSelect, FuncExpr, GroupingFunc, List, MinMax, NamedArg,
    NullTest, OpExpr, Param, ParamKind, Relabel, RowCompare, RowCompareKind, RowExpr, ScalarArrayOp, SqlValue, SubLink,
    SubLinkKind, Subscript, Var, WindowFunc,
};

impl Reader {
    #[inline(never)]
    fn form(&mut self, node: Node<'_>, field: &str) -> CoerceForm {
        self.pick(
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

    /// One arm for each node kind. The readers are separate methods, so that their locals take no stack while others
    /// recurse.
    pub(super) fn expr(&mut self, node: Node<'_>) -> Expr {
        match node.label() {
            "VAR" => self.var(node),
            "CONST" => self.constant(node),
            "PARAM" => self.param(node),
            "AGGREF" => self.aggref(node),
            "GROUPINGFUNC" => self.grouping(node),
            "WINDOWFUNC" => self.window_func(node),
            "SUBSCRIPTINGREF" => self.subscript(node),
            "FUNCEXPR" => self.func(node),
            "NAMEDARGEXPR" => self.named_arg(node),
            "OPEXPR" => Expr::Op(self.op(node)),
            "DISTINCTEXPR" => Expr::Distinct(self.op(node)),
            "NULLIFEXPR" => Expr::NullIf(self.op(node)),
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
            "CASETESTEXPR" => self.case_test(node),
            "ARRAYEXPR" => self.array(node),
            "ROWEXPR" => self.row(node),
            "ROWCOMPAREEXPR" => self.row_compare(node),
            "COALESCEEXPR" => self.coalesce(node),
            "MINMAXEXPR" => self.min_max(node),
            "SQLVALUEFUNCTION" => self.sql_value(node),
            "XMLEXPR" => self.xml(node),
            "JSONVALUEEXPR" => self.json_value(node),
            "JSONCONSTRUCTOREXPR" => self.json_constructor(node),
            "JSONISPREDICATE" => self.json_is(node),
            "JSONEXPR" => self.json_expr(node),
            "NULLTEST" => self.null_test(node),
            "BOOLEANTEST" => self.boolean_test(node),
            "COERCETODOMAIN" => self.coerce_to_domain(node),
            // These belong to INSERT, UPDATE, MERGE, RETURNING, defaults, domain checks and cursors.
            label @ ("FIELDSTORE"
            | "SETTODEFAULT"
            | "CURRENTOFEXPR"
            | "NEXTVALUEEXPR"
            | "COERCETODOMAINVALUE"
            | "MERGESUPPORTFUNC"
            | "RETURNINGEXPR"
            | "INFERENCEELEM") => self.no_expr(format!("a SELECT cannot contain a {label}")),
            label => self.no_expr(format!("unknown expression {label}")),
        }
    }

    /// A placeholder for an expression that cannot be read.
    pub(super) fn no_expr(&mut self, why: String) -> Expr {
        self.fail(Error::Tree(why));
        Expr::CaseTest(0, -1, 0)
    }

    #[inline(never)]
    fn var(&mut self, node: Node<'_>) -> Expr {
        // 0 is the column itself; OLD and NEW belong to RETURNING.
        if node.get("varreturningtype").is_some() && self.number::<i32>(node, "varreturningtype") != 0 {
            self.fail(node.bad("varreturningtype", "is set outside RETURNING"));
        }
        let var = Var {
            varno: self.number(node, "varno"),
            attno: self.number(node, "varattno"),
            type_oid: self.number(node, "vartype"),
            typmod: self.number(node, "vartypmod"),
            collation: self.number(node, "varcollid"),
            levels_up: self.number(node, "varlevelsup"),
        };
        self.ungroup(var)
    }

    #[inline(never)]
    fn aggref(&mut self, node: Node<'_>) -> Expr {
        Expr::Aggref(Box::new(Aggref {
            function: self.number(node, "aggfnoid"),
            type_oid: self.number(node, "aggtype"),
            collation: self.number(node, "aggcollid"),
            input_collation: self.number(node, "inputcollid"),
            arg_types: self.numbers(node, "aggargtypes"),
            direct_args: self.exprs(node, "aggdirectargs"),
            args: self.targets(node, "args"),
            order: self.sort_groups(node, "aggorder"),
            distinct: self.sort_groups(node, "aggdistinct"),
            filter: self.opt_expr(node, "aggfilter"),
            star: self.flag(node, "aggstar"),
            variadic: self.flag(node, "aggvariadic"),
            kind: self.char(node, "aggkind"),
            levels_up: self.number(node, "agglevelsup"),
        }))
    }

    #[inline(never)]
    fn grouping(&mut self, node: Node<'_>) -> Expr {
        Expr::Grouping(GroupingFunc {
            args: self.exprs(node, "args"),
            refs: self.numbers(node, "refs"),
            levels_up: self.number(node, "agglevelsup"),
        })
    }

    #[inline(never)]
    fn window_func(&mut self, node: Node<'_>) -> Expr {
        Expr::Window(Box::new(WindowFunc {
            function: self.number(node, "winfnoid"),
            type_oid: self.number(node, "wintype"),
            collation: self.number(node, "wincollid"),
            input_collation: self.number(node, "inputcollid"),
            args: self.exprs(node, "args"),
            filter: self.opt_expr(node, "aggfilter"),
            winref: self.number(node, "winref"),
            star: self.flag(node, "winstar"),
            is_agg: self.flag(node, "winagg"),
        }))
    }

    #[inline(never)]
    fn subscript(&mut self, node: Node<'_>) -> Expr {
        if self.child(node, "refassgnexpr").is_some() {
            self.fail(node.bad("refassgnexpr", "assigns to an element in a SELECT"));
        }
        Expr::Subscript(Box::new(Subscript {
            container_type: self.number(node, "refcontainertype"),
            type_oid: self.number(node, "refrestype"),
            typmod: self.number(node, "reftypmod"),
            collation: self.number(node, "refcollid"),
            upper: self.opt_exprs(node, "refupperindexpr"),
            lower: self.opt_exprs(node, "reflowerindexpr"),
            container: self.one(node, "refexpr"),
        }))
    }

    #[inline(never)]
    fn func(&mut self, node: Node<'_>) -> Expr {
        Expr::Func(FuncExpr {
            function: self.number(node, "funcid"),
            type_oid: self.number(node, "funcresulttype"),
            returns_set: self.flag(node, "funcretset"),
            variadic: self.flag(node, "funcvariadic"),
            form: self.form(node, "funcformat"),
            collation: self.number(node, "funccollid"),
            input_collation: self.number(node, "inputcollid"),
            args: self.exprs(node, "args"),
        })
    }

    #[inline(never)]
    fn named_arg(&mut self, node: Node<'_>) -> Expr {
        Expr::NamedArg(Box::new(NamedArg {
            arg: self.one(node, "arg"),
            name: self.name(node, "name"),
            number: self.number(node, "argnumber"),
        }))
    }

    #[inline(never)]
    fn op(&mut self, node: Node<'_>) -> OpExpr {
        OpExpr {
            operator: self.number(node, "opno"),
            function: self.number(node, "opfuncid"),
            type_oid: self.number(node, "opresulttype"),
            returns_set: self.flag(node, "opretset"),
            collation: self.number(node, "opcollid"),
            input_collation: self.number(node, "inputcollid"),
            args: self.exprs(node, "args"),
        }
    }

    #[inline(never)]
    fn scalar_array_op(&mut self, node: Node<'_>) -> Expr {
        Expr::ScalarArrayOp(ScalarArrayOp {
            operator: self.number(node, "opno"),
            any: self.flag(node, "useOr"),
            input_collation: self.number(node, "inputcollid"),
            args: self.exprs(node, "args"),
        })
    }

    #[inline(never)]
    fn bool(&mut self, node: Node<'_>) -> Expr {
        Expr::Bool(Bool {
            op: match self.name(node, "boolop").as_str() {
                "and" => BoolOp::And,
                "or" => BoolOp::Or,
                "not" => BoolOp::Not,
                op => {
                    self.unknown(node, "boolop", op);
                    BoolOp::And
                }
            },
            args: self.exprs(node, "args"),
        })
    }

    #[inline(never)]
    fn sublink(&mut self, node: Node<'_>) -> Expr {
        Expr::SubLink(Box::new(SubLink {
            kind: self.pick(
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
            ),
            test: self.opt_expr(node, "testexpr"),
            operator_name: self.strings(node, "operName"),
            query: self.inner(node, "subselect", Self::query),
        }))
    }

    #[inline(never)]
    fn field_select(&mut self, node: Node<'_>) -> Expr {
        Expr::FieldSelect(Box::new(FieldSelect {
            arg: self.one(node, "arg"),
            field: self.number(node, "fieldnum"),
            type_oid: self.number(node, "resulttype"),
            typmod: self.number(node, "resulttypmod"),
            collation: self.number(node, "resultcollid"),
        }))
    }

    #[inline(never)]
    fn relabel(&mut self, node: Node<'_>) -> Expr {
        Expr::Relabel(Box::new(Relabel {
            arg: self.one(node, "arg"),
            type_oid: self.number(node, "resulttype"),
            typmod: self.number(node, "resulttypmod"),
            collation: self.number(node, "resultcollid"),
            form: self.form(node, "relabelformat"),
        }))
    }

    #[inline(never)]
    fn coerce_via_io(&mut self, node: Node<'_>) -> Expr {
        Expr::CoerceViaIo(Box::new(CoerceViaIo {
            arg: self.one(node, "arg"),
            type_oid: self.number(node, "resulttype"),
            collation: self.number(node, "resultcollid"),
            form: self.form(node, "coerceformat"),
        }))
    }

    #[inline(never)]
    fn array_coerce(&mut self, node: Node<'_>) -> Expr {
        Expr::ArrayCoerce(Box::new(ArrayCoerce {
            arg: self.one(node, "arg"),
            element: self.one(node, "elemexpr"),
            type_oid: self.number(node, "resulttype"),
            typmod: self.number(node, "resulttypmod"),
            collation: self.number(node, "resultcollid"),
            form: self.form(node, "coerceformat"),
        }))
    }

    #[inline(never)]
    fn convert_rowtype(&mut self, node: Node<'_>) -> Expr {
        Expr::ConvertRowtype(Box::new(ConvertRowtype {
            arg: self.one(node, "arg"),
            type_oid: self.number(node, "resulttype"),
            form: self.form(node, "convertformat"),
        }))
    }

    #[inline(never)]
    fn collate(&mut self, node: Node<'_>) -> Expr {
        Expr::Collate(Box::new(Collate {
            arg: self.one(node, "arg"),
            collation: self.number(node, "collOid"),
        }))
    }

    #[inline(never)]
    fn case(&mut self, node: Node<'_>) -> Expr {
        Expr::Case(Box::new(Case {
            type_oid: self.number(node, "casetype"),
            collation: self.number(node, "casecollid"),
            arg: self.opt_expr(node, "arg"),
            whens: self.each(node, "args", Self::when),
            otherwise: self.opt_expr(node, "defresult"),
        }))
    }

    fn when(&mut self, node: Node<'_>) -> (Expr, Expr) {
        self.expect(node, "CASEWHEN");
        (self.one(node, "expr"), self.one(node, "result"))
    }

    #[inline(never)]
    fn array(&mut self, node: Node<'_>) -> Expr {
        Expr::Array(ArrayExpr {
            type_oid: self.number(node, "array_typeid"),
            collation: self.number(node, "array_collid"),
            element_type: self.number(node, "element_typeid"),
            elements: self.exprs(node, "elements"),
            multidims: self.flag(node, "multidims"),
        })
    }

    #[inline(never)]
    fn row(&mut self, node: Node<'_>) -> Expr {
        Expr::Row(RowExpr {
            type_oid: self.number(node, "row_typeid"),
            args: self.exprs(node, "args"),
            form: self.form(node, "row_format"),
            names: self.strings(node, "colnames"),
        })
    }

    #[inline(never)]
    fn row_compare(&mut self, node: Node<'_>) -> Expr {
        // PostgreSQL 18 renamed the field when the enumeration became CompareType. The numbers are the same.
        let field = match node.get("cmptype") {
            Some(_) => "cmptype",
            None => "rctype",
        };
        Expr::RowCompare(RowCompare {
            kind: self.pick_from_1(
                node,
                field,
                &[
                    RowCompareKind::Lt,
                    RowCompareKind::Le,
                    RowCompareKind::Eq,
                    RowCompareKind::Ge,
                    RowCompareKind::Gt,
                    RowCompareKind::Ne,
                ],
            ),
            operators: self.numbers(node, "opnos"),
            collations: self.numbers(node, "inputcollids"),
            left: self.exprs(node, "largs"),
            right: self.exprs(node, "rargs"),
        })
    }

    #[inline(never)]
    fn coalesce(&mut self, node: Node<'_>) -> Expr {
        Expr::Coalesce(List {
            type_oid: self.number(node, "coalescetype"),
            collation: self.number(node, "coalescecollid"),
            args: self.exprs(node, "args"),
        })
    }

    #[inline(never)]
    fn min_max(&mut self, node: Node<'_>) -> Expr {
        Expr::MinMax(MinMax {
            type_oid: self.number(node, "minmaxtype"),
            collation: self.number(node, "minmaxcollid"),
            input_collation: self.number(node, "inputcollid"),
            least: self.pick(node, "op", &[false, true]),
            args: self.exprs(node, "args"),
        })
    }

    #[inline(never)]
    fn null_test(&mut self, node: Node<'_>) -> Expr {
        Expr::NullTest(Box::new(NullTest {
            arg: self.one(node, "arg"),
            negated: self.pick(node, "nulltesttype", &[false, true]),
            is_row: self.flag(node, "argisrow"),
        }))
    }

    #[inline(never)]
    fn boolean_test(&mut self, node: Node<'_>) -> Expr {
        Expr::BooleanTest(Box::new(BooleanTest {
            arg: self.one(node, "arg"),
            kind: self.pick(
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
            ),
        }))
    }

    #[inline(never)]
    fn coerce_to_domain(&mut self, node: Node<'_>) -> Expr {
        Expr::CoerceToDomain(Box::new(CoerceToDomain {
            arg: self.one(node, "arg"),
            type_oid: self.number(node, "resulttype"),
            typmod: self.number(node, "resulttypmod"),
            collation: self.number(node, "resultcollid"),
            form: self.form(node, "coercionformat"),
        }))
    }

    #[inline(never)]
    fn constant(&mut self, node: Node<'_>) -> Expr {
        Expr::Const(Const {
            type_oid: self.number(node, "consttype"),
            typmod: self.number(node, "consttypmod"),
            collation: self.number(node, "constcollid"),
            is_null: self.flag(node, "constisnull"),
            node: node.raw().to_owned(),
        })
    }

    #[inline(never)]
    fn param(&mut self, node: Node<'_>) -> Expr {
        Expr::Param(Param {
            kind: self.pick(
                node,
                "paramkind",
                &[
                    ParamKind::Extern,
                    ParamKind::Exec,
                    ParamKind::Sublink,
                    ParamKind::Multiexpr,
                ],
            ),
            id: self.number(node, "paramid"),
            type_oid: self.number(node, "paramtype"),
            typmod: self.number(node, "paramtypmod"),
            collation: self.number(node, "paramcollid"),
        })
    }

    #[inline(never)]
    fn case_test(&mut self, node: Node<'_>) -> Expr {
        Expr::CaseTest(
            self.number(node, "typeId"),
            self.number(node, "typeMod"),
            self.number(node, "collation"),
        )
    }

    #[inline(never)]
    fn sql_value(&mut self, node: Node<'_>) -> Expr {
        Expr::SqlValue(SqlValue {
            op: self.number(node, "op"),
            type_oid: self.number(node, "type"),
            typmod: self.number(node, "typmod"),
        })
    }
}
