defmodule PgTrickle.FeedTest do
  use ExUnit.Case
  alias PgTrickle.{Feed, Server}

  @schema """
  CREATE TABLE IF NOT EXISTS orders (id int PRIMARY KEY, customer int NOT NULL, amount numeric(10, 2) NOT NULL);
  SELECT pgtrickle.create_stream_table_if_not_exists('totals',
    'SELECT customer, count(*) AS orders, sum(amount) AS total FROM orders GROUP BY customer');
  """

  @seven ~s({"customer": 7})
  @eight ~s({"customer": 8})

  setup do
    folder =
      Path.join(
        System.tmp_dir!(),
        "pgtrickle-elixir-#{System.pid()}-#{System.unique_integer([:positive])}"
      )

    on_exit(fn -> File.rm_rf!(folder) end)

    start_supervised!({PgTrickle.Supervisor, db: folder, schema: @schema, stream_table: "totals", every: 20})

    Feed.subscribe()
    assert_receive {:snapshot, rows} when rows == %{}, 5_000
    %{folder: folder}
  end

  defp run(sql) do
    connection = Server.connect()
    answer = Server.query(connection, sql)
    Process.unlink(connection)
    :pgsql.terminate(connection)
    answer
  end

  defp total_of(customer), do: run("SELECT total FROM totals WHERE customer = #{customer}")

  test "subscribers are told each change once, in the order of commits" do
    run("INSERT INTO orders VALUES (1, 7, 10.50)")

    run("BEGIN; INSERT INTO orders VALUES (2, 7, 4), (3, 8, 1); DELETE FROM orders WHERE id = 3; COMMIT")

    run("BEGIN; DELETE FROM orders; ROLLBACK")
    run("UPDATE orders SET customer = 8")
    assert_receive {:insert, @seven, %{"orders" => "1", "total" => "10.50"}}, 5_000
    assert_receive {:update, @seven, %{"orders" => "2", "total" => "14.50"}}, 5_000
    assert_receive {:delete, @seven, %{"total" => "14.50"}}, 5_000
    assert_receive {:insert, @eight, %{"orders" => "2", "total" => "14.50"}}, 5_000
    refute_receive _, 200
    assert Feed.rows() == %{@eight => %{"customer" => "8", "orders" => "2", "total" => "14.50"}}
  end

  test "more changes than one page" do
    run("INSERT INTO orders SELECT n, n, 1 FROM generate_series(1, 1200) n")
    for _ <- 1..1200, do: assert_receive({:insert, _, _}, 5_000)
    assert map_size(Feed.rows()) == 1200
  end

  test "a number that is no longer kept leads to a snapshot" do
    feed = Process.whereis(Feed)
    run("SELECT pgtrickle.keep_changes('totals', retain => 1)")
    run("INSERT INTO orders SELECT n, n, 1 FROM generate_series(1, 20) n")
    assert_receive {:snapshot, rows} when map_size(rows) == 20, 5_000
    run("INSERT INTO orders VALUES (30, 30, 1)")
    assert_receive {:insert, _, %{"customer" => "30"}}, 5_000
    assert Process.whereis(Feed) == feed
  end

  test "after the server was killed, all goes on with what was committed", %{folder: folder} do
    run("INSERT INTO orders VALUES (1, 7, 10.50)")
    assert_receive {:insert, @seven, _}, 5_000
    first = Process.whereis(Server)
    kill("KILL", server_pid(folder))
    assert_receive {:snapshot, %{@seven => %{"total" => "10.50"}}}, 20_000
    assert Process.whereis(Server) != first
    run("INSERT INTO orders VALUES (2, 7, 4)")
    assert_receive {:update, @seven, %{"total" => "14.50"}}, 5_000
    assert total_of(7) == {:ok, ["total"], [["14.50"]]}
  end

  test "a connection that is lost is opened again" do
    run("INSERT INTO orders VALUES (1, 7, 10.50)")
    assert_receive {:insert, @seven, _}, 5_000
    Process.exit(:sys.get_state(Feed).connection, :kill)
    assert_receive {:snapshot, %{@seven => _}}, 5_000
    run("DELETE FROM orders")
    assert_receive {:delete, @seven, _}, 5_000
  end

  test "the server ends with its supervisor, also if that is killed", %{folder: folder} do
    pid = server_pid(folder)
    Process.flag(:trap_exit, true)
    Process.exit(Process.whereis(Server), :kill)
    assert_receive {:snapshot, _}, 20_000
    assert eventually(fn -> not alive?(pid) end)
    pid = server_pid(folder)
    stop_supervised!(PgTrickle.Supervisor)
    refute alive?(pid)
  end

  # The server writes its process id into the folder.
  defp server_pid(folder), do: File.read!(Path.join(folder, "pgtrickle-serve.pid"))

  defp kill(signal, pid), do: System.cmd("kill", ["-#{signal}", pid])
  defp alive?(pid), do: match?({_, 0}, System.cmd("kill", ["-0", pid], stderr_to_stdout: true))

  defp eventually(check, tries \\ 100) do
    check.() or (tries > 0 and Process.sleep(50) == :ok and eventually(check, tries - 1))
  end
end
