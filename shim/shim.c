/* shim.c: what has to be C: entry points for fmgr, a fence around every PostgreSQL call of Rust's, rows between them. It
 * decides nothing, and calls what every PGlite exports: a macro of one release's headers can be a function in the next. */
#include "shim.h"
#include "catalog/namespace.h"
#include "commands/event_trigger.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

PG_MODULE_MAGIC;
StaticAssertDecl(sizeof(Datum) == sizeof(size_t), "what Rust takes a Datum for");

PG_FUNCTION_INFO_V1(pgtrickle_fired); PG_FUNCTION_INFO_V1(pgtrickle_command); PG_FUNCTION_INFO_V1(pgtrickle_exact);
PG_FUNCTION_INFO_V1(pgtrickle_row_image); PG_FUNCTION_INFO_V1(pgtrickle_row_hash);

static void report(int level, const PgtError *error) {
    ereport(level, (errcode(error->sqlstate), errmsg_internal("%s", error->message ? error->message : "out of memory"),
                    error->detail ? errdetail_internal("%s", error->detail) : 0,
                    error->hint ? errhint("%s", error->hint) : 0, error->context ? errcontext("%s", error->context) : 0));
}

static void throw_error(const PgtError *error) {
    ErrorData *pg = error->pg;
    if (pg == NULL)
        report(ERROR, error);
    pg->message = error->message;
    pg->detail = error->detail;
    pg->hint = error->hint;
    pg->context = error->context;
    pg->internalquery = error->query;
    pg->internalpos = error->position;
    pg->cursorpos = 0;
    ReThrowError(pg);
}

/* Raises what Rust reports, here where none of its frames is left. */
#define CALL_RUST(function, ...) \
    do { \
        PgtError error_ = {0}; \
        if (function(__VA_ARGS__, &error_) != 0) \
            throw_error(&error_); \
    } while (0)

/* Keeps the error being handled. A second one, for want of memory, must not escape either. */
static void catch_error(PgtError *error) {
    ErrorData *volatile pg = NULL;
    PG_TRY();
        pg = CopyErrorData();
    PG_CATCH();
    PG_END_TRY();
    FlushErrorState();
    if (pg == NULL)
        *error = (PgtError){.sqlstate = ERRCODE_OUT_OF_MEMORY};
    else
        *error = (PgtError){.pg = pg, .sqlstate = pg->sqlerrcode, .message = pg->message, .detail = pg->detail,
                            .hint = pg->hint, .context = pg->context, .query = pg->internalquery,
                            .position = pg->cursorpos > 0 ? pg->cursorpos : pg->internalpos};
}

static int apply_settings(const PgtSetting *settings, int32 count) {
    int nest = NewGUCNestLevel();
    for (int i = 0; i < count; i++)
        if (strcmp(GetConfigOption(settings[i][0], false, false), settings[i][1]) != 0)
            (void)set_config_option(settings[i][0], settings[i][1], PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true,
                                    0, false);
    return nest;
}

static void check_spi(int code) {
    if (code < 0)
        elog(ERROR, "SPI: %s", SPI_result_code_string(code));
}

static CachedPlanSource *source_of(SPIPlanPtr plan) { return linitial(SPI_plan_get_plan_sources(plan)); }
static PlannedStmt *planned_of(SPIPlanPtr plan) { return linitial(source_of(plan)->gplan->stmt_list); }

/* Will the plan be executed as it is? The same test as in GetCachedPlan. */
static bool is_current(SPIPlanPtr plan) {
    const CachedPlanSource *source = source_of(plan);
    return source->is_valid && source->gplan != NULL && source->gplan->is_valid &&
           SearchPathMatchesCurrentEnvironment(source->search_path);
}

/* Keeps of a plan what running it takes: the planned statement, without column names that the catalog has, and what makes it
 * out of date. Not the trees that it comes from, twice as large: we make it anew from the text. PostgreSQL's try to fails. */
static SPIPlanPtr slim(SPIPlanPtr full, const char *text) {
    const CachedPlanSource *from = source_of(full);
    const CachedPlan *planned = from->gplan;
    if (planned == NULL || from->dependsOnRLS || planned->dependsOnRole || TransactionIdIsValid(planned->saved_xmin))
        return full;
    foreach_node(RangeTblEntry, entry, planned_of(full)->rtable)
        if (entry->rtekind == RTE_RELATION && (entry->alias == NULL || entry->alias->colnames == NIL))
            entry->eref->colnames = NIL;
    SPIPlanPtr plan = SPI_prepare("SELECT LIMIT -1", 0, NULL);
    check_spi(plan ? 0 : SPI_result);
    CachedPlanSource *to = source_of(plan);
    MemoryContext caller = MemoryContextSwitchTo(to->query_context);
    to->relationOids = list_copy(from->relationOids);
    to->invalItems = copyObject(from->invalItems);
    to->search_path = GetSearchPathMatcher(to->query_context);
    MemoryContext context = GenerationContextCreate(caller, "pg_trickle plan", 0, 1024, 2048);
    MemoryContextSwitchTo(context);
    CachedPlan *copy = memcpy(palloc(sizeof(CachedPlan)), planned, sizeof(CachedPlan));
    copy->context = context;
    copy->stmt_list = copyObject(planned->stmt_list);
    MemoryContextSwitchTo(caller);
    check_spi(SPI_keepplan(plan));
    MemoryContextSetParent(context, CacheMemoryContext);
    to->gplan = copy;
    to->query_string = text;
    to->commandTag = from->commandTag;
    SPI_freeplan(full);
    return plan;
}

/* The first setting, a search_path, ends with parsing, the others with planning: functions and casts must see those of the
 * session. A plan that is out of date is made from the text, which PostgreSQL would parse under the path of functions. */
static void make_plan(const PgtRun *run, PgtText *statement, Oid *types) {
    SPIPlanPtr plan = statement->plan;
    if (plan == NULL || run->nsettings > 0) {
        SPI_freeplan(plan);
        statement->plan = NULL;
        statement->size = 1;
        int nest = apply_settings(run->settings, run->nsettings);
        plan = SPI_prepare(statement->text, run->nargs, types);
        check_spi(plan ? 0 : SPI_result);
        AtEOXact_GUC(true, nest);
        source_of(plan)->search_path = GetSearchPathMatcher(source_of(plan)->query_context);
        check_spi(run->keep ? SPI_keepplan(plan) : 0);
        statement->plan = plan;
    }
    int nest = apply_settings(run->settings + 1, run->nsettings - 1);
    CachedPlan *cached = SPI_plan_get_cached_plan(plan);
    cached != NULL ? ReleaseCachedPlan(cached, run->keep ? CurrentResourceOwner : NULL) : (void)0;
    AtEOXact_GUC(true, nest);
    if (run->keep && run->nsettings > 0)
        statement->plan = plan = slim(plan, statement->text);
    const CachedPlanSource *source = source_of(plan);
    statement->size = MemoryContextMemAllocated(source->context, true) +
                      (source->gplan ? MemoryContextMemAllocated(source->gplan->context, true) : 0);
}

static void take_rows(PgtText *statement) {
    HeapTuple *rows = SPI_tuptable->vals;
    TupleDesc desc = SPI_tuptable->tupdesc;
    if (statement->compare)
        statement->differs = strcmp(SPI_getvalue(rows[0], desc, 1), SPI_getvalue(rows[0], desc, 2));
    for (uint64 row = 0; statement->rows != NULL && row < SPI_processed; row++)
        for (int i = 1; i <= desc->natts; i++)
            CALL_RUST(pgt_rs_value, statement->rows, i, SPI_getvalue(rows[row], desc, i));
}

static void run_body(void *argument) {
    PgtRun *run = argument;
    Oid types[PGT_MAX_ARGS];
    Datum values[PGT_MAX_ARGS];
    char nulls[PGT_MAX_ARGS];
    for (int i = 0; i < run->nargs; i++) {
        types[i] = TEXTOID;
        nulls[i] = run->args[i] ? ' ' : 'n';
        values[i] = run->args[i] ? PointerGetDatum(cstring_to_text(run->args[i])) : (Datum)0;
    }
    check_spi(SPI_connect());
    run->commits ? PushActiveSnapshot(GetTransactionSnapshot()) : (void)0;
    for (const PgtDelta *delta = run->deltas; delta < run->deltas + run->ndeltas; delta++) {
        EphemeralNamedRelation relation = palloc(sizeof(EphemeralNamedRelationData));
        *relation = (EphemeralNamedRelationData){
            {delta->name, delta->relid, NULL, ENR_NAMED_TUPLESTORE, delta->estimate},
            delta->rows ? delta->rows : tuplestore_begin_heap(false, false, 64)};
        check_spi(SPI_register_relation(relation));
    }
    for (PgtText *statement = run->statements; statement < run->statements + run->nstatements; statement++) {
        if (statement->plan == NULL || !is_current(statement->plan))
            make_plan(run, statement, types);
        statement->cost = run->estimate ? planned_of(statement->plan)->planTree->total_cost : 0;
        check_spi(run->estimate ? 0 : SPI_execute_plan(statement->plan, values, nulls, false, 0));
        if (SPI_tuptable != NULL)
            take_rows(statement);
        if (statement->differs)
            break;
    }
    run->commits ? PopActiveSnapshot() : (void)0;
    SPI_finish();
}

/* The copy outlives the statement and belongs to the transaction: subtransactions come and go. Rows stay as they are. */
static void append_body(void *argument) {
    Tuplestorestate **stores = argument;
    TupleTableSlot *slot = MakeSingleTupleTableSlot(CreateTemplateTupleDesc(0), &TTSOpsMinimalTuple);
    MemoryContextSwitchTo(TopTransactionContext);
    CurrentResourceOwner = TopTransactionResourceOwner;
    stores[1] = stores[1] != NULL ? stores[1] : tuplestore_begin_heap(false, false, work_mem);
    tuplestore_rescan(stores[0]);
    while (tuplestore_gettupleslot(stores[0], true, false, slot))
        tuplestore_puttupleslot(stores[1], slot);
    tuplestore_rescan(stores[0]);
    ExecDropSingleTupleTableSlot(slot);
}

/* An UPDATE puts the two versions of a row at the same place of both stores. Where it does not, finding them different
 * is only a change too many; and where all are equal the stores hold the same rows, whatever the order. */
static void compare_body(void *argument) {
    PgtCompare *compare = argument;
    const PgtEvent *event = compare->event;
    TupleTableSlot *added = MakeSingleTupleTableSlot(event->columns, &TTSOpsMinimalTuple);
    TupleTableSlot *removed = MakeSingleTupleTableSlot(event->columns, &TTSOpsMinimalTuple);
    tuplestore_rescan(event->added);
    tuplestore_rescan(event->removed);
    while (compare->same && tuplestore_gettupleslot(event->added, true, false, added) &&
           tuplestore_gettupleslot(event->removed, true, false, removed))
        for (int i = 0; compare->same && i < compare->ncolumns; i++) {
            Form_pg_attribute column = TupleDescAttr(event->columns, compare->columns[i] - 1);
            bool is_null, was_null;
            Datum is = slot_getattr(added, compare->columns[i], &is_null);
            Datum was = slot_getattr(removed, compare->columns[i], &was_null);
            compare->same = is_null == was_null && (is_null || datumIsEqual(is, was, column->attbyval, column->attlen));
        }
    ExecDropSingleTupleTableSlot(added);
    ExecDropSingleTupleTableSlot(removed);
}

static char *output(Oid type, Datum value) {
    Oid function;
    bool is_varlena;
    getTypeOutputInfo(type, &function, &is_varlena);
    return OidOutputFunctionCall(function, value);
}

static void parse_body(void *argument) {
    PgtText *text = argument;
    CALL_RUST(pgt_rs_value, text->rows, 1, nodeToString(raw_parser(text->text, RAW_PARSE_DEFAULT)));
}

static void const_body(void *argument) {
    PgtText *text = argument;
    Const *node = castNode(Const, stringToNode(text->text));
    CALL_RUST(pgt_rs_value, text->rows, 1, output(node->consttype, node->constvalue));
}

static void notice_body(void *argument) { report(NOTICE, argument); }
static void function_body(void *function) { ((void (*)(void))function)(); }

static void nested_body(void *work) {
    MemoryContext context = CurrentMemoryContext;
    BeginInternalSubTransaction(NULL);
    MemoryContextSwitchTo(context);
    PG_TRY();
        CALL_RUST(pgt_rs_nested, work);
        ReleaseCurrentSubTransaction();
    PG_CATCH();
        RollbackAndReleaseCurrentSubTransaction();
        PG_RE_THROW();
    PG_END_TRY();
}

static void (*const bodies[])(void *) = {run_body,    parse_body,   const_body, notice_body,
                                         append_body, compare_body, run_body,   nested_body, function_body};

/* An error ends here, and is raised again when Rust has returned: the abort of the (sub)transaction then undoes what
 * was left half done. Only what the way there relies on is restored. Settings that code changed in here are undone. */
int pgt_call(int what, void *argument, Oid role, const PgtSetting *settings, int nsettings, PgtError *error) {
    MemoryContext context = CurrentMemoryContext;
    ResourceOwner owner = CurrentResourceOwner;
    Oid caller;
    int security, nest = NewGUCNestLevel();
    volatile int failed = 0;
    GetUserIdAndSecContext(&caller, &security);
    PG_TRY();
        (void)apply_settings(settings, nsettings);
        if (OidIsValid(role))
            SetUserIdAndSecContext(role, security | (what == PGT_MAINTAIN ? SECURITY_RESTRICTED_OPERATION
                                                                          : SECURITY_LOCAL_USERID_CHANGE));
        bodies[what](argument);
    PG_CATCH();
        failed = 1;
    PG_END_TRY();
    AtEOXact_GUC(false, nest);
    SetUserIdAndSecContext(caller, security);
    MemoryContextSwitchTo(context);
    CurrentResourceOwner = owner;
    if (failed)
        catch_error(error);
    return failed;
}

/* What contexts have of the heap, without what the largest one can give to others at once. */
size_t pgt_context_memory(void) {
    MemoryContextCounters cache = {0};
    CacheMemoryContext->methods->stats(CacheMemoryContext, NULL, NULL, &cache, false);
    return MemoryContextMemAllocated(TopMemoryContext, true) - cache.freespace;
}

Datum pgtrickle_fired(PG_FUNCTION_ARGS) {
    TriggerData *data = (TriggerData *)fcinfo->context;
    PgtEvent event = {0};
    if (CALLED_AS_TRIGGER(fcinfo))
        event = (PgtEvent){.added = data->tg_newtable, .removed = data->tg_oldtable, .fired = data->tg_event,
                           .columns = RelationGetDescr(data->tg_relation), .trigger = data->tg_trigger->tgname,
                           .relid = RelationGetRelid(data->tg_relation),
                           .relkind = data->tg_relation->rd_rel->relkind};
    else if (CALLED_AS_EVENT_TRIGGER(fcinfo))
        event.ddl = ((EventTriggerData *)fcinfo->context)->event;
    CALL_RUST(pgt_rs_fired, &event);
    return PointerGetDatum(NULL);
}

Datum pgtrickle_command(PG_FUNCTION_ARGS) {
    const char *args[PGT_MAX_ARGS], *result = NULL;
    for (int i = 0; i < PG_NARGS(); i++)
        args[i] = PG_ARGISNULL(i) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(i));
    CALL_RUST(pgt_rs_command, args, PG_NARGS(), &result);
    PG_RETURN_TEXT_P(cstring_to_text(result));
}

/* Is, or has as elements, a row: its bytes hold more than its value. */
static bool has_rows(Oid type) {
    Oid element = get_element_type(getBaseType(type));
    return type_is_rowtype(OidIsValid(element) ? getBaseType(element) : type);
}

/* Rows of one type have one image when their values have the same bytes, toasted or not, and rows in them the same text. */
Datum pgtrickle_row_image(PG_FUNCTION_ARGS) {
    HeapTupleHeader row = (HeapTupleHeader)pg_detoast_datum((struct varlena *)PG_GETARG_POINTER(0));
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
        int32 length = nulls[i] ? -1 : column->attlen;
        char *bytes = DatumGetPointer(values[i]), buffer[sizeof(Datum)];
        if (column->attisdropped)
            continue;
        if (!nulls[i] && length == -1) {
            if (column->attalign == TYPALIGN_DOUBLE && has_rows(column->atttypid))
                bytes = (char *)cstring_to_text(output(column->atttypid, values[i]));
            bytes = (char *)pg_detoast_datum_packed((struct varlena *)bytes);
            length = VARSIZE_ANY_EXHDR(bytes);
            bytes = VARDATA_ANY(bytes);
        } else if (!nulls[i] && column->attbyval) {
            store_att_byval(buffer, values[i], length);
            bytes = buffer;
        }
        appendBinaryStringInfo(&image, &length, sizeof(length));
        if (length > 0)
            appendBinaryStringInfo(&image, bytes, length);
    }
    ReleaseTupleDesc(desc);
    SET_VARSIZE(image.data, image.len);
    PG_RETURN_BYTEA_P(image.data);
}

Datum pgtrickle_row_hash(PG_FUNCTION_ARGS) {
    char *image = DatumGetPointer(DirectFunctionCall1(pgtrickle_row_image, PG_GETARG_DATUM(0)));
    PG_RETURN_INT64(hash_bytes_extended((unsigned char *)VARDATA(image), VARSIZE(image) - VARHDRSZ, 0));
}

Datum pgtrickle_exact(PG_FUNCTION_ARGS) {
    const char *text = NULL;
    CALL_RUST(pgt_rs_exact, PG_GETARG_FLOAT8(0), &text);
    return DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

static ProcessUtility_hook_type next_utility;

/* Rust names the table for CREATE INDEX, may refuse CREATE TRIGGER, and follows what fires none of its event triggers. */
static void utility(PlannedStmt *statement, const char *text, bool keep, ProcessUtilityContext context,
                    ParamListInfo params, QueryEnvironment *environment, DestReceiver *dest, QueryCompletion *done) {
    Node *node = statement->utilityStmt;
    const CreateTrigStmt *trigger = (CreateTrigStmt *)node;
    const char *storage = NULL;
    if (IsA(node, IndexStmt))
        CALL_RUST(pgt_rs_index, RangeVarGetRelid(((IndexStmt *)node)->relation, NoLock, true), &storage);
    else if (IsA(node, CreateTrigStmt))
        CALL_RUST(pgt_rs_trigger, RangeVarGetRelid(trigger->relation, NoLock, true), trigger->timing,
                  trigger->row || trigger->transitionRels != NIL);
    if (storage != NULL) {
        statement = copyObject(statement);
        ((IndexStmt *)statement->utilityStmt)->relation = makeRangeVar("pgtrickle", pstrdup(storage), -1);
    }
    next_utility(statement, text, keep, context, params, environment, dest, done);
    if (IsA(node, AlterRoleStmt) || IsA(node, GrantRoleStmt) || IsA(node, CreateRoleStmt) || IsA(node, DropRoleStmt) ||
        IsA(node, ReassignOwnedStmt))
        CALL_RUST(pgt_rs_fired, &(PgtEvent){.ddl = "roles"});
    if (IsA(node, DropOwnedStmt) || (IsA(node, DropStmt) && ((DropStmt *)node)->removeType == OBJECT_EXTENSION))
        CALL_RUST(pgt_rs_fired, &(PgtEvent){.ddl = "extension"});
}

static void transaction_callback(XactEvent event, void *arg) { CALL_RUST(pgt_rs_transaction, event); }

double pgt_memory_limit, pgt_plan_memory;

void _PG_init(void) {
    DefineCustomRealVariable("pgtrickle.memory_limit", "Memory that may be used; 0 for all that there can be.", NULL,
                             &pgt_memory_limit, 0, 0, 1LL << 32, PGC_SUSET, GUC_UNIT_BYTE, NULL, NULL, NULL);
    DefineCustomRealVariable("pgtrickle.plan_memory", "Memory for kept plans; 0 for a share of the limit.", NULL,
                             &pgt_plan_memory, 0, 0, 1LL << 32, PGC_SUSET, GUC_UNIT_BYTE, NULL, NULL, NULL);
    RegisterXactCallback(transaction_callback, NULL);
    RegisterSubXactCallback(pgt_rs_subtransaction, NULL);
    CacheRegisterRelcacheCallback(pgt_rs_relcache, (Datum)0);
    CacheRegisterSyscacheCallback(AUTHOID, pgt_rs_roles, (Datum)0);
    CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, pgt_rs_roles, (Datum)0);
    next_utility = ProcessUtility_hook ? ProcessUtility_hook : standard_ProcessUtility;
    ProcessUtility_hook = utility;
}
