//! The stages of one stream table while they are planned, and a catalog that knows their storage tables.

use std::cell::{Cell, RefCell};

use super::stored::{NUMBER, StorageTable, StoredColumn};
use crate::catalog::{Catalog, Column, DefaultOperators, Function, Key, Operator, Relation, Type};
use crate::error::Error;
use crate::facts::fallback::{Fallback, reason};
use crate::facts::shape::top_clause;
use crate::facts::types::{is_pseudo, type_of};
use crate::maintain::stage::Stage;
use crate::plan::{self, Oid};
use crate::query::{Expr, FromItem, Query, Rte, RteKind, Target, Var, attno};
use crate::sql::ident::quote_ident;

/// What a stage that was made offers to the next one.
#[derive(Clone)]
struct Made {
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
    made: RefCell<Vec<Made>>,
    plan_stage: PlanStage,
    steps: Cell<usize>,
}

/// Most steps in which a query is taken apart. A query of a few lines takes ten, one of hundreds of branches thousands.
const MAX_STEPS: usize = 5000;

/// Plans the stage of a query, and gives it with a query that reads its storage.
pub type PlanStage = fn(&Query, &StorageTable, &StageGraph) -> Result<(Stage, Query), Fallback>;

impl<'c> StageGraph<'c> {
    /// For a stream table whose final storage is `schema.base`.
    ///
    /// `plan_stage` is the planner, which stands above: what cuts a query in two needs both parts planned.
    pub fn new(schema: &str, base: &str, catalog: &'c dyn Catalog, plan_stage: PlanStage) -> Self {
        StageGraph {
            catalog,
            schema: schema.to_owned(),
            base: base.to_owned(),
            next: Cell::new(0),
            stages: RefCell::default(),
            relations: RefCell::default(),
            made: RefCell::default(),
            plan_stage,
            steps: Cell::new(0),
        }
    }

    /// The storage of the stage that comes out at the top.
    pub fn top(&self) -> StorageTable {
        self.storage(0)
    }

    fn storage(&self, number: u32) -> StorageTable {
        StorageTable {
            relid: plan::stage_relid(number),
            schema: self.schema.clone(),
            name: if number == 0 {
                self.base.clone()
            } else {
                format!("{}_{number}", self.base)
            },
        }
    }

    /// Counts a step of the planner. No query may make it run on.
    pub fn step(&self, query: &Query) -> Result<(), Fallback> {
        self.steps.set(self.steps.get() + 1);
        if self.is_exhausted() {
            return Err(Fallback::Reason(format!(
                "{} that takes too many steps to plan",
                top_clause(query)
            )));
        }
        Ok(())
    }

    /// All steps are used up: no other plan is tried for a part of the query.
    pub fn is_exhausted(&self) -> bool {
        self.steps.get() > MAX_STEPS
    }

    /// Makes a stage of a query, and gives a query that reads it.
    pub fn cut(&self, query: &Query) -> Result<Query, Fallback> {
        if let Some(made) = self.made.borrow().iter().find(|made| made.query == *query) {
            return Ok(made.view.clone());
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
            // Two columns of a subquery may have one name, those of a table not.
            if before.iter().any(|other| other.name == target.name) {
                target.name = Some(format!("__pgt_c{n}"));
            }
        }
        self.next.set(self.next.get() + 1);
        let storage = self.storage(self.next.get());
        let (stage, view) = (self.plan_stage)(&named, &storage, self)?;
        self.stages.borrow_mut().push(stage);
        self.made.borrow_mut().push(Made {
            query: query.clone(),
            view: view.clone(),
        });
        Ok(view)
    }

    /// Does the query read, as it is, what a stage offers that was made of such a query?
    pub fn any_made(&self, view: &Query, test: &dyn Fn(&Query) -> bool) -> bool {
        let made = self.made.borrow();
        made.iter().any(|made| made.view == *view && test(&made.query))
    }

    /// Adds an index to the storage of a stage, unless it is no stage of ours or has that index. `method` is empty or
    /// `USING ...` with a blank.
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

    /// Is this the storage of a stage, be it one that is still being made?
    pub fn is_stage(&self, relid: Oid) -> bool {
        self.relations.borrow().iter().any(|relation| relation.oid == relid)
    }

    /// Does a stage after the first `from` read this table?
    pub fn is_read_since(&self, from: usize, relid: Oid) -> bool {
        let stages = self.stages.borrow();
        let mut sources = stages.iter().skip(from).flat_map(|stage| &stage.sources);
        sources.any(|source| source.relid == relid)
    }

    /// How many stages there are.
    pub fn len(&self) -> usize {
        self.stages.borrow().len()
    }

    /// Forgets the stages after the first `len`.
    pub fn truncate(&self, len: usize) {
        self.stages.borrow_mut().truncate(len);
        self.made.borrow_mut().truncate(len);
    }

    /// The stages, bottom first, with the one at the top.
    pub fn finish(self, top: Stage) -> Vec<Stage> {
        let mut stages = self.stages.into_inner();
        stages.push(top);
        stages
    }

    /// Tells the catalog about a storage table, and gives a query over all its columns.
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
        let number = [NUMBER.to_owned()];
        let numbered = columns.iter().any(|column| column.numbered);
        let key = if numbered { &number[..] } else { key };
        let key: Option<Vec<&Column>> = key
            .iter()
            .map(|name| known.iter().find(|column| column.name == *name && column.not_null))
            .collect();
        let keys = key
            .filter(|key| !key.is_empty())
            .map(|key| Key {
                columns: key.iter().map(|column| column.attnum).collect(),
                primary: true,
            })
            .into_iter()
            .collect();
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
            indexed: Vec::new(),
            has_children: false,
            is_partitioned: false,
            row_security: false,
            is_system: false,
            updates_itself: false,
        });
        Ok(Query {
            rtable: vec![Rte {
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
            }],
            from: vec![FromItem::Rel(1)],
            targets,
            ..Query::default()
        })
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
