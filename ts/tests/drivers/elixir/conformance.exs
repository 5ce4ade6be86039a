# What p1_pgsql does with `pgtrickle serve`, from Elixir. It has no COPY and no notifications. The address is in the variables of libpq: PGHOST and PGPORT.
defmodule Conformance do
  def connect do
    {:ok, connection} =
      :pgsql.connect(
        host: String.to_charlist(System.fetch_env!("PGHOST")),
        port: String.to_integer(System.fetch_env!("PGPORT")),
        database: ~c"postgres",
        user: ~c"postgres",
        password: ~c"",
        as_binary: true
      )

    connection
  end

  def step(name, check) do
    check.()
    IO.puts("ok #{name}")
  rescue
    error ->
      IO.puts("failed #{name}: #{String.replace(Exception.message(error), "\n", " ")}")
      Process.put(:failed, true)
  end

  def equal(found, found), do: :ok
  def equal(found, expected), do: raise("#{inspect(found)}, not #{inspect(expected)}")

  # The rows of the last statement of a text.
  def rows(connection, sql) do
    {:ok, results} = :pgsql.squery(connection, sql)

    case List.last(results) do
      {_tag, _columns, rows} -> rows
      {:error, fields} -> raise "#{fields[:code]} #{fields[:message]}"
      _tag -> []
    end
  end

  def values(connection, sql, parameters) do
    {:ok, _tag, _status, _columns, [row]} = :pgsql.pquery(connection, sql, parameters)
    Enum.map(row, fn {_type, value} -> value end)
  end

  def run do
    {connection, listener} = {connect(), connect()}
    {:ok, _} = Application.ensure_all_started(:p1_pgsql)
    IO.puts("driver Elixir, p1_pgsql #{Application.spec(:p1_pgsql, :vsn)}\nsettings none")

    step("create", fn ->
      rows(connection, "CREATE TABLE orders (id int PRIMARY KEY, customer int, amount numeric)")
      query = "SELECT customer, count(*) AS n, sum(amount) AS total FROM orders GROUP BY customer"
      rows(connection, "SELECT pgtrickle.create_stream_table('totals', '#{query}')")
    end)

    step("change", fn ->
      rows(connection, "INSERT INTO orders VALUES (1, 7, 10.50), (2, 7, 4), (3, 8, 1)")
      rows(connection, "UPDATE orders SET customer = 8 WHERE id = 2")
      equal(rows(connection, "SELECT customer, total FROM totals ORDER BY customer"), [["7", "10.50"], ["8", "5"]])
      equal(rows(connection, "SELECT ok FROM pgtrickle.verify_stream_table('totals')"), [["t"]])
    end)

    step("error with hint", fn ->
      sql = "SELECT pgtrickle.create_stream_table('bad', 'SELECT random() FROM orders')"
      {:ok, [error: fields]} = :pgsql.squery(connection, sql)
      equal({fields[:code], fields[:hint] != nil}, {"0A000", true})
    end)

    step("parameters", fn ->
      equal(values(connection, "SELECT $1::int + 1, $2::text", [41, "ü'\\"]), ["42", "ü'\\"])
    end)

    step("prepared", fn ->
      {:ok, _, _, _} = :pgsql.prepare(connection, ~c"of", "SELECT n FROM totals WHERE customer = $1")
      {:ok, _, _, _} = :pgsql.prepare(listener, ~c"of", "SELECT total::text FROM totals WHERE customer = $1")

      for {customer, n} <- [{7, "1"}, {8, "2"}, {7, "1"}] do
        {:ok, {_, [[{_, found}]]}} = :pgsql.execute(connection, ~c"of", [customer])
        {:ok, {_, [[_]]}} = :pgsql.execute(listener, ~c"of", [customer])
        equal(found, n)
      end
    end)

    step("batch", fn ->
      insert = Enum.map_join(10..19, ";", &"INSERT INTO orders VALUES (#{&1}, 9, 1)")
      rows(connection, insert)
      equal(rows(connection, "SELECT n FROM totals WHERE customer = 9"), [["10"]])
    end)

    step("transaction", fn ->
      equal(rows(connection, "BEGIN; DELETE FROM orders; SELECT count(*) FROM totals"), [["0"]])
      equal(rows(connection, "ROLLBACK; SELECT count(*) FROM totals"), [["3"]])
    end)

    step("savepoint", fn ->
      rows(connection, "BEGIN; INSERT INTO orders VALUES (30, 30, 1); SAVEPOINT s")
      # After an error, this driver rolls the whole transaction back.
      rows(connection, "DELETE FROM orders; ROLLBACK TO s; COMMIT")
      equal(rows(connection, "SELECT n FROM totals WHERE customer = 30"), [["1"]])
    end)

    step("cursor", fn ->
      rows(connection, "BEGIN; DECLARE c CURSOR FOR SELECT id FROM orders ORDER BY id")
      equal(rows(connection, "FETCH 3 FROM c"), [["1"], ["2"], ["3"]])
      rows(connection, "COMMIT")
    end)

    step("feed", fn ->
      [[begin]] = rows(connection, "SELECT pgtrickle.keep_changes('totals')")
      rows(connection, "INSERT INTO orders VALUES (50, 50, 2.50)")
      sql = "SELECT seq - $1::int8, op, c.row ->> 'total' FROM pgtrickle.changes('totals', after => $1::int8) c"
      equal(values(listener, sql, [String.to_integer(begin)]), ["1", "insert", "2.50"])
    end)

    System.halt(if Process.get(:failed), do: 1, else: 0)
  end
end

Conformance.run()
