//! Reads trees as PostgreSQL 17 and 18 store them (`tests/fixtures`).

mod trees;

use std::collections::{BTreeMap, BTreeSet};

use pg_trickle_core::node::{Node, Tree, Value};
use pg_trickle_core::query::{
    Expr, FromItem, GroupingSet, JoinKind, JsonTablePlan, Query, RteKind, SetOperation, Var, read_view,
};
use trees::{tree, trees};

fn query(version: &str, view: &str) -> Query {
    let text = tree(version, view).expect("a view of the fixtures");
    match read_view(&text) {
        Ok(query) => query,
        Err(error) => panic!("{version}/{view}: {error}"),
    }
}

/// Runs a check on the same view of both versions.
fn both(view: &str, check: impl Fn(&Query)) {
    check(&query("17", view));
    check(&query("18", view));
}

#[test]
fn every_fixture_is_read() {
    for version in ["17", "18"] {
        let all = trees(version);
        assert!(all.len() > 50, "{version} has only {} views", all.len());
        for view in all.keys() {
            let query = query(version, view);
            let visible = query.targets.iter().filter(|target| !target.junk).count();
            assert!(visible > 0 || view == "from_no_columns", "{version}/{view}");
        }
    }
}

#[test]
fn the_fixtures_hold_every_kind_of_node() {
    let expected = "AGGREF ALIAS ARRAYCOERCEEXPR ARRAYEXPR BOOLEANTEST BOOLEXPR CASEEXPR CASETESTEXPR CASEWHEN \
        COALESCEEXPR COERCETODOMAIN COERCEVIAIO COLLATEEXPR COMMONTABLEEXPR CONST CONVERTROWTYPEEXPR CTECYCLECLAUSE \
        CTESEARCHCLAUSE DISTINCTEXPR FIELDSELECT FROMEXPR FUNCEXPR GROUPINGFUNC GROUPINGSET JOINEXPR JSONBEHAVIOR \
        JSONCONSTRUCTOREXPR JSONEXPR JSONFORMAT JSONISPREDICATE JSONRETURNING JSONTABLEPATH JSONTABLEPATHSCAN \
        JSONTABLESIBLINGJOIN JSONVALUEEXPR MINMAXEXPR NAMEDARGEXPR NULLIFEXPR NULLTEST OPEXPR PARAM QUERY \
        RANGETBLENTRY RANGETBLFUNCTION RANGETBLREF RELABELTYPE ROWCOMPAREEXPR ROWEXPR ROWMARKCLAUSE \
        RTEPERMISSIONINFO SCALARARRAYOPEXPR SETOPERATIONSTMT SORTGROUPCLAUSE SQLVALUEFUNCTION SUBLINK SUBSCRIPTINGREF \
        TABLEFUNC TABLESAMPLECLAUSE TARGETENTRY VAR WINDOWCLAUSE WINDOWFUNC XMLEXPR";
    for version in ["17", "18"] {
        let all = trees(version);
        let found: BTreeSet<&str> = all
            .values()
            .flat_map(|text| text.split('{').skip(1))
            .filter_map(|rest| rest.split_once(' ').map(|(label, _)| label))
            .filter(|label| label.chars().all(|letter| letter.is_ascii_uppercase()))
            .collect();
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            expected.split_whitespace().collect::<Vec<_>>()
        );
    }
}

/// The debug text of a query, without a field that only PostgreSQL 18 has.
fn without_news_of_18(query: &Query) -> String {
    renumbered(&format!("{query:?}").replace("reverse: true", "reverse: false"))
}

/// Numbers the user's objects in the order of their appearance, because their OIDs differ between servers.
fn renumbered(text: &str) -> String {
    let mut known: Vec<&str> = Vec::new();
    text.split_inclusive(|letter: char| !letter.is_ascii_digit())
        .map(|piece| {
            let number = piece.trim_end_matches(|letter: char| !letter.is_ascii_digit());
            if number.parse::<u32>().is_ok_and(|number| number >= 16384) {
                let place = known.iter().position(|seen| *seen == number).unwrap_or(known.len());
                if place == known.len() {
                    known.push(number);
                }
                return format!("#{place}{}", &piece[number.len()..]);
            }
            piece.to_owned()
        })
        .collect()
}

#[test]
fn both_versions_give_the_same_query() {
    let newer = trees("18");
    for view in trees("17").keys() {
        // If a query groups by a merged column of USING, 18 stores either the column or the COALESCE behind it.
        if view == "group_using" {
            continue;
        }
        assert!(newer.contains_key(view), "{view} is missing in 18");
        let (old, new) = (query("17", view), query("18", view));
        assert_eq!(without_news_of_18(&old), without_news_of_18(&new), "{view}");
    }
}

/// The nodes of a tree.
fn for_each_node<'t>(value: Value<'t>, visit: &mut impl FnMut(Node<'t>)) {
    if let Some(node) = value.node() {
        visit(node);
        for (_, value) in node.fields() {
            for_each_node(value, visit);
        }
    }
    for item in value.items().into_iter().flatten() {
        for_each_node(item, visit);
    }
}

/// The fields of each kind of node, and the views that have such nodes.
fn kinds(version: &str) -> BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> {
    let mut kinds: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    for (view, text) in trees(version) {
        let tree = Tree::parse(&text).expect("a tree");
        for_each_node(tree.root(), &mut |node| {
            let (fields, views) = kinds.entry(node.label().to_owned()).or_default();
            fields.extend(node.fields().map(|(name, _)| name.to_owned()));
            views.insert(view.clone());
        });
    }
    kinds
}

#[test]
fn each_kind_of_node_gives_the_same_query_on_both_versions() {
    let (old, new) = (kinds("17"), kinds("18"));
    assert_eq!(old.keys().collect::<Vec<_>>(), new.keys().collect::<Vec<_>>());
    let mut same: BTreeMap<&str, bool> = BTreeMap::new();
    for (kind, (_, views)) in &old {
        let mut compared = 0;
        for view in views.intersection(&new[kind].1).filter(|view| *view != "group_using") {
            let is_same = || {
                let [old, new] = ["17", "18"].map(|version| without_news_of_18(&query(version, view)));
                old == new
            };
            assert!(*same.entry(view).or_insert_with(is_same), "{kind} in {view}");
            compared += 1;
        }
        assert!(compared > 0, "no view of both versions has a {kind}");
    }
}

/// Fields that only one version writes, as docs/PG17_PG18.md lists them.
const DIFFERENT: [(&str, &str, &str); 6] = [
    ("ARRAYEXPR", "", "list_end list_start"),
    ("QUERY", "", "hasGroupRTE returningNewAlias returningOldAlias"),
    ("RANGETBLENTRY", "", "groupexprs"),
    ("ROWCOMPAREEXPR", "rctype", "cmptype"),
    ("SORTGROUPCLAUSE", "", "reverse_sort"),
    ("VAR", "", "varreturningtype"),
];

#[test]
fn the_differences_between_trees_are_the_documented_ones() {
    let (old, new) = (kinds("17"), kinds("18"));
    let joined = |fields: Vec<&String>| fields.iter().map(|field| field.as_str()).collect::<Vec<_>>().join(" ");
    let mut found = Vec::new();
    for (kind, (before, _)) in &old {
        let (after, _) = &new[kind];
        let only = [before.difference(after).collect(), after.difference(before).collect()].map(joined);
        if only != ["", ""] {
            found.push((kind.clone(), only));
        }
    }
    let expected = DIFFERENT.map(|(kind, old, new)| (kind.to_owned(), [old.to_owned(), new.to_owned()]));
    assert_eq!(found, expected);
    let page = trees::tests().join("../../docs/PG17_PG18.md");
    let page = std::fs::read_to_string(page).expect("readable");
    for (kind, old, new) in DIFFERENT {
        for name in [kind]
            .into_iter()
            .chain(old.split(' '))
            .chain(new.split(' '))
            .filter(|name| !name.is_empty())
        {
            assert!(
                page.contains(&format!("`{name}`")),
                "docs/PG17_PG18.md does not say {name}"
            );
        }
    }
}

#[test]
fn no_column_of_a_grouping_entry_is_left() {
    let mut grouping_entries = 0;
    for (view, tree) in trees("18") {
        grouping_entries += tree.matches(":groupexprs (").count();
        query("18", &view).for_each_query(&mut |query| {
            query.for_each_expr(&mut |expr| {
                let refers = expr.any(
                    &mut |node| matches!(node, Expr::Var(var) if var.levels_up == 0 && query.rte(var.varno).is_none()),
                );
                assert!(!refers, "{view}");
            });
        });
    }
    assert!(grouping_entries > 0, "no tree has one");
}

/// The Vars of a query and of everything in it, with the number of enclosing queries.
fn vars(query: &Query) -> Vec<Var> {
    let mut found = Vec::new();
    query.for_each_query(&mut |query| {
        query.for_each_expr(&mut |expr| {
            expr.for_each(&mut |node| {
                if let Expr::Var(var) = node {
                    found.push(var.clone());
                }
            });
        });
    });
    found
}

#[test]
fn subqueries_see_the_grouped_column_itself() {
    both("group_sublinks", |query| {
        // `e.dst` occurs two levels down, once in WHERE and once as a grouping expression of that query.
        let deep: Vec<_> = vars(query).into_iter().filter(|var| var.levels_up == 2).collect();
        assert!(!deep.is_empty());
        assert!(deep.iter().all(|var| var.varno == 1 && var.attno == 2));
        // The select list repeats the grouping expressions.
        let group = &query.group[0];
        let grouped = query.target(group.target_ref).expect("the target");
        assert!(matches!(grouped.expr, Expr::Op(_)));
        let Some(Expr::Op(having)) = &query.having else {
            panic!("HAVING is an operator");
        };
        assert_eq!(having.args[0], grouped.expr);
    });
}

#[test]
fn names_are_unescaped() {
    both("expr_var_const", |query| {
        let names: Vec<_> = query
            .targets
            .iter()
            .filter_map(|target| target.name.as_deref())
            .collect();
        assert_eq!(names[..4], ["id", "Odd {name}", "one", "minus"]);
        assert_eq!(query.rtable[0].alias.as_deref(), Some("c"));
        assert_eq!(query.rtable[0].columns[2], "Odd {name}");
        let Expr::Const(constant) = &query.targets[3].expr else {
            panic!("-7 is a constant");
        };
        assert_eq!(constant.int4(), Some(-7));
        assert!(constant.node.starts_with("{CONST :consttype 23 "));
        assert!(constant.node.ends_with('}'));
        assert!(matches!(&query.targets[5].expr, Expr::Const(nil) if nil.is_null));
    });
}

#[test]
fn joins_keep_their_shape() {
    both("from_joins", |query| {
        let [FromItem::Join(outer)] = query.from.as_slice() else {
            panic!("FROM is one join");
        };
        assert_eq!(outer.kind, JoinKind::Right);
        let FromItem::Join(middle) = &outer.left else {
            panic!("its left side is a join");
        };
        assert_eq!(middle.kind, JoinKind::Left);
        assert!(matches!(&middle.left, FromItem::Join(inner) if inner.kind == JoinKind::Inner));
        assert!(query.quals.is_some());
        assert!(matches!(query.rtable[0].kind, RteKind::Relation { relkind: 'r', .. }));
        assert!(query.rtable[0].inh);
    });
    both("from_using", |query| {
        let [FromItem::Join(full), FromItem::Join(natural)] = query.from.as_slice() else {
            panic!("FROM is two joins");
        };
        assert_eq!((full.kind, full.natural), (JoinKind::Full, false));
        assert_eq!(
            (full.using.as_slice(), full.using_alias.as_deref()),
            (["id".to_owned()].as_slice(), Some("u"))
        );
        assert_eq!((natural.kind, natural.natural), (JoinKind::Inner, true));
        assert_eq!(natural.alias.as_deref(), Some("j"));
        assert_eq!(natural.alias_columns, ["one", "two"]);
        let index = usize::try_from(full.rtindex).expect("positive") - 1;
        let RteKind::Join {
            kind,
            alias_vars,
            merged,
        } = &query.rtable[index].kind
        else {
            panic!("a join has an entry");
        };
        assert_eq!((*kind, *merged), (JoinKind::Full, 1));
        assert!(matches!(alias_vars[0], Expr::Coalesce(_)));
    });
    both("from_cross", |query| {
        assert!(query.rtable.iter().any(|rte| !rte.inh && rte.name == "p"))
    });
}

#[test]
fn ctes_keep_their_clauses() {
    both("with_search_cycle", |query| {
        assert!(query.recursive);
        let cte = &query.ctes[0];
        assert!(cte.recursive);
        assert_eq!(cte.columns, ["src", "dst"]);
        let search = cte.search.as_ref().expect("SEARCH");
        assert_eq!((search.breadth_first, search.sequence.as_str()), (true, "ord"));
        let cycle = cte.cycle.as_ref().expect("CYCLE");
        assert_eq!((cycle.mark.as_str(), cycle.path.as_str()), ("looped", "path"));
        assert!(matches!(cycle.value, Expr::Const(_)));
    });
}

#[test]
fn groups_sets_and_windows() {
    both("group_cubes", |query| {
        assert!(query.group_distinct);
        assert!(matches!(
            query.grouping_sets.as_slice(),
            [GroupingSet::Rollup(rollup), GroupingSet::Cube(_), GroupingSet::Simple(_)]
                if matches!(rollup.as_slice(), [GroupingSet::Simple(one), GroupingSet::Simple(two)]
                    if one.len() == 1 && two.len() == 2)
        ));
    });
    both("set_nested", |query| {
        let Some(SetOperation::Op { left, right, types, .. }) = &query.set_operations else {
            panic!("a set operation");
        };
        assert!(matches!(**left, SetOperation::Op { all: true, .. }));
        assert!(matches!(**right, SetOperation::Op { all: true, .. }));
        assert_eq!(types.len(), 2);
    });
    both("group_windows", |query| {
        assert!(query.has_windows);
        assert_eq!(query.windows[0].name.as_deref(), Some("w"));
        assert!(query.windows.iter().any(|window| window.start_offset.is_some()));
    });
    both("group_dependent", |query| assert_eq!(query.constraint_deps.len(), 1));
    both("limit_ties", |query| {
        assert!(query.limit_with_ties && query.limit_count.is_some())
    });
    both("from_locked", |query| assert_eq!(query.row_marks.len(), 2));
}

#[test]
fn json_tables_keep_their_plan() {
    both("from_json_table", |query| {
        let RteKind::TableFunc(function) = &query.rtable[1].kind else {
            panic!("a table function");
        };
        assert_eq!(function.column_names, ["o", "k", "q", "z1", "z2", "d1", "y1"]);
        assert_eq!(function.column_values.iter().flatten().count(), 6);
        let Some(JsonTablePlan::Path {
            name,
            child: Some(child),
            ..
        }) = function.plan.as_deref()
        else {
            panic!("a root path with children");
        };
        assert_eq!(name, "root");
        assert!(matches!(**child, JsonTablePlan::Siblings(..)));
    });
}

#[test]
fn what_is_no_select_is_named() {
    let text = &tree("18", "expr_operators").expect("a view of the fixtures");
    let error = |text: &str| read_view(text).expect_err("an error").to_string();
    assert!(error("").contains("ends early"));
    assert!(error("()").ends_with("the rule does not hold one query"));
    assert!(error("({ALIAS})").ends_with("found a ALIAS where a QUERY belongs"));
    assert!(error(&text.replace(":commandType 1", ":commandType 3")).ends_with("commandType of QUERY is not SELECT"));
    assert!(error(&text.replace("{NULLIFEXPR", "{NEWEXPR")).ends_with("unknown expression NEWEXPR"));
    assert!(error(&text.replace("{NULLIFEXPR", "{SETTODEFAULT")).ends_with("a SELECT cannot contain a SETTODEFAULT"));
    assert!(
        error(&text.replace(":rtekind 0", ":rtekind 77"))
            .ends_with("rtekind of RANGETBLENTRY has the unknown value 77")
    );
    assert!(error(&text.replace(" :opno ", " :opnr ")).ends_with("field opno of OPEXPR is missing"));
}

#[test]
fn damaged_trees_never_panic() {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut roll = move |sides: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % sides as u64).expect("fits")
    };
    let pieces = [
        "<>",
        "()",
        "{VAR}",
        "{",
        "}",
        "(",
        ")",
        "-1",
        "99999999999",
        "true",
        "\\",
        "{CONST :x 1}",
        "(b)",
        "é",
    ];
    for text in trees("17").values().chain(trees("18").values()) {
        let words: Vec<&str> = text.split_inclusive([' ', '(', ')', '{', '}']).collect();
        for _ in 0..12 {
            let mut damaged = words.clone();
            for _ in 0..=roll(2) {
                let place = roll(damaged.len());
                match roll(3) {
                    0 => drop(damaged.remove(place)),
                    1 => damaged[place] = pieces[roll(pieces.len())],
                    _ => damaged.insert(place, pieces[roll(pieces.len())]),
                }
            }
            // Either answer will do.
            let _ = read_view(&damaged.concat());
        }
    }
}

#[test]
fn the_deepest_tree_fits_a_small_stack() {
    let text = &tree("17", "from_nothing").expect("a view of the fixtures");
    let (before, rest) = text.split_once(":quals ").expect("a WHERE");
    let (_, after) = rest.split_once("} :mergeActionList").expect("the field after FROM");
    let nested = |depth: usize| {
        let open = "{BOOLEXPR :boolop not :args (".repeat(depth);
        let close = ") :location -1}".repeat(depth);
        let inner = "{CASETESTEXPR :typeId 16 :typeMod -1 :collation 0}";
        format!("{before}:quals {open}{inner}{close}}} :mergeActionList{after}")
    };
    let (deep, deeper) = (nested(490), nested(5000));
    // The stack for unoptimised code; optimised code needs a quarter of it.
    let outcomes = std::thread::Builder::new()
        .stack_size(1 << 21)
        .spawn(move || [read_view(&deep), read_view(&deeper)].map(|outcome| outcome.map(drop)))
        .expect("a thread")
        .join()
        .expect("no overflow");
    assert_eq!(outcomes[0], Ok(()));
    let error = outcomes[1].as_ref().expect_err("too deep").to_string();
    assert!(error.contains("nested deeper than"), "{error}");
}
