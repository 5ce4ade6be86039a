"""What an app could want to know of its stream tables."""

import psycopg
import pytest

SCHEMA = "CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL, amount numeric(10, 2) NOT NULL)"
TOTALS = "SELECT customer, count(*) AS orders, sum(amount) AS total FROM orders GROUP BY customer"


@pytest.fixture
def shop(database):
    database.execute(SCHEMA)
    database.execute("SELECT pgtrickle.create_stream_table('totals', %s)", (TOTALS,))
    return database


def total_of(shop, customer):
    return shop.execute("SELECT total FROM totals WHERE customer = %s", (customer,)).fetchone()


def test_totals_follow_orders(shop):
    with shop.cursor().copy("COPY orders FROM STDIN") as copy:
        for row in [(1, 7, "10.50"), (2, 7, "4.00"), (3, 8, "1.00")]:
            copy.write_row(row)
    assert str(total_of(shop, 7)[0]) == "14.50"
    shop.execute("UPDATE orders SET customer = 8 WHERE id = 2")
    assert str(total_of(shop, 7)[0]) == "10.50"
    assert shop.execute("SELECT ok FROM pgtrickle.verify_stream_table('totals')").fetchone() == (True,)


def test_a_transaction_that_fails_leaves_them_alone(shop):
    shop.execute("INSERT INTO orders VALUES (1, 7, 10)")
    with pytest.raises(psycopg.errors.CheckViolation), shop.transaction():
        shop.execute("INSERT INTO orders VALUES (2, 7, 20)")
        assert str(total_of(shop, 7)[0]) == "30.00"
        shop.execute("ALTER TABLE orders ADD CHECK (amount < 5)")
    assert str(total_of(shop, 7)[0]) == "10.00"


def test_each_test_has_a_database_of_its_own(database):
    assert database.execute("SELECT count(*) FROM pgtrickle.stream_tables").fetchone() == (0,)


def test_another_connection_hears_of_changes(shop, connect):
    listener = connect()
    listener.execute("LISTEN orders")
    with shop.transaction():
        shop.execute("INSERT INTO orders VALUES (1, 7, 10)")
        shop.execute("NOTIFY orders, '7'")
    heard = next(listener.notifies(timeout=10))
    assert heard.payload == "7"
    assert str(total_of(listener, 7)[0]) == "10.00"
