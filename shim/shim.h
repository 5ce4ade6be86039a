/*
 * shim.h: the whole interface between PostgreSQL and Rust; pg_trickle_pglite/src/ffi mirrors it.
 *
 * pgt_* is C called by Rust, pgt_rs_* is Rust called by C. No longjmp crosses a Rust frame: what can raise a
 * PostgreSQL error goes through pgt_call, which catches it. No panic crosses a C frame: Rust catches it. Both
 * then return 1 with a PgtError, which C raises when no Rust frame is left.
 */
#ifndef PG_TRICKLE_SHIM_H
#define PG_TRICKLE_SHIM_H

#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "utils/tuplestore.h"

/* An error on its way out. Rust may replace all but pg. Strings live in PostgreSQL's memory. */
typedef struct PgtError {
    ErrorData *pg; /* what PostgreSQL raised, NULL for an error of our own */
    char sqlstate[8];
    const char *message;
    const char *detail;
    const char *hint;
    const char *context;
    const char *query; /* the text that position points into */
    int32 position;    /* in characters from 1, 0 for none */
} PgtError;

typedef struct PgtSetting {
    const char *name;
    const char *value;
} PgtSetting;

/*
 * A text for PGT_QUERY (one statement with text parameters; its rows go to pgt_rs_value), PGT_CONST (the node text of a
 * Const; its output goes there), PGT_PARSE (the answer is statements, -1 if there is one and it is no plain query) or
 * PGT_NOTICE (a message, and a hint as argument).
 */
typedef struct PgtText {
    const char *text;
    const char *const *args;
    const PgtSetting *settings;
    int32 nargs;
    int32 nsettings;
    Oid role; /* run as, InvalidOid for the current user */
    int32 statements;
    void *rows;
    int32 keep;      /* keep the plan */
    SPIPlanPtr plan; /* the plan that was kept, NULL before */
} PgtText;

/* The rows that a statement added to or took from a table. */
typedef struct PgtDelta {
    const char *name;
    Oid relid;
    Tuplestorestate *rows;
    double estimate; /* of the number of rows, for the planner */
} PgtDelta;

/* One statement of a maintenance program. */
typedef struct PgtStep {
    int64 value[3]; /* out: the bigints of the row it returned */
    const char *sql;
    SPIPlanPtr plan; /* in and out: kept for the next time */
    int32 found;     /* out: it returned a row */
    int32 compare;   /* stop the program when value[0] and value[1] differ */
} PgtStep;

/* PGT_RUN: a maintenance program over some deltas. */
typedef struct PgtRun {
    const char *label;       /* the stream table, for error contexts */
    const char *search_path; /* what the functions of a query see */
    const PgtDelta *deltas;
    PgtStep *steps;
    const PgtSetting *settings; /* while parsing and planning */
    int32 ndeltas;
    int32 nsteps;
    int32 nsettings;
    int32 keep; /* keep the plans; otherwise plan for these deltas only */
    Oid role;
} PgtRun;

/* PGT_APPEND: appends a copy of rows of a table, to a new store if there is none. */
typedef struct PgtAppend {
    Oid relid;
    Tuplestorestate *from;
    Tuplestorestate *into;
} PgtAppend;

/* A call of the maintenance trigger. */
typedef struct PgtEvent {
    Tuplestorestate *added;
    Tuplestorestate *removed;
    int32 nadded;
    int32 nremoved;
    Oid relid;
    int32 operation; /* 0 INSERT, 1 DELETE, 2 UPDATE, 3 TRUNCATE */
    int32 before;
    int32 kind;    /* of the relation, as in pg_class */
    int32 virtual; /* a column is computed when it is read: it is not in the rows */
} PgtEvent;

/* PGT_COMPARE: do the two versions of every row have equal values in some columns? */
typedef struct PgtCompare {
    Oid relid;
    Tuplestorestate *added;
    Tuplestorestate *removed;
    const int16 *columns;
    int32 ncolumns;
    int32 same; /* out; at first, whether there are as many old as new */
} PgtCompare;

enum { PGT_QUERY, PGT_CONST, PGT_PARSE, PGT_NOTICE, PGT_RUN, PGT_APPEND, PGT_COMPARE };

extern int pgt_call(int what, void *argument, PgtError *error);
extern char *pgt_copy(const char *text, size_t length);

extern int pgt_rs_maintain(const PgtEvent *event, PgtError *error);
extern int pgt_rs_command(const char *const *args, int32 nargs, char **result, PgtError *error);
extern int pgt_rs_storage(Oid view, Oid *storage, PgtError *error);
extern int pgt_rs_ddl(const char *event, PgtError *error);
extern int pgt_rs_transaction(int32 event, PgtError *error);
extern void pgt_rs_subtransaction(SubXactEvent event, SubTransactionId self, SubTransactionId parent, void *unused);
extern void pgt_rs_relcache(Datum unused, Oid relid);
extern void pgt_rs_value(void *rows, int32 column, const char *text);

#endif
