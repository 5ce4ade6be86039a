defmodule PgTrickle.Server do
  @moduledoc """
  `pgtrickle serve` as a port of this process: it ends with it, and its end is that of this process.

  The variable PGTRICKLE is another way to run the command than `node_modules/.bin/pgtrickle`.
  """
  use GenServer
  require Logger

  # A closed port closes only the standard input of its program, which most programs do not notice. This shell does, and
  # then ends the server. A line asks for the same, and leaves the port open for the exit status.
  @wrapper """
  exec 3<&0
  "$@" </dev/null 3<&- &
  server=$!
  (read -r line <&3; kill -TERM $server) >/dev/null 2>&1 &
  watcher=$!
  wait $server
  status=$?
  kill $watcher 2>/dev/null
  exit $status
  """

  @patience 60_000

  def start_link(options), do: GenServer.start_link(__MODULE__, options, name: __MODULE__)

  @doc "A new connection, linked to the caller: neither outlives the other."
  def connect(tries \\ 5) do
    case GenServer.call(__MODULE__, :address) |> open() do
      {:ok, connection} ->
        connection

      # The server has just ended. This process is about to hear of that, and then there is none to call.
      {:error, _} when tries > 1 ->
        Process.sleep(100)
        connect(tries - 1)
    end
  end

  defp open({host, port}) do
    options = [host: host, port: port, database: ~c"postgres", user: ~c"postgres", password: ~c"", as_binary: true]

    with {:ok, connection} <- :pgsql.connect(options) do
      Process.link(connection)
      {:ok, connection}
    end
  end

  @doc "The columns and rows of the last statement in a text, or `{:error, code, message}`. Values are texts or nil."
  def query(connection, sql) do
    {:ok, results} = :pgsql.squery(connection, sql)

    case Enum.find(results, List.last(results), &match?({:error, _}, &1)) do
      {:error, fields} -> {:error, fields[:code], fields[:message]}
      {_tag, columns, rows} -> {:ok, Enum.map(columns, &elem(&1, 0)), Enum.map(rows, &values/1)}
      _tag -> {:ok, [], []}
    end
  end

  defp values(row), do: Enum.map(row, &if(&1 == :null, do: nil, else: &1))

  @impl true
  def init(options) do
    Process.flag(:trap_exit, true)
    command = OptionParser.split(System.get_env("PGTRICKLE", "node_modules/.bin/pgtrickle"))
    arguments = ["serve", "--port", "0", "--db", Keyword.fetch!(options, :db)]

    port =
      Port.open({:spawn_executable, "/bin/sh"}, [
        :binary,
        :exit_status,
        line: 4096,
        args: ["-c", @wrapper, "serve" | command ++ arguments]
      ])

    with {:ok, address} <- await_address(port),
         {:ok, connection} <- open(address),
         :ok <- run(Keyword.get(options, :schema, ""), connection) do
      {:ok, %{port: port, address: address}}
    else
      {:error, reason} -> {:stop, reason}
    end
  end

  defp run(schema, connection) do
    with {:error, code, message} <- query(connection, schema) do
      {:error, {:schema, code, message}}
    else
      {:ok, _, _} -> :pgsql.terminate(connection)
    end
  end

  defp await_address(port) do
    receive do
      {^port, {:data, {_, line}}} ->
        case Regex.run(~r"^listening on \S+@([^:]+):(\d+)/", line) do
          [_, host, number] -> {:ok, {String.to_charlist(host), String.to_integer(number)}}
          nil -> await_address(port)
        end

      {^port, {:exit_status, status}} ->
        {:error, {:exit_status, status}}
    after
      @patience -> {:error, :timeout}
    end
  end

  @impl true
  def handle_call(:address, _from, state), do: {:reply, state.address, state}

  @impl true
  def handle_info({port, {:exit_status, status}}, %{port: port} = state) do
    {:stop, {:exit_status, status}, state}
  end

  def handle_info({port, {:data, {_, line}}}, %{port: port} = state) do
    Logger.info("pgtrickle: #{line}")
    {:noreply, state}
  end

  # The connection that ran the schema has ended.
  def handle_info({:EXIT, _pid, _reason}, state), do: {:noreply, state}

  # The next server must not find the folder in use.
  @impl true
  def terminate({:exit_status, _}, _state), do: :ok

  def terminate(_reason, %{port: port}) do
    Port.command(port, "end\n")

    receive do
      {^port, {:exit_status, _}} -> :ok
    after
      4_000 -> :ok
    end
  end
end
