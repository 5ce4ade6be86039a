// What pgx and database/sql do with `pgtrickle serve`. The address is in the variables of libpq: PGHOST, PGPORT, ...
package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib"
)

var failed = false

func step(name string, check func() error) {
	if err := check(); err != nil {
		failed = true
		fmt.Printf("failed %s: %s\n", name, strings.ReplaceAll(err.Error(), "\n", " "))
		return
	}
	fmt.Printf("ok %s\n", name)
}

func must(err error) {
	if err != nil {
		fmt.Println("failed connect:", err)
		os.Exit(1)
	}
}

func equal(found, expected any) error {
	if !reflect.DeepEqual(found, expected) {
		return fmt.Errorf("%v, not %v", found, expected)
	}
	return nil
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/jackc/pgx/v5" {
			return strings.TrimPrefix(module.Version, "v")
		}
	}
	return "?"
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	connection, err := pgx.Connect(ctx, "")
	must(err)
	listener, err := pgx.Connect(ctx, "")
	must(err)
	fmt.Printf("driver pgx %s\nsettings none\n", version())

	count := func(customer int) (n int, err error) {
		err = connection.QueryRow(ctx, "SELECT n FROM totals WHERE customer = $1", customer).Scan(&n)
		return
	}
	has := func(customer, expected int) error {
		n, err := count(customer)
		if err != nil {
			return err
		}
		return equal(n, expected)
	}
	exec := func(statements ...string) error {
		for _, statement := range statements {
			if _, err := connection.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	}

	step("create", func() error {
		if err := exec("CREATE TABLE orders (id int PRIMARY KEY, customer int, amount numeric)"); err != nil {
			return err
		}
		query := "SELECT customer, count(*) AS n, sum(amount) AS total FROM orders GROUP BY customer"
		_, err := connection.Exec(ctx, "SELECT pgtrickle.create_stream_table('totals', $1)", query)
		return err
	})
	step("change", func() error {
		if err := exec("INSERT INTO orders VALUES (1, 7, 10.50), (2, 7, 4), (3, 8, 1)", "UPDATE orders SET customer = 8 WHERE id = 2"); err != nil {
			return err
		}
		var total string
		if err := connection.QueryRow(ctx, "SELECT total::text FROM totals WHERE customer = 7").Scan(&total); err != nil {
			return err
		}
		var ok bool
		if err := connection.QueryRow(ctx, "SELECT ok FROM pgtrickle.verify_stream_table('totals')").Scan(&ok); err != nil {
			return err
		}
		return equal([]any{total, ok}, []any{"10.50", true})
	})
	step("error with hint", func() error {
		err := exec("SELECT pgtrickle.create_stream_table('bad', 'SELECT random() FROM orders')")
		var failure *pgconn.PgError
		if !errors.As(err, &failure) || failure.Code != "0A000" || failure.Hint == "" {
			return fmt.Errorf("unexpected: %v", err)
		}
		return nil
	})
	step("parameters", func() error {
		var n int
		var text string
		var document map[string]int
		row := connection.QueryRow(ctx, "SELECT $1::int + 1, $2::text, $3::jsonb", 41, `ü'\`, map[string]int{"a": 1})
		if err := row.Scan(&n, &text, &document); err != nil {
			return err
		}
		return equal([]any{n, text, document}, []any{42, `ü'\`, map[string]int{"a": 1}})
	})
	step("prepared", func() error {
		if _, err := connection.Prepare(ctx, "of", "SELECT n FROM totals WHERE customer = $1"); err != nil {
			return err
		}
		if _, err := listener.Prepare(ctx, "of", "SELECT total::text FROM totals WHERE customer = $1"); err != nil {
			return err
		}
		for customer, expected := range map[int]int{7: 1, 8: 2} {
			var n int
			if err := connection.QueryRow(ctx, "of", customer).Scan(&n); err != nil {
				return err
			}
			var total string
			if err := listener.QueryRow(ctx, "of", customer).Scan(&total); err != nil {
				return err
			}
			if err := equal(n, expected); err != nil {
				return err
			}
		}
		return connection.Deallocate(ctx, "of")
	})
	step("batch", func() error {
		batch := &pgx.Batch{}
		for n := 10; n < 20; n++ {
			batch.Queue("INSERT INTO orders VALUES ($1, 9, 1)", n)
		}
		if err := connection.SendBatch(ctx, batch).Close(); err != nil {
			return err
		}
		return has(9, 10)
	})
	step("transaction", func() error {
		tx, err := connection.Begin(ctx)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM orders"); err != nil {
			return err
		}
		if err := tx.Rollback(ctx); err != nil {
			return err
		}
		return has(9, 10)
	})
	step("savepoint", func() error {
		tx, err := connection.Begin(ctx)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "INSERT INTO orders VALUES (30, 30, 1)"); err != nil {
			return err
		}
		nested, err := tx.Begin(ctx)
		if err != nil {
			return err
		}
		if _, err := nested.Exec(ctx, "SELECT 1 / 0"); err == nil {
			return errors.New("no error")
		}
		if err := nested.Rollback(ctx); err != nil {
			return err
		}
		if err := tx.Commit(ctx); err != nil {
			return err
		}
		return has(30, 1)
	})
	step("cursor", func() error {
		if err := exec("BEGIN", "DECLARE c CURSOR FOR SELECT id FROM orders ORDER BY id"); err != nil {
			return err
		}
		rows, err := connection.Query(ctx, "FETCH 3 FROM c")
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int])
		if err != nil {
			return err
		}
		if err := exec("COMMIT"); err != nil {
			return err
		}
		return equal(ids, []int{1, 2, 3})
	})
	step("COPY in", func() error {
		rows := [][]any{}
		for n := 100; n < 1100; n++ {
			rows = append(rows, []any{n, 100})
		}
		if _, err := connection.CopyFrom(ctx, pgx.Identifier{"orders"}, []string{"id", "customer"}, pgx.CopyFromRows(rows)); err != nil {
			return err
		}
		return has(100, 1000)
	})
	step("COPY out", func() error {
		var copied bytes.Buffer
		if _, err := connection.PgConn().CopyTo(ctx, &copied, "COPY (SELECT * FROM totals WHERE customer = 7) TO STDOUT"); err != nil {
			return err
		}
		return equal(copied.String(), "7\t1\t10.50\n")
	})
	step("LISTEN", func() error {
		if _, err := listener.Exec(ctx, "LISTEN news"); err != nil {
			return err
		}
		if err := exec("NOTIFY news, 'from another connection'"); err != nil {
			return err
		}
		heard, err := listener.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		return equal(heard.Payload, "from another connection")
	})
	step("feed", func() error {
		if _, err := listener.Exec(ctx, "LISTEN pgtrickle"); err != nil {
			return err
		}
		var begin int64
		if err := connection.QueryRow(ctx, "SELECT pgtrickle.keep_changes('totals')").Scan(&begin); err != nil {
			return err
		}
		if err := exec("INSERT INTO orders VALUES (50, 50, 2.50)"); err != nil {
			return err
		}
		heard, err := listener.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		if err := equal(heard.Payload, fmt.Sprintf(`{"public.totals":%d}`, begin+1)); err != nil {
			return err
		}
		var seq int64
		var op, total string
		sql := "SELECT seq, op, c.row ->> 'total' FROM pgtrickle.changes('totals', after => $1) c"
		if err := connection.QueryRow(ctx, sql, begin).Scan(&seq, &op, &total); err != nil {
			return err
		}
		return equal([]any{seq, op, total}, []any{begin + 1, "insert", "2.50"})
	})
	step("database/sql", func() error {
		db, err := sql.Open("pgx", "")
		if err != nil {
			return err
		}
		defer db.Close()
		done := make(chan error)
		for worker := 0; worker < 8; worker++ {
			go func() {
				var sum int
				for n := 0; n < 20; n++ {
					if err := db.QueryRow("SELECT $1::int + n FROM totals WHERE customer = $2", worker, 7).Scan(&sum); err != nil {
						done <- err
						return
					}
				}
				done <- equal(sum, worker+1)
			}()
		}
		for worker := 0; worker < 8; worker++ {
			if err := <-done; err != nil {
				return err
			}
		}
		return nil
	})
	connection.Close(ctx)
	listener.Close(ctx)
	if failed {
		os.Exit(1)
	}
}
