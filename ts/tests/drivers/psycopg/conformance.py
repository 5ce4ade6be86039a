"""What psycopg does with `pgtrickle serve`. The address is in the variables of libpq: PGHOST, PGPORT, ..."""
import json
import sys
import psycopg

connection = psycopg.connect(autocommit=True)
listener = psycopg.connect(autocommit=True)
print(f"driver psycopg {psycopg.__version__}")
print("settings none")
failed = False


def step(name):
    def run(check):
        global failed
        try:
            check()
            print(f"ok {name}", flush=True)
        except Exception as error:
            failed = True
            print(f"failed {name}: {type(error).__name__} {error}", flush=True)

    return run


def rows(sql, *parameters):
    return connection.execute(sql, parameters or None).fetchall()


@step("create")
def _():
    connection.execute("CREATE TABLE orders (id int PRIMARY KEY, customer int, amount numeric)")
    query = "SELECT customer, count(*) AS n, sum(amount) AS total FROM orders GROUP BY customer"
    connection.execute("SELECT pgtrickle.create_stream_table('totals', %s)", (query,))


@step("change")
def _():
    connection.execute("INSERT INTO orders VALUES (1, 7, 10.50), (2, 7, 4), (3, 8, 1)")
    connection.execute("UPDATE orders SET customer = 8 WHERE id = 2")
    assert str(rows("SELECT customer, total FROM totals ORDER BY customer")) == "[(7, Decimal('10.50')), (8, Decimal('5'))]"
    assert rows("SELECT ok FROM pgtrickle.verify_stream_table('totals')") == [(True,)]


@step("error with hint")
def _():
    try:
        connection.execute("SELECT pgtrickle.create_stream_table('bad', 'SELECT random() FROM orders')")
    except psycopg.Error as error:
        assert error.sqlstate == "0A000" and error.diag.message_hint, error
    else:
        raise AssertionError("no error")


@step("parameters")
def _():
    assert rows("SELECT %s::int + 1, %s::text, %s::jsonb", 41, "ü'\\", '{"a": 1}') == [(42, "ü'\\", {"a": 1})]


@step("prepared")
def _():
    for customer in (7, 8, 7):
        found = connection.execute("SELECT n FROM totals WHERE customer = %s", (customer,), prepare=True).fetchone()
        listener.execute("SELECT n + 0 FROM totals WHERE customer = %s", (customer,), prepare=True)
        assert found == ({7: 1, 8: 2}[customer],), found


@step("batch")
def _():
    with connection.pipeline():
        cursors = [connection.execute("SELECT %s::int", (n,)) for n in range(50)]
    assert [cursor.fetchone()[0] for cursor in cursors] == list(range(50))
    connection.cursor().executemany("INSERT INTO orders VALUES (%s, 9, 1)", [(n,) for n in range(10, 20)])
    assert rows("SELECT n FROM totals WHERE customer = 9") == [(10,)]


@step("transaction")
def _():
    try:
        with connection.transaction():
            connection.execute("DELETE FROM orders")
            assert rows("SELECT count(*) FROM totals") == [(0,)]
            raise psycopg.Rollback()
    except psycopg.Rollback:
        pass
    assert rows("SELECT count(*) FROM totals") == [(3,)]


@step("savepoint")
def _():
    with connection.transaction():
        connection.execute("INSERT INTO orders VALUES (30, 30, 1)")
        try:
            with connection.transaction():
                connection.execute("SELECT 1 / 0")
        except psycopg.errors.DivisionByZero:
            pass
    assert rows("SELECT n FROM totals WHERE customer = 30") == [(1,)]


@step("cursor")
def _():
    with connection.transaction(), connection.cursor("c") as cursor:
        cursor.itersize = 3
        cursor.execute("SELECT id FROM orders ORDER BY id")
        assert len(cursor.fetchmany(3)) == 3 and len(list(cursor)) == 11


@step("COPY in")
def _():
    with connection.cursor().copy("COPY orders FROM STDIN") as copy:
        for n in range(100, 1100):
            copy.write_row((n, 100, 1))
    with connection.cursor().copy("COPY orders (id, customer) FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(["int4", "int4"])
        copy.write_row((2000, 100))
    assert rows("SELECT n FROM totals WHERE customer = 100") == [(1001,)]


@step("COPY out")
def _():
    with connection.cursor().copy("COPY (SELECT * FROM totals WHERE customer = 7) TO STDOUT") as copy:
        assert [bytes(row) for row in copy] == [b"7\t1\t10.50\n"]


@step("LISTEN")
def _():
    listener.execute("LISTEN news")
    connection.execute("NOTIFY news, 'from another connection'")
    heard = next(listener.notifies(timeout=10))
    assert heard.payload == "from another connection"


@step("feed")
def _():
    listener.execute("LISTEN pgtrickle")
    (begin,) = connection.execute("SELECT pgtrickle.keep_changes('totals')").fetchone()
    connection.execute("INSERT INTO orders VALUES (50, 50, 2.50)")
    heard = next(listener.notifies(timeout=10))
    assert json.loads(heard.payload) == {"public.totals": begin + 1}, heard.payload
    sql = "SELECT seq, op, c.row FROM pgtrickle.changes('totals', after => %s) c"
    assert rows(sql, begin) == [(begin + 1, "insert", {"customer": 50, "n": 1, "total": 2.5})]


connection.close()
listener.close()
sys.exit(failed)
