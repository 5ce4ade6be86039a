/* shim.h: the interface between PostgreSQL and Rust; pg_trickle_pglite/src/edge mirrors it. pgt_* is C called by Rust,
 * pgt_rs_* is Rust called by C. No longjmp crosses a Rust frame, since pgt_call catches errors, and no panic a C frame,
 * since Rust catches it. Both then return 1 with a PgtError, which C raises when no Rust frame is left. */
#pragma once
#include "postgres.h"
#include "executor/spi.h"

/* An error on its way out. Rust may replace all but pg; its strings live until it reports the next error. */
typedef struct PgtError {
    ErrorData *pg;  /* what PostgreSQL raised, NULL for an error of our own */
    int32 sqlstate; /* packed, as in errcodes.h */
    int32 position; /* in query, in characters from 1; 0 for none */
    char *message, *detail, *hint, *context, *query; /* query is the text that position points into */
} PgtError;
typedef const char *const PgtSetting[2]; /* name and value */

/* A statement to run, the text of statements to parse, or the node text of a Const to write. */
typedef struct PgtText {
    const char *text;
    void *rows;      /* where pgt_rs_value puts the answer; NULL when nobody wants it */
    SPIPlanPtr plan; /* in and out: kept for the next time */
    int32 compare;   /* stop when the first two values of the answer, both bigint, differ */
    int32 differs;   /* out: the sign of strcmp */
    size_t size;     /* out: what the plan takes, in bytes; not 0 where there is none since it could not be made */
    double cost;     /* out: what the planner thinks that it costs */
} PgtText;

/* The rows that a statement added to or took from a table. */
typedef struct PgtDelta {
    char *name;
    Tuplestorestate *rows; /* NULL for none */
    double estimate; /* of the number of rows, for the planner */
    Oid relid;
} PgtDelta;

#define PGT_MAX_ARGS 12
/* Statements that run one after the other, with the same text parameters and over the same deltas. */
typedef struct PgtRun {
    PgtText *statements;
    const char *const *args; /* at most PGT_MAX_ARGS */
    const PgtDelta *deltas;
    const PgtSetting *settings; /* while planning, after a search_path while parsing; none are those of the call */
    int32 nstatements, nargs, ndeltas, nsettings;
    int32 keep, commits; /* keep the plans, otherwise plan for these deltas only; the transaction commits: no statement runs */
    int32 estimate; /* make plans for their costs, and run nothing */
} PgtRun;

/* A call of a trigger, or of an event trigger; all zero when something else called. */
typedef struct PgtEvent {
    Tuplestorestate *added, *removed;
    TupleDesc columns;
    const char *trigger; /* its name */
    const char *ddl;     /* the event, for an event trigger */
    Oid relid;
    int32 relkind, fired; /* fired: as in TriggerData */
} PgtEvent;

/* Do the two versions of every row have equal values in these columns? */
typedef struct PgtCompare {
    const PgtEvent *event;
    const int16 *columns;
    int32 ncolumns, same; /* same: true before, in and out */
} PgtCompare;

/* PGT_RUN takes a PgtRun, and so does MAINTAIN, a security-restricted operation for code that the role chose; PARSE and
 * CONST a PgtText, NOTICE a PgtError, COMPARE a PgtCompare. APPEND takes two stores and appends a copy of the rows of the
 * first to the second, or to a new one. NESTED runs what Rust gives in a subtransaction; FUNCTION calls one of PostgreSQL's. */
enum { PGT_RUN, PGT_PARSE, PGT_CONST, PGT_NOTICE, PGT_APPEND, PGT_COMPARE, PGT_MAINTAIN, PGT_NESTED, PGT_FUNCTION };

/* Calls it as a role, InvalidOid for the current user, under some settings. */
extern int pgt_call(int what, void *argument, Oid role, const PgtSetting *settings, int nsettings, PgtError *error);

extern double pgt_memory_limit, pgt_plan_memory; /* settings, in bytes; 0 if they are not given */
extern size_t pgt_context_memory(void);
extern int pgt_rs_fired(const PgtEvent *event, PgtError *error), pgt_rs_transaction(int event, PgtError *error);
extern int pgt_rs_command(const char *const *args, int nargs, const char **result, PgtError *error);
extern int pgt_rs_index(Oid table, const char **storage, PgtError *error), pgt_rs_nested(void *work, PgtError *error);
extern int pgt_rs_trigger(Oid table, int timing, int rows, PgtError *error);
extern int pgt_rs_exact(double number, const char **text, PgtError *error);
extern int pgt_rs_value(void *rows, int column, const char *text, PgtError *error);
extern void pgt_rs_subtransaction(SubXactEvent event, SubTransactionId self, SubTransactionId parent, void *unused);
extern void pgt_rs_relcache(Datum unused, Oid relid), pgt_rs_roles(Datum unused, int cache, uint32 hash);
