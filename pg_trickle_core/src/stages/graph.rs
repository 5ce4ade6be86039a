//! The stages of one stream table while they are planned, and a catalog that includes their storage tables.

use std::cell::{Cell, RefCell};

use super::clock::{Clock, bound, bound_before};
use super::stored::{NUMBER, StorageTable, StoredColumn};
use crate::catalog::{Catalog, Column, DefaultOperators, Function, Key, Operator, Relation, Type};
use crate::error::Error;
use crate::facts::fallback::{Fallback, reason};
use crate::facts::shape::top_clause;
use crate::facts::types::{is_pseudo, type_of};
use crate::maintain::crossing::Crossing;
use crate::maintain::stage::Stage;
use crate::plan::{self, Oid, PreAggregate};
use crate::query::{Expr, Query, Rte, RteKind, Target, Var, attno, varno};
use crate::sql::ident::quote_ident;

/// A planned stage: its query, and the query that reads its storage.
#[derive(Clone)]
struct Planned {
    query: Query,
    view: Query,
}

/// The stages of a stream table, bottom first.
pub struct StageGraph<'c> {
    catalog: &'c dyn Catalog,
    schema: String,
    base: String,
    next: Cell<u32>,
    stages: RefCell<Vec<Stage>>,
    relations: RefCell<Vec<Relation>>,
    planned: RefCell<Vec<Planned>>,
    /// The tables whose changes have names, by their numbers ([`Catalog::delta`]).
    deltas: RefCell<Vec<Oid>>,
    plan_stage: PlanStage,
    clock: RefCell<Option<Clock>>,
    steps: Cell<usize>,
    /// The number of stages that are being planned, each above the next.
    depth: Cell<usize>,
    /// The rows of the lower stages, as CTEs, if nothing of these stages is stored.
    ctes: Option<RefCell<Vec<(Oid, String)>>>,
    /// True if a stage tells the rows of a lower stage apart by their numbers.
    reads_numbers: Cell<bool>,
    /// Whether facts are added up before they are joined.
    pub pre_aggregate: Cell<PreAggregate>,
}

/// The most steps in which a query may be planned. A query of a few lines takes ten, one of hundreds of branches
/// thousands.
const MAX_STEPS: usize = 5000;

/// The most stages above each other. Ten levels of views take twenty.
const MAX_DEPTH: usize = 100;

/// Plans the stage of a query. Returns it with a query that reads its storage.
pub type PlanStage = fn(&Query, &StorageTable, &StageGraph) -> Result<(Stage, Query), Fallback>;

impl<'c> StageGraph<'c> {
    /// Stages for a stream table whose final storage is `schema.base`. The lower stages are `stored`, or else CTEs of the
    /// statement that computes the final one.
    ///
    /// `plan_stage` is the planner. It is passed in because the planner is a layer above, and [`StageGraph::cut`] calls
    /// it.
    pub fn new(schema: &str, base: &str, catalog: &'c dyn Catalog, plan_stage: PlanStage, stored: bool) -> Self {
        StageGraph {
            catalog,
            schema: schema.to_owned(),
            base: base.to_owned(),
            next: Cell::new(0),
            stages: RefCell::default(),
            relations: RefCell::default(),
            planned: RefCell::default(),
            deltas: RefCell::default(),
            plan_stage,
            clock: RefCell::default(),
            steps: Cell::new(0),
            depth: Cell::new(0),
            ctes: (!stored).then(RefCell::default),
            reads_numbers: Cell::new(false),
            pre_aggregate: Cell::new(PreAggregate::Never),
        }
    }

    /// The storage of the final stage.
    pub fn top(&self) -> StorageTable {
        self.storage(0)
    }

    fn storage(&self, number: u32) -> StorageTable {
        let relid = plan::stage_relid(number);
        let (schema, name) = match (number, &self.ctes) {
            (0, _) => (self.schema.clone(), self.base.clone()),
            (_, None) => (self.schema.clone(), format!("{}_{number}", self.base)),
            (_, Some(_)) => (String::new(), format!("__pgt_{}_{number}", self.base)),
        };
        StorageTable { relid, schema, name }
    }

    /// The SELECT of a stage's rows, whose columns are written as `columns`. If the lower stages are CTEs, those of the
    /// final stage come with all of them.
    pub fn rows(&self, storage: &StorageTable, rows: String, columns: &str) -> String {
        // Text that only looks like a number's name costs no more than another way.
        if rows.contains(NUMBER) {
            self.reads_numbers.set(true);
        }
        // The planner without a database plans stored stages only.
        let Some(ctes) = self.ctes.as_ref().filter(|_| cfg!(feature = "changes")) else {
            return rows;
        };
        if storage.is_inner() {
            let cte = format!("{}{columns} AS ({rows})", quote_ident(&storage.name));
            ctes.borrow_mut().push((storage.relid, cte));
            return rows;
        }
        let stages = self.stages.borrow();
        let is_planned = |relid: Oid| stages.iter().any(|stage| stage.relid == relid);
        let ctes = ctes.borrow();
        let ctes = ctes.iter().filter(|(relid, _)| is_planned(*relid));
        let ctes: Vec<String> = ctes.map(|(_, cte)| cte.clone()).collect();
        format!("WITH {} SELECT * FROM ({rows}) AS q", ctes.join(", "))
    }

    /// True if it is the storage of a lower stage of which only what is read is computed, as a CTE.
    #[cfg(feature = "changes")]
    pub fn is_cte(&self, storage: &StorageTable) -> bool {
        self.ctes.is_some() && storage.is_inner()
    }

    /// True if the rows of the final stage can be computed at once, without what the lower stages store.
    pub fn has_skippable(&self) -> bool {
        self.len() > 0 && self.clock.borrow().is_none() && !self.reads_numbers.get()
    }

    /// Counts a step of the planner. Fails after too many, so that planning always ends.
    pub fn step(&self, query: &Query) -> Result<(), Fallback> {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > MAX_STEPS {
            return Err(Fallback::Reason(format!(
                "{} that takes too many steps to plan",
                top_clause(query)
            )));
        }
        Ok(())
    }

    /// The outcome of an attempt that began with `before` stages: nothing where it is not possible, and then none of the
    /// stages that it planned.
    pub fn attempted<T>(&self, before: usize, attempt: Result<T, Fallback>) -> Result<Option<T>, Fallback> {
        match attempt {
            Err(Fallback::Reason(_)) => {
                self.truncate(before);
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    /// Plans a query as a stage, and returns a query that reads it. Equal queries share a stage.
    pub fn cut(&self, query: &Query) -> Result<Query, Fallback> {
        if let Some(planned) = self.planned.borrow().iter().find(|planned| planned.query == *query) {
            return Ok(planned.view.clone());
        }
        let mut named = query.clone();
        for n in 0..named.targets.len() {
            let (before, rest) = named.targets.split_at_mut(n);
            let target = &mut rest[0];
            if target.junk {
                continue;
            }
            if is_pseudo(type_of(&target.expr, self)?, self)? {
                return reason("row of a subquery");
            }
            // A subquery may have two columns with the same name; a table may not.
            if before.iter().any(|other| other.name == target.name) {
                target.name = Some(format!("__pgt_c{n}"));
            }
        }
        self.next.set(self.next.get() + 1);
        let storage = self.storage(self.next.get());
        let depth = self.depth.get();
        if depth == MAX_DEPTH {
            // Ends all planning, since whatever else is tried would come back here.
            self.steps.set(MAX_STEPS);
        }
        self.depth.set(depth + 1);
        let planned = (self.plan_stage)(&named, &storage, self);
        self.depth.set(depth);
        let (stage, view) = planned?;
        self.stages.borrow_mut().push(stage);
        self.planned.borrow_mut().push(Planned {
            query: query.clone(),
            view: view.clone(),
        });
        Ok(view)
    }

    /// True if `view` is exactly the query that reads a planned stage, and that stage's own query passes the test.
    pub fn any_planned(&self, view: &Query, test: &dyn Fn(&Query) -> bool) -> bool {
        let planned = self.planned.borrow();
        planned
            .iter()
            .any(|planned| planned.view == *view && test(&planned.query))
    }

    /// The query of a planned stage, and its expression that is stored in the column of `var`, a variable of `reader`.
    pub fn stored_expr(&self, var: &Var, reader: &Query) -> Option<(Query, Expr)> {
        let relid = reader.table(var.varno)?;
        let planned = self.planned.borrow();
        let planned = planned.iter().find(|planned| planned.view.table(1) == Some(relid))?;
        let is_there = |target: &Target| matches!(&target.expr, Expr::Var(own) if own.attno == var.attno);
        let resno = planned.view.targets.iter().find(|target| is_there(target))?.resno;
        let target = planned.query.targets.iter().find(|target| target.resno == resno)?;
        Some((planned.query.clone(), target.expr.clone()))
    }

    /// Adds an index to the storage of a stage. Does nothing if `relid` is not one of our stages, or has that index
    /// already. `method` is empty, or `USING ...` with a trailing blank.
    pub fn add_index(&self, relid: Oid, method: &str, columns: &[String]) {
        for stage in self.stages.borrow_mut().iter_mut() {
            let leads_key = matches!(columns, [only] if stage.key.first().is_some_and(|key| quote_ident(key) == *only));
            if stage.relid == relid && !leads_key {
                let statement = format!("CREATE INDEX ON {} {method}({})", stage.storage, columns.join(", "));
                if !stage.ddl.contains(&statement) {
                    stage.ddl.push(statement);
                    stage.layout = stage.ddl.join(";");
                }
            }
        }
    }

    /// True if this is the storage of a stage, including one still being planned.
    pub fn is_stage(&self, relid: Oid) -> bool {
        self.relations.borrow().iter().any(|relation| relation.oid == relid)
    }

    /// True if a stage after the first `from` ones reads this table.
    pub fn is_read_since(&self, from: usize, relid: Oid) -> bool {
        let stages = self.stages.borrow();
        let mut sources = stages.iter().skip(from).flat_map(|stage| &stage.sources);
        sources.any(|source| source.relid == relid)
    }

    /// The number of stages.
    pub fn len(&self) -> usize {
        self.stages.borrow().len()
    }

    /// Drops the stages after the first `len`.
    pub fn truncate(&self, len: usize) {
        self.stages.borrow_mut().truncate(len);
        self.planned.borrow_mut().truncate(len);
    }

    /// The stages, bottom first, ending with the final one.
    pub fn finish(self, top: Stage) -> Result<Vec<Stage>, Error> {
        let clock = self.clock.borrow().clone();
        let mut stages = self.stages.take();
        stages.push(top);
        if let Some(clock) = clock {
            let crossings: Vec<Crossing> = stages.iter().flat_map(|stage| stage.crossings.clone()).collect();
            stages.insert(0, clock.stage(&crossings, &self)?);
        }
        Ok(stages)
    }

    /// The clock of the stream table, made at the first call. With an expression of the clock, also its number.
    pub fn clock(&self, expr: Option<&Expr>) -> Result<(Clock, usize), Error> {
        let mut slot = self.clock.borrow_mut();
        let clock = slot.get_or_insert_with(|| {
            self.next.set(self.next.get() + 1);
            Clock {
                storage: self.storage(self.next.get()),
                exprs: Vec::new(),
            }
        });
        let known = clock.exprs.iter().position(|known| Some(known) == expr);
        let n = known.unwrap_or(clock.exprs.len());
        if known.is_none() {
            clock.exprs.extend(expr.cloned());
        }
        Ok((clock.clone(), n))
    }

    /// Forgets the clock: nothing that was planned remains.
    pub fn forget_clock(&self) {
        self.clock.take();
    }

    /// Adds to the tables that a query reads the row of the clock, with these of its expressions, or else its moment.
    pub fn read_clock(&self, query: &mut Query, exprs: &[usize]) -> Result<(), Error> {
        let (clock, _) = self.clock(None)?;
        let columns = clock.columns(self)?;
        let table = self.register(&clock.storage, &columns, &[])?;
        let entry = varno(query.rtable.len())?;
        query.rtable.extend(table.rtable);
        let mut read: Vec<String> = exprs.iter().flat_map(|n| [bound(*n), bound_before(*n)]).collect();
        if read.is_empty() {
            read.extend(columns.iter().map(|column| column.name.clone()));
        }
        for target in table.targets {
            if let (Expr::Var(var), Some(name)) = (&target.expr, &target.name)
                && read.contains(name)
            {
                let expr = Expr::Var(Var {
                    varno: entry,
                    ..var.clone()
                });
                query.targets.push(Target { expr, ..target });
            }
        }
        Ok(())
    }

    /// Adds a storage table to the catalog, and returns a query over all its columns.
    pub fn register(&self, storage: &StorageTable, columns: &[StoredColumn], key: &[String]) -> Result<Query, Error> {
        let known: Vec<Column> = columns
            .iter()
            .enumerate()
            .map(|(n, column)| {
                Ok(Column {
                    attnum: attno(n)?,
                    name: column.name.clone(),
                    type_oid: column.type_oid,
                    typmod: column.typmod,
                    collation: column.collation,
                    not_null: column.not_null,
                    dropped: false,
                    generated: column.generated.as_ref().map(|_| 's'),
                })
            })
            .collect::<Result<_, Error>>()?;
        let numbered = columns.iter().any(|column| column.numbered);
        let mut keys = Vec::new();
        for (key, primary) in [(&[NUMBER.to_owned()][..], numbered), (key, !numbered)] {
            let column = |name: &String| known.iter().find(|column| column.name == *name && column.not_null);
            let columns: Option<Vec<i16>> = key.iter().map(|name| Some(column(name)?.attnum)).collect();
            if let Some(columns) = columns.filter(|columns| !columns.is_empty()) {
                keys.push(Key { columns, primary });
            }
        }
        let targets = known
            .iter()
            .map(|column| Target {
                expr: Expr::Var(Var {
                    varno: 1,
                    attno: column.attnum,
                    type_oid: column.type_oid,
                    typmod: column.typmod,
                    collation: column.collation,
                    levels_up: 0,
                }),
                name: Some(column.name.clone()),
                resno: column.attnum,
                ressortgroupref: 0,
                junk: false,
            })
            .collect();
        let names: Vec<String> = known.iter().map(|column| column.name.clone()).collect();
        let mut relations = self.relations.borrow_mut();
        relations.retain(|relation| relation.oid != storage.relid);
        relations.push(Relation {
            oid: storage.relid,
            schema: storage.schema.clone(),
            name: storage.name.clone(),
            kind: 'r',
            persistence: 'p',
            columns: known,
            keys,
            indexes: Vec::new(),
            has_children: false,
            is_partitioned: false,
            row_security: false,
            is_system: false,
            updates_itself: false,
        });
        let mut read = Query::over(Rte {
            inh: true,
            ..Rte::new(
                RteKind::Relation {
                    relid: storage.relid,
                    relkind: 'r',
                    tablesample: None,
                },
                &storage.name,
                names,
            )
        });
        read.targets = targets;
        Ok(read)
    }
}

impl Catalog for StageGraph<'_> {
    fn function(&self, oid: Oid) -> Result<Function, Error> {
        self.catalog.function(oid)
    }

    fn operator(&self, oid: Oid) -> Result<Operator, Error> {
        self.catalog.operator(oid)
    }

    fn type_(&self, oid: Oid) -> Result<Type, Error> {
        self.catalog.type_(oid)
    }

    fn type_sql(&self, oid: Oid, typmod: i32) -> Result<String, Error> {
        self.catalog.type_sql(oid, typmod)
    }

    fn is_compiled(&self, function: Oid) -> Result<bool, Error> {
        self.catalog.is_compiled(function)
    }

    fn collation(&self, oid: Oid) -> Result<(String, String), Error> {
        self.catalog.collation(oid)
    }

    fn relation(&self, oid: Oid) -> Result<Relation, Error> {
        let known = self
            .relations
            .borrow()
            .iter()
            .find(|relation| relation.oid == oid)
            .cloned();
        known.map_or_else(|| self.catalog.relation(oid), Ok)
    }

    #[cfg(feature = "changes")]
    fn row_count(&self, relid: Oid) -> Result<i64, Error> {
        self.catalog.row_count(relid)
    }

    fn delta(&self, relid: Oid) -> u32 {
        let mut deltas = self.deltas.borrow_mut();
        let place = deltas.iter().position(|known| *known == relid);
        let place = place.unwrap_or_else(|| {
            deltas.push(relid);
            deltas.len() - 1
        });
        u32::try_from(place + 1).unwrap_or(u32::MAX)
    }

    fn is_foreign_view(&self, oid: Oid) -> Result<bool, Error> {
        self.catalog.is_foreign_view(oid)
    }

    fn view_tree(&self, oid: Oid) -> Result<String, Error> {
        self.catalog.view_tree(oid)
    }

    fn const_text(&self, node: &str) -> Result<String, Error> {
        self.catalog.const_text(node)
    }

    fn default_equality(&self, type_oid: Oid) -> Result<Option<DefaultOperators>, Error> {
        self.catalog.default_equality(type_oid)
    }
}
