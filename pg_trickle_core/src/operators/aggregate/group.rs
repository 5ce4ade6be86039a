//! A grouped stage: one stored row per group. An aggregated delta is folded into it.

use super::delta::{DELTA, ROWS, STORED, WEIGHT, argument_name, key_name, value_name};
use super::lookups::{Guard, Lookups};
use super::percentile::{self, Percentile, Rows};
use super::state::{Aggregate, GroupKey, Kind, State};
use crate::maintain::bounded::Bounded;
use crate::maintain::key::same;
use crate::maintain::nulls::{KeyMatch, MAX_NULLABLE, searches};
use crate::maintain::stage::{Maintenance, Reach};
use crate::operators::linear::bag::{applied, fold_cost};
use crate::operators::linear::block::{Block, Part, Term, signed_terms, weighted};
use crate::plan::{Change, Program, Returns, Source, Statement, Way};
use crate::sql::statement::{
    Insert, Merge, OnConflict, Select, and, both_null, case, column, is_null, op, or, record, union_all,
};

/// Of so many groups, the rows are added up before a change.
const COUNTED: usize = 1000;

/// The storage of a grouped stage, and how changes are applied to it.
pub struct Group {
    /// Qualified, quoted name of the storage table.
    pub table: String,
    /// Keys and states. The SQL of keys and arguments is that of the first branch.
    pub aggregate: Aggregate,
    /// The branches of the union that is grouped. Each supplies the keys, and then the arguments.
    pub parts: Vec<Part>,
    /// For each branch, which arguments it supplies; the others are NULL in its rows.
    pub supplied: Vec<Vec<bool>>,
    /// What is read when a value is looked up.
    pub lookups: Lookups,
}

impl Maintenance for Group {
    fn way(&self) -> Way {
        Way::Fold
    }

    fn program(&self, changes: &[Change]) -> Program {
        if Block::any_too_many(&self.parts, changes) {
            return Program::Rebuild;
        }
        Program::Run(self.statements(changes))
    }

    fn needs_fresh_plans(&self, advised: bool, changes: &[Change]) -> bool {
        advised && Block::any_scans(&self.parts, changes)
    }

    fn reads_more(&self, changes: &[Change]) -> bool {
        Block::any_filters(&self.parts, changes)
    }

    fn compares_all(&self) -> bool {
        Block::any_compares(&self.parts)
    }

    fn reach(&self, changes: &[Change]) -> Option<Reach> {
        // A planner without a database does not ask how many there are.
        let (of, parts) = if cfg!(feature = "changes") {
            let rows = column("g", &self.aggregate.states[0].name);
            let of_groups = |select: &str| {
                let groups = format!("(SELECT {rows} FROM {} AS g LIMIT {COUNTED}) AS g", self.table);
                format!("(SELECT {select}::pg_catalog.int8 FROM {groups})")
            };
            (
                Some(of_groups(&format!("coalesce(pg_catalog.sum({rows}), 0)"))),
                // As large a share of the groups loses what decided its result.
                self.scans_again(changes).then(|| of_groups("pg_catalog.count(*)")),
            )
        } else {
            (None, None)
        };
        self.is_bounded(changes).then_some(Reach::Delta { of, parts })
    }

    fn joins_only(&self) -> bool {
        !self.aggregate.looks_up() && self.aggregate.pointers().is_empty()
    }

    fn reads_only_the_change(&self) -> bool {
        Block::all_single(&self.parts)
    }

    fn cost(&self, source: &Source, sources: &[Source]) -> &'static str {
        if self.aggregate.looks_up() {
            "the change and its fan-out; the rows of a group, when the value that decided its result is deleted"
        } else {
            fold_cost(source, sources)
        }
    }

    fn filled(&self) -> Option<String> {
        (!self.aggregate.pointers().is_empty()).then(|| self.with_pointers())
    }

    fn rounds_once(&self) -> bool {
        self.aggregate.rounds_once
    }

    fn runs_as_update(&self, change: &Change) -> bool {
        !Block::all_single(&self.parts) && (change.old || !self.aggregate.looks_up())
    }
}

impl Group {
    /// True if a group that loses the value that decided its result reads several tables.
    fn scans_again(&self, changes: &[Change]) -> bool {
        let is_read = self.lookups == Lookups::Table && !Block::all_single(&self.parts);
        is_read && changes.iter().any(|change| change.old)
    }

    /// True if the program counts its delta before it applies it.
    fn is_bounded(&self, changes: &[Change]) -> bool {
        Block::any_fans_out(&self.parts, changes) || self.scans_again(changes)
    }

    /// The SELECT that computes keys and states from scratch, in storage order.
    pub fn query(&self) -> String {
        let arms: Vec<Select> = self
            .parts
            .iter()
            .map(|part| part.block.now(part.columns(&self.inputs())))
            .collect();
        self.grouped(&union_all(&arms)).to_string()
    }

    /// The keys and states of the rows of a SELECT.
    fn grouped(&self, rows: &str) -> Select {
        let aggregate = &self.aggregate;
        let mut columns: Vec<(String, String)> = self
            .delta_keys(ROWS)
            .into_iter()
            .zip(aggregate.keys.iter().map(|key| key.name.clone()))
            .collect();
        let states = aggregate.states.iter();
        columns.extend(states.map(|state| (state.initial_sql(), state.name.clone())));
        Select {
            columns,
            from: vec![format!("({rows}) AS {ROWS}")],
            group_by: self.delta_keys(ROWS),
            ..Select::default()
        }
    }

    /// The storage columns that are written, in order.
    pub fn column_names(&self) -> Vec<String> {
        let keys = self.aggregate.keys.iter().map(|key| key.name.clone());
        let states = self.aggregate.states.iter().map(|state| state.name.clone());
        keys.chain(states).collect()
    }

    /// The statements for a set of changes.
    fn statements(&self, changes: &[Change]) -> Vec<Statement> {
        let terms = signed_terms(&self.parts, changes, &self.inputs());
        if terms.is_empty() {
            return Vec::new();
        }
        let bounded = self.is_bounded(changes);
        if !self.aggregate.keys.is_empty()
            && terms.iter().all(|term| term.sign > 0)
            && let Some(set) = self.added()
        {
            let arms: Vec<Select> = terms.into_iter().map(|term| term.select).collect();
            return vec![applied(bounded, &union_all(&arms), |rows| self.upsert(rows, &set))];
        }
        // If a single occurrence changed, and no row twice, the rows of each sign really existed. Otherwise some only
        // cancel.
        let once = !changes.iter().any(|change| change.repeated);
        let exact = once && self.parts.iter().all(|part| part.block.changed(changes).len() <= 1);
        vec![self.merge(terms, exact, bounded)]
    }

    /// The names of keys and arguments in the rows of a term.
    fn inputs(&self) -> Vec<String> {
        let keys = (0..self.aggregate.keys.len()).map(key_name);
        keys.chain((0..self.aggregate.arguments.len()).map(argument_name))
            .collect()
    }

    fn delta_keys(&self, alias: &str) -> Vec<String> {
        (0..self.aggregate.keys.len())
            .map(|n| column(alias, &key_name(n)))
            .collect()
    }

    /// What each state of a stored group becomes by insertions only, if these tell it.
    fn added(&self) -> Option<Vec<(String, String)>> {
        let plus = |state: &State| Some((state.name.clone(), state.plus(&column("EXCLUDED", &state.name))?));
        self.aggregate.states.iter().map(plus).collect()
    }

    /// Insertions only: aggregate them, and add each group to the stored one.
    fn upsert(&self, rows: &str, set: &[(String, String)]) -> String {
        let aggregate = &self.aggregate;
        let query = self.grouped(rows);
        let insert = Insert {
            table: self.table.clone(),
            alias: STORED.to_owned(),
            columns: self.column_names(),
            query: query.to_string(),
            on_conflict: Some(OnConflict {
                key: aggregate.keys.iter().map(|key| key.name.clone()).collect(),
                set: set.to_vec(),
            }),
        };
        insert.to_string()
    }

    /// Rows of both signs: aggregate with weights. Groups whose count falls to 0 are deleted, the others updated or
    /// inserted.
    fn merge(&self, terms: Vec<Term>, exact: bool, bounded: bool) -> Statement {
        let aggregate = &self.aggregate;
        let keyed = !aggregate.keys.is_empty();
        // Deletions only: each touched group is stored, and changes.
        let only_old = exact && terms.iter().all(|term| term.sign < 0);
        let rows = union_all(&weighted(terms, WEIGHT));
        let states = || aggregate.states.iter().enumerate();
        let recompute = |n: usize| self.recompute(n);
        let mut together = Vec::new();
        for (n, argument, percentile) in self.percentiles() {
            let columns = aggregate.states[n..n + percentile::COLUMNS].iter();
            let columns: Vec<String> = columns.map(|state| state.name.clone()).collect();
            let left = aggregate.left(percentile.count);
            let key = |n: usize| column(DELTA, &key_name(n));
            let moved = self.of_group(argument, &key, &|rows| percentile.moved(&left, n, &columns, rows));
            together.push((columns, moved));
        }
        let update: Vec<(String, String)> = states()
            .filter(|(_, state)| !matches!(state.kind, Kind::Percentile(_) | Kind::Pointer(_)))
            .map(|(n, state)| {
                let value = aggregate.updated(n, &recompute(n), exact);
                (state.name.clone(), value)
            })
            .collect();
        let mut insert: Vec<(String, String)> = aggregate
            .keys
            .iter()
            .enumerate()
            .map(|(n, key)| (key.name.clone(), column(DELTA, &key_name(n))))
            .collect();
        insert.extend(states().map(|(n, state)| {
            let value = aggregate.created(n, &recompute(n), exact);
            (state.name.clone(), value)
        }));
        let change_of_count = column(DELTA, &value_name(0));
        let merge = |source: &str, on: &str| {
            Merge {
                table: self.table.clone(),
                alias: STORED.to_owned(),
                source: format!("({source}) AS {DELTA}"),
                on: on.to_owned(),
                delete_when: keyed.then(|| op(&self.left(), "=", "0")),
                update: Some((None, update.clone())),
                together: together.clone(),
                insert: (keyed && !only_old).then(|| (op(&change_of_count, ">", "0"), insert.clone())),
            }
            .to_string()
        };
        let nullable = aggregate.keys.iter().filter(|key| key.nullable).count();
        let is_probed = nullable > 0 && nullable <= MAX_NULLABLE;
        let groups = |rows: &str, many: bool| match (is_probed, many) {
            (false, _) => self.delta(rows, only_old).to_string(),
            (true, false) => self.located(rows, only_old, &format!("LATERAL ({})", self.probes()), "TRUE"),
            (true, true) => self.hashed(rows, only_old),
        };
        let on = if is_probed {
            "s.ctid OPERATOR(pg_catalog.=) d.__pgt_rid".to_owned()
        } else {
            self.key_match(STORED, DELTA)
        };
        let guard = self.guard(exact, &on);
        let text = |rows: &str, delta: Option<&Bounded>, many: bool| {
            let groups = groups(rows, many);
            match (&guard, delta) {
                (Some(guard), _) => guard.statement(&groups, delta, &|source| merge(source, &on)),
                (None, Some(delta)) => delta.written(&|_| merge(&groups, &on)),
                (None, None) => merge(&groups, &on),
            }
        };
        if bounded {
            return Bounded::statement(&rows, |delta, many| text(&delta.rows, Some(delta), many));
        }
        Statement {
            sql: text(&rows, None, false),
            bulk: is_probed.then(|| text(&rows, None, true)),
            returns: if guard.is_some() {
                Returns::Verdict
            } else {
                Returns::Nothing
            },
        }
    }

    /// What keeps a change from too many lookups, if it can make groups look up more than a row each.
    fn guard<'a>(&'a self, exact: bool, on: &'a str) -> Option<Guard<'a>> {
        if self.lookups == Lookups::Row {
            return None;
        }
        let aggregate = &self.aggregate;
        let states = 0..aggregate.states.len();
        let needed: Vec<String> = states.filter_map(|n| aggregate.looked_up(n, exact)).collect();
        let scans = self.parts.iter().flat_map(|part| &part.block.scans);
        (!needed.is_empty()).then(|| Guard {
            lookups: self.lookups,
            table: &self.table,
            reads: scans
                .filter(|scan| scan.relid != 0)
                .map(|scan| scan.table.as_str())
                .collect(),
            rows: column(STORED, &aggregate.states[0].name),
            on,
            needed: and(&[op(&self.left(), "<>", "0"), or(&needed)]),
        })
    }

    /// The number of rows of a group after a delta.
    fn left(&self) -> String {
        let count = &self.aggregate.states[0].name;
        op(&column(STORED, count), "+", &column(DELTA, &value_name(0)))
    }

    /// The aggregated delta of many rows with the row id of the stored group, where keys can be NULL.
    fn hashed(&self, rows: &str, only_old: bool) -> String {
        let aggregate = &self.aggregate;
        let key_names: Vec<String> = aggregate.keys.iter().map(|key| key.name.clone()).collect();
        let delta_names: Vec<String> = (0..key_names.len()).map(key_name).collect();
        let pairs = if aggregate.keys.iter().any(|key| key.nullable && !key.wrapped) {
            op(&record("r", &key_names), "=", &record("g", &delta_names))
        } else {
            let same = |(key, delta): (&GroupKey, &String)| {
                same(&key.equals, key.nullable, &column("r", &key.name), &column("g", delta))
            };
            and(&aggregate.keys.iter().zip(&delta_names).map(same).collect::<Vec<_>>())
        };
        let stored = format!("(SELECT p.*, p.ctid AS __pgt_rid FROM {} AS p)", self.table);
        self.located(rows, only_old, &stored, &pairs)
    }

    /// The aggregated delta, one row per touched group: its keys, and the change of each state.
    fn delta(&self, rows: &str, only_old: bool) -> Select {
        let aggregate = &self.aggregate;
        let mut columns: Vec<(String, String)> = self
            .delta_keys(ROWS)
            .into_iter()
            .enumerate()
            .map(|(n, sql)| (sql, key_name(n)))
            .collect();
        let mut changes = Vec::new();
        let mut always = only_old && !aggregate.keys.is_empty();
        for (n, state) in aggregate.states.iter().enumerate() {
            let produced = state.delta_columns(n, only_old);
            match state.changes(&produced) {
                Some(change) => changes.push(change),
                None => always = true,
            }
            columns.extend(produced);
        }
        Select {
            columns,
            from: vec![format!("({rows}) AS {ROWS}")],
            group_by: self.delta_keys(ROWS),
            having_any: if always { Vec::new() } else { changes },
            ..Select::default()
        }
    }

    /// The aggregated delta, with the row id of the stored group, or NULL if there is none.
    fn located(&self, rows: &str, only_old: bool, stored: &str, on: &str) -> String {
        format!(
            "SELECT g.*, r.__pgt_rid FROM {} LEFT JOIN {stored} AS r ON {on}",
            self.delta(rows, only_old).derived("g")
        )
    }

    /// One index probe per combination of NULLs. The NULLs of the delta's own keys disable all but one of them.
    fn probes(&self) -> String {
        let keys = &self.aggregate.keys;
        let nullable: Vec<bool> = keys.iter().map(|key| key.nullable).collect();
        let arms: Vec<String> = searches(&nullable)
            .iter()
            .map(|search| {
                let conditions: Vec<String> = keys
                    .iter()
                    .zip(search)
                    .enumerate()
                    .map(|(n, (key, how))| {
                        let stored = column("p", &key.name);
                        let given = column("g", &key_name(n));
                        how.condition(format!("{stored} {} {given}", key.equals), &stored, &given)
                    })
                    .collect();
                format!(
                    "SELECT p.ctid AS __pgt_rid FROM {} AS p WHERE {}",
                    self.table,
                    conditions.join(" AND ")
                )
            })
            .collect();
        arms.join(" UNION ALL ")
    }

    fn key_match(&self, stored: &str, delta: &str) -> String {
        let conditions: Vec<String> = self
            .aggregate
            .keys
            .iter()
            .enumerate()
            .map(|(n, key)| null_safe(key, &column(stored, &key.name), &column(delta, &key_name(n))))
            .collect();
        and(&conditions)
    }

    /// A SELECT that `make` makes from the rows of a group: for each combination of NULLs in its key one, of which all but
    /// one select nothing. `key` is the SQL of a column of the key.
    fn of_group(&self, argument: usize, key: &dyn Fn(usize) -> String, make: &dyn Fn(&Rows) -> String) -> String {
        let keys = &self.aggregate.keys;
        let rows = self.parts[0].block.now(self.parts[0].columns(&self.inputs()));
        let nullable: Vec<bool> = keys.iter().map(|key| key.nullable).collect();
        let select = |search: &Vec<KeyMatch>| {
            let mut conditions = Vec::new();
            let mut applies = Vec::new();
            for ((n, of), how) in keys.iter().enumerate().zip(search) {
                let (own, given) = (column(ROWS, &key_name(n)), key(n));
                conditions.push(how.condition(format!("({own} {} {given})", of.equals), &own, &given));
                if of.nullable {
                    applies.push(how.applies(&given));
                }
            }
            let from = |condition: &str| {
                let mut all = conditions.clone();
                all.push(condition.to_owned());
                format!("FROM ({rows}) AS {ROWS} WHERE {}", and(&all))
            };
            let made = make(&Rows {
                value: &column(ROWS, &argument_name(argument)),
                from: &from,
            });
            if applies.is_empty() {
                made
            } else {
                format!("{made} WHERE {}", and(&applies))
            }
        };
        let arms: Vec<String> = searches(&nullable).iter().map(select).collect();
        arms.join(" UNION ALL ")
    }

    /// The percentiles, with the position of the first state of each, and its argument.
    fn percentiles(&self) -> impl Iterator<Item = (usize, usize, &Percentile)> {
        let states = self.aggregate.states.iter().enumerate();
        states.filter_map(|(n, state)| match &state.kind {
            Kind::Percentile(percentile) => Some((n, state.argument?, &**percentile)),
            _ => None,
        })
    }

    /// The rows of the query, with pointers for the percentiles of large groups.
    fn with_pointers(&self) -> String {
        let aggregate = &self.aggregate;
        let mut columns: Vec<String> = self.column_names().iter().map(|name| column("g", name)).collect();
        let mut from = format!("({}) AS g", self.query());
        for (n, argument, percentile) in self.percentiles() {
            let values = column("g", &aggregate.states[percentile.count].name);
            let key = |n: usize| column("g", &aggregate.keys[n].name);
            let started = self.of_group(argument, &key, &|rows| percentile.started(&values, rows));
            from.push_str(&format!(" LEFT JOIN LATERAL ({started}) AS m{n} ON TRUE"));
            for (place, name) in ["x", "b", "e"].iter().enumerate() {
                columns[aggregate.keys.len() + n + 1 + place] = format!("m{n}.{name}");
            }
        }
        format!("SELECT {} FROM {from}", columns.join(", "))
    }

    /// A scalar subquery that computes one state of the delta's group from the sources as they are now.
    fn recompute(&self, position: usize) -> String {
        let aggregate = &self.aggregate;
        let state = &aggregate.states[position];
        let lookup = |conditions: Vec<String>| {
            let supplies = |part: usize| state.argument.is_none_or(|argument| self.supplied[part][argument]);
            let rows: Vec<Select> = self
                .parts
                .iter()
                .enumerate()
                .filter(|(part, _)| supplies(*part))
                .map(|(_, part)| part.block.now(part.columns(&self.inputs())))
                .collect();
            let select = Select {
                columns: vec![(state.initial_sql(), "v".to_owned())],
                from: vec![format!("({}) AS {ROWS}", union_all(&rows))],
                filter: conditions,
                ..Select::default()
            };
            format!("({select})")
        };
        let pairs: Vec<(&GroupKey, String, String)> = aggregate
            .keys
            .iter()
            .enumerate()
            .map(|(n, key)| (key, column(ROWS, &key_name(n)), column(DELTA, &key_name(n))))
            .collect();
        // A single nullable key is tested for NULL outside the subquery, so that either form can use an index.
        if let [(key, own, given)] = pairs.as_slice()
            && key.nullable
        {
            return case(
                &[(is_null(given), lookup(vec![is_null(own)]))],
                Some(&lookup(vec![format!("({own} {} {given})", key.equals)])),
            );
        }
        lookup(
            pairs
                .iter()
                .map(|(key, own, given)| null_safe(key, own, given))
                .collect(),
        )
    }
}

fn null_safe(key: &GroupKey, left: &str, right: &str) -> String {
    let equal = format!("({left} {} {right})", key.equals);
    if key.nullable {
        or(&[equal, both_null(left, right)])
    } else {
        equal
    }
}
