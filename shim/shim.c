/*
 * shim.c: what has to be C: entry points for fmgr, a fence around every PostgreSQL call that Rust makes, and the
 * copying of rows between them. It takes no decisions; those are in pg_trickle_pglite. See shim.h.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parser.h"
#include "tcop/utility.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "shim.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(pgtrickle_maintain);
PG_FUNCTION_INFO_V1(pgtrickle_command);
PG_FUNCTION_INFO_V1(pgtrickle_ddl);
PG_FUNCTION_INFO_V1(pgtrickle_row_image);
PG_FUNCTION_INFO_V1(pgtrickle_row_hash);
PG_FUNCTION_INFO_V1(pgtrickle_exact);

/* ---- statements ---- */

static void become(Oid role, Oid *before, int *security) {
    GetUserIdAndSecContext(before, security);
    if (OidIsValid(role) && role != *before)
        SetUserIdAndSecContext(role, *security | SECURITY_LOCAL_USERID_CHANGE);
}

static int apply_settings(const PgtSetting *settings, int32 count) {
    int nest = NewGUCNestLevel();

    for (int i = 0; i < count; i++)
        (void)set_config_option(settings[i].name, settings[i].value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true,
                                0, false);
    return nest;
}

static void check_spi(int code) {
    if (code < 0)
        elog(ERROR, "SPI: %s", SPI_result_code_string(code));
}

static SPIPlanPtr prepare(const char *text, int nargs, Oid *types, bool keep) {
    SPIPlanPtr plan = SPI_prepare(text, nargs, types);

    check_spi(plan && keep ? SPI_keepplan(plan) : SPI_result);
    return plan;
}

static void query_body(void *argument) {
    PgtText *query = argument;
    Oid role;
    int security;
    int nest = apply_settings(query->settings, query->nsettings);
    Oid *types = palloc0(sizeof(Oid) * (query->nargs + 1));
    Datum *values = palloc0(sizeof(Datum) * (query->nargs + 1));
    char *nulls = palloc0(query->nargs + 1);

    for (int i = 0; i < query->nargs; i++) {
        types[i] = TEXTOID;
        nulls[i] = query->args[i] ? ' ' : 'n';
        values[i] = query->args[i] ? PointerGetDatum(cstring_to_text(query->args[i])) : (Datum)0;
    }
    become(query->role, &role, &security);
    check_spi(SPI_connect());
    if (query->plan == NULL)
        query->plan = prepare(query->text, query->nargs, types, query->keep);
    check_spi(SPI_execute_plan(query->plan, values, nulls, false, 0));
    for (uint64 row = 0; SPI_tuptable != NULL && row < SPI_processed; row++)
        for (int i = 1; i <= SPI_tuptable->tupdesc->natts; i++)
            pgt_rs_value(query->rows, i, SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, i));
    SPI_finish();
    SetUserIdAndSecContext(role, security);
    AtEOXact_GUC(true, nest);
}

/* Will the plan be executed as it is? The same test as in GetCachedPlan. */
static bool plan_is_current(SPIPlanPtr plan) {
    CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan));

    return source->is_valid && source->gplan != NULL && source->gplan->is_valid &&
           SearchPathMatchesCurrentEnvironment(source->search_path);
}

/*
 * Settings hold while a statement is parsed and planned, and no longer: its functions and casts must see those of
 * the session.
 */
static void plan_step(const PgtRun *run, PgtStep *step) {
    int nest = apply_settings(run->settings, run->nsettings);
    CachedPlan *plan;

    if (step->plan == NULL)
        step->plan = prepare(step->sql, 0, NULL, run->keep);
    plan = SPI_plan_get_cached_plan(step->plan);
    if (plan != NULL)
        ReleaseCachedPlan(plan, run->keep ? CurrentResourceOwner : NULL);
    AtEOXact_GUC(true, nest);
}

static void run_step(const PgtRun *run, PgtStep *step) {
    if (step->plan == NULL || !plan_is_current(step->plan))
        plan_step(run, step);
    check_spi(SPI_execute_plan(step->plan, NULL, NULL, false, 0));
    step->found = SPI_tuptable != NULL && SPI_processed > 0;
    for (int i = 0; step->found && i < 3 && i < SPI_tuptable->tupdesc->natts; i++) {
        bool isnull;
        Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &isnull);

        step->value[i] = isnull ? 0 : DatumGetInt64(value);
    }
}

static void run_context(void *label) {
    errcontext("Stream table: %s", (const char *)label);
}

static void run_body(void *argument) {
    PgtRun *run = argument;
    Oid role;
    int security;
    int nest = 0;
    PgtSetting path = {"search_path", run->search_path};
    ErrorContextCallback callback = {error_context_stack, run_context, unconstify(char *, run->label)};

    error_context_stack = &callback;
    become(run->role, &role, &security);
    if (strcmp(GetConfigOption(path.name, false, false), path.value) != 0)
        nest = apply_settings(&path, 1);
    check_spi(SPI_connect());
    for (int i = 0; i < run->ndeltas; i++) {
        EphemeralNamedRelation relation = palloc0(sizeof(EphemeralNamedRelationData));

        relation->md.name = unconstify(char *, run->deltas[i].name);
        relation->md.reliddesc = run->deltas[i].relid;
        relation->md.enrtype = ENR_NAMED_TUPLESTORE;
        relation->md.enrtuples = run->deltas[i].estimate;
        relation->reldata = run->deltas[i].rows;
        check_spi(SPI_register_relation(relation));
    }
    for (int i = 0; i < run->nsteps; i++) {
        run_step(run, &run->steps[i]);
        if (run->steps[i].compare && run->steps[i].value[0] != run->steps[i].value[1])
            break;
    }
    SPI_finish();
    if (nest)
        AtEOXact_GUC(true, nest);
    SetUserIdAndSecContext(role, security);
    error_context_stack = callback.previous;
}

/* The copy outlives the statement, and belongs to the transaction: subtransactions come and go. */
static void append_body(void *argument) {
    PgtAppend *append = argument;
    TupleDesc desc = lookup_rowtype_tupdesc(get_rel_type_id(append->relid), -1);
    TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
    MemoryContext context = MemoryContextSwitchTo(TopTransactionContext);
    ResourceOwner owner = CurrentResourceOwner;

    CurrentResourceOwner = TopTransactionResourceOwner;
    if (append->into == NULL)
        append->into = tuplestore_begin_heap(false, false, work_mem);
    CurrentResourceOwner = owner;
    MemoryContextSwitchTo(context);
    tuplestore_rescan(append->from);
    while (tuplestore_gettupleslot(append->from, true, false, slot))
        tuplestore_puttupleslot(append->into, slot);
    tuplestore_rescan(append->from);
    ExecDropSingleTupleTableSlot(slot);
    ReleaseTupleDesc(desc);
}

/*
 * An UPDATE puts the two versions of a row at the same place of both stores. Where it does not, finding them different
 * is only a change too many; and where all are equal the stores hold the same rows, whatever the order.
 */
static void compare_body(void *argument) {
    PgtCompare *compare = argument;
    TupleDesc desc = lookup_rowtype_tupdesc(get_rel_type_id(compare->relid), -1);
    TupleTableSlot *added = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
    TupleTableSlot *removed = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);

    tuplestore_rescan(compare->added);
    tuplestore_rescan(compare->removed);
    while (compare->same && tuplestore_gettupleslot(compare->added, true, false, added) &&
           tuplestore_gettupleslot(compare->removed, true, false, removed)) {
        for (int i = 0; compare->same && i < compare->ncolumns; i++) {
            Form_pg_attribute column = TupleDescAttr(desc, compare->columns[i] - 1);
            bool is_null, was_null;
            Datum is = slot_getattr(added, compare->columns[i], &is_null);
            Datum was = slot_getattr(removed, compare->columns[i], &was_null);

            compare->same = is_null == was_null &&
                            (is_null || datumIsEqual(is, was, column->attbyval, column->attlen));
        }
    }
    ExecDropSingleTupleTableSlot(added);
    ExecDropSingleTupleTableSlot(removed);
    ReleaseTupleDesc(desc);
}

/* ---- texts ---- */

static void parse_body(void *argument) {
    PgtText *call = argument;
    List *statements = raw_parser(call->text, RAW_PARSE_DEFAULT);

    call->statements = list_length(statements);
    if (call->statements == 1) {
        SelectStmt *select = (SelectStmt *)linitial_node(RawStmt, statements)->stmt;

        if (!IsA(select, SelectStmt) || select->intoClause != NULL)
            call->statements = -1;
    }
}

static void const_body(void *argument) {
    PgtText *call = argument;
    Const *node = castNode(Const, stringToNode(call->text));
    int nest = apply_settings(call->settings, call->nsettings);
    Oid output;
    bool varlena;

    getTypeOutputInfo(node->consttype, &output, &varlena);
    pgt_rs_value(call->rows, 1, OidOutputFunctionCall(output, node->constvalue));
    AtEOXact_GUC(true, nest);
}

static void notice_body(void *argument) {
    PgtText *call = argument;

    ereport(NOTICE, (errmsg_internal("%s", call->text), call->nargs ? errhint("%s", call->args[0]) : 0));
}

/* ---- the fence ---- */

static void (*const bodies[])(void *) = {query_body, const_body,  parse_body,  notice_body,
                                         run_body,   append_body, compare_body};

/* Keeps the error being handled. A second one, for want of memory, must not escape either. */
static void catch_error(PgtError *error) {
    ErrorData *volatile pg = NULL;

    PG_TRY();
    {
        pg = CopyErrorData();
    }
    PG_CATCH();
    {
        pg = NULL;
    }
    PG_END_TRY();
    FlushErrorState();
    memset(error, 0, sizeof(*error));
    strcpy(error->sqlstate, pg ? unpack_sql_state(pg->sqlerrcode) : "53200");
    error->pg = pg;
    if (pg == NULL)
        return;
    error->message = pg->message;
    error->detail = pg->detail;
    error->hint = pg->hint;
    error->context = pg->context;
    error->query = pg->internalquery;
    error->position = pg->cursorpos > 0 ? pg->cursorpos : pg->internalpos;
}

/*
 * An error ends here, and is raised again when Rust has returned: the abort of the (sub)transaction then undoes
 * what was left half done. Only what the way there relies on is restored.
 */
int pgt_call(int what, void *argument, PgtError *error) {
    MemoryContext context = CurrentMemoryContext;
    ResourceOwner owner = CurrentResourceOwner;
    Oid role;
    int security;
    volatile int failed = 0;

    GetUserIdAndSecContext(&role, &security);
    PG_TRY();
    {
        bodies[what](argument);
    }
    PG_CATCH();
    {
        failed = 1;
    }
    PG_END_TRY();
    if (failed) {
        MemoryContextSwitchTo(context);
        CurrentResourceOwner = owner;
        SetUserIdAndSecContext(role, security);
        catch_error(error);
    }
    return failed;
}

static void throw_error(PgtError *error) {
    ErrorData *pg = error->pg;
    const char *state = error->sqlstate;

    if (pg != NULL) {
        pg->message = unconstify(char *, error->message);
        pg->detail = unconstify(char *, error->detail);
        pg->hint = unconstify(char *, error->hint);
        pg->context = unconstify(char *, error->context);
        pg->internalquery = unconstify(char *, error->query);
        pg->internalpos = error->query ? error->position : 0;
        pg->cursorpos = error->query ? 0 : error->position;
        ReThrowError(pg);
    }
    ereport(ERROR, (errcode(MAKE_SQLSTATE(state[0], state[1], state[2], state[3], state[4])),
                    errmsg_internal("%s", error->message ? error->message : "out of memory"),
                    error->detail ? errdetail_internal("%s", error->detail) : 0,
                    error->hint ? errhint("%s", error->hint) : 0,
                    error->context ? errcontext("%s", error->context) : 0,
                    error->query ? internalerrquery(error->query) : 0,
                    error->query ? internalerrposition(error->position) : 0));
}

/* ---- a helper that raises nothing ---- */

char *pgt_copy(const char *text, size_t length) {
    char *copy = MemoryContextAllocExtended(CurrentMemoryContext, length + 1, MCXT_ALLOC_NO_OOM);

    if (copy != NULL) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

/* ---- entry points ---- */

Datum pgtrickle_maintain(PG_FUNCTION_ARGS) {
    TriggerData *data = (TriggerData *)fcinfo->context;
    PgtEvent event = {0};
    PgtError error = {0};

    if (!CALLED_AS_TRIGGER(fcinfo) ||
        (TRIGGER_FIRED_FOR_ROW(data->tg_event) && !TRIGGER_FIRED_INSTEAD(data->tg_event)))
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("pgtrickle.maintain() is for the triggers of stream tables only")));
    event.relid = RelationGetRelid(data->tg_relation);
    event.kind = data->tg_relation->rd_rel->relkind;
    event.before = TRIGGER_FIRED_BEFORE(data->tg_event);
    event.operation = data->tg_event & TRIGGER_EVENT_OPMASK;
    event.added = data->tg_newtable;
    event.removed = data->tg_oldtable;
    event.nadded = event.added ? tuplestore_tuple_count(event.added) : 0;
    event.nremoved = event.removed ? tuplestore_tuple_count(event.removed) : 0;
#if PG_VERSION_NUM >= 180000
    event.virtual = data->tg_relation->rd_att->constr && data->tg_relation->rd_att->constr->has_generated_virtual;
#endif
    if (pgt_rs_maintain(&event, &error) != 0)
        throw_error(&error);
    return PointerGetDatum(NULL);
}

Datum pgtrickle_command(PG_FUNCTION_ARGS) {
    PgtError error = {0};
    char *result = NULL;
    Datum *values;
    bool *nulls;
    int count;
    const char **args;

    deconstruct_array_builtin(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, &values, &nulls, &count);
    args = palloc0(sizeof(char *) * (count + 1));
    for (int i = 0; i < count; i++)
        args[i] = nulls[i] ? NULL : text_to_cstring(DatumGetTextPP(values[i]));
    if (pgt_rs_command(args, count, &result, &error) != 0)
        throw_error(&error);
    if (result == NULL)
        PG_RETURN_NULL();
    PG_RETURN_TEXT_P(cstring_to_text(result));
}

Datum pgtrickle_ddl(PG_FUNCTION_ARGS) {
    PgtError error = {0};

    if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
        elog(ERROR, "pgtrickle.ddl() is an event trigger function");
    if (pgt_rs_ddl(((EventTriggerData *)fcinfo->context)->event, &error) != 0)
        throw_error(&error);
    PG_RETURN_NULL();
}

/* Is, or has as elements, a row: its bytes hold more than its value. */
static bool has_rows(Oid type) {
    Oid element = get_element_type(getBaseType(type));

    return type_is_rowtype(OidIsValid(element) ? getBaseType(element) : type);
}

/* Two rows of one type have the same image exactly when their values have the same bytes, toasted or not; rows in
 * rows when they have the same text. */
Datum pgtrickle_row_image(PG_FUNCTION_ARGS) {
    HeapTupleHeader row = (HeapTupleHeader)PG_DETOAST_DATUM(PG_GETARG_DATUM(0));
    TupleDesc desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row));
    HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(row), .t_data = row};
    Datum *values = palloc(sizeof(Datum) * (desc->natts + 1));
    bool *nulls = palloc(sizeof(bool) * (desc->natts + 1));
    StringInfoData image;

    heap_deform_tuple(&tuple, desc, values, nulls);
    initStringInfo(&image);
    appendStringInfoSpaces(&image, VARHDRSZ);
    for (int i = 0; i < desc->natts; i++) {
        Form_pg_attribute column = TupleDescAttr(desc, i);
        void *bytes = column->attbyval ? (void *)&values[i] : DatumGetPointer(values[i]);
        int32 length = nulls[i] ? -1 : column->attlen;

        if (column->attisdropped)
            continue;
        if (!nulls[i] && column->attlen == -1 && column->attalign == TYPALIGN_DOUBLE && has_rows(column->atttypid)) {
            Oid output;
            bool varlena;

            getTypeOutputInfo(column->atttypid, &output, &varlena);
            bytes = OidOutputFunctionCall(output, values[i]);
            length = strlen(bytes);
        } else if (!nulls[i] && column->attlen == -1) {
            bytes = pg_detoast_datum_packed(bytes);
            length = VARSIZE_ANY_EXHDR(bytes);
            bytes = VARDATA_ANY(bytes);
        } else if (!nulls[i] && column->attlen == -2)
            length = strlen(bytes);
        appendBinaryStringInfo(&image, &length, sizeof(length));
        if (length > 0)
            appendBinaryStringInfo(&image, bytes, length);
    }
    ReleaseTupleDesc(desc);
    SET_VARSIZE(image.data, image.len);
    PG_RETURN_BYTEA_P(image.data);
}

Datum pgtrickle_row_hash(PG_FUNCTION_ARGS) {
    bytea *image = DatumGetByteaPP(DirectFunctionCall1(pgtrickle_row_image, PG_GETARG_DATUM(0)));

    PG_RETURN_INT64(hash_bytes_extended((unsigned char *)VARDATA(image), VARSIZE(image) - VARHDRSZ, 0));
}

/*
 * A float8 as numeric, with all its digits: as many decimals as its last bit has. Of numbers below 1e-90 those after the
 * 350th are missing, which no float8 that a sum is rounded to can tell. NaN and the infinities are numbers that leave the
 * first 350 decimals alone and count apart, so that they can be taken away again; pgtrickle.float_sum tells them.
 */
Datum pgtrickle_exact(PG_FUNCTION_ARGS) {
    double x = PG_GETARG_FLOAT8(0);
    const char *text = isnan(x) ? "1e-460" : x > 0 ? "1e-400" : "1e-430";
    int exponent = 0;

    frexp(x, &exponent);
    if (isfinite(x))
        text = psprintf("%.*f", Max(53 - exponent, 0), x);
    return DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

/* ---- hooks ---- */

static ProcessUtility_hook_type next_utility;

/* CREATE INDEX on a stream table's view makes the index on its storage. */
static void utility(PlannedStmt *statement, const char *text, bool keep, ProcessUtilityContext context,
                    ParamListInfo params, QueryEnvironment *environment, DestReceiver *dest, QueryCompletion *done) {
    PgtError error = {0};
    Oid storage = InvalidOid;

    if (IsA(statement->utilityStmt, IndexStmt)) {
        Oid table = RangeVarGetRelid(((IndexStmt *)statement->utilityStmt)->relation, NoLock, true);

        if (OidIsValid(table) && get_rel_relkind(table) == RELKIND_VIEW && pgt_rs_storage(table, &storage, &error) != 0)
            throw_error(&error);
    }
    if (OidIsValid(storage)) {
        statement = copyObject(statement);
        ((IndexStmt *)statement->utilityStmt)->relation =
            makeRangeVar(get_namespace_name(get_rel_namespace(storage)), get_rel_name(storage), -1);
    }
    (next_utility ? next_utility : standard_ProcessUtility)(statement, text, keep, context, params, environment, dest,
                                                             done);
}

static void transaction_callback(XactEvent event, void *arg) {
    PgtError error = {0};

    if (pgt_rs_transaction(event, &error) != 0)
        throw_error(&error);
}

void _PG_init(void) {
    RegisterXactCallback(transaction_callback, NULL);
    RegisterSubXactCallback(pgt_rs_subtransaction, NULL);
    CacheRegisterRelcacheCallback(pgt_rs_relcache, (Datum)0);
    next_utility = ProcessUtility_hook;
    ProcessUtility_hook = utility;
}
