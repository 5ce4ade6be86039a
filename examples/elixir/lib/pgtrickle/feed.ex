defmodule PgTrickle.Feed do
  @moduledoc """
  Follows the feed of a stream table, keeps its rows, and tells subscribers what changes.

  A subscriber gets `{:snapshot, rows}`, all rows by their keys, in place of all that it knew before. Then it gets
  `{:insert | :update | :delete, key, row}` for each change, in the order of commits. After a restart of this process, or
  where it was away for too long, there is a snapshot again. Keys are the `jsonb` texts of `pgtrickle.changes`; rows are
  maps from columns to texts. The stream table needs a visible key.

  `p1_pgsql` drops notifications, so this process asks `every` so many milliseconds. A driver that has them would ask when
  one arrives on the channel `pgtrickle`.
  """
  use GenServer
  alias PgTrickle.Server

  @page 500
  @operations %{"insert" => :insert, "update" => :update, "delete" => :delete}

  def start_link(options), do: GenServer.start_link(__MODULE__, options, name: __MODULE__)

  @doc "From now on, the caller is told what changes. It gets a snapshot first."
  def subscribe do
    {:ok, _} = Registry.register(PgTrickle.Subscribers, __MODULE__, nil)
    GenServer.cast(__MODULE__, {:snapshot, self()})
  end

  @doc "The rows by their keys."
  def rows, do: GenServer.call(__MODULE__, :rows)

  @impl true
  def init(options) do
    state = %{
      connection: Server.connect(),
      name: String.replace(Keyword.fetch!(options, :stream_table), "'", "''"),
      every: Keyword.get(options, :every, 100),
      after: nil,
      rows: %{}
    }

    {:ok, _, _} =
      Server.query(
        state.connection,
        "SELECT pgtrickle.keep_changes('#{state.name}', retain => 10000)"
      )

    send(self(), :read)
    {:ok, snapshot(state)}
  end

  @impl true
  def handle_call(:rows, _from, state), do: {:reply, state.rows, state}

  @impl true
  def handle_cast({:snapshot, subscriber}, state) do
    send(subscriber, {:snapshot, state.rows})
    {:noreply, state}
  end

  @impl true
  def handle_info(:read, state) do
    state = read(state)
    Process.send_after(self(), :read, state.every)
    {:noreply, state}
  end

  defp read(state) do
    case changes(state, "after => #{state.after}, max => #{@page}") do
      {:ok, changes} when length(changes) == @page ->
        changes |> Enum.reduce(state, &change/2) |> read()

      {:ok, changes} ->
        Enum.reduce(changes, state, &change/2)

      # This process was away for longer than changes are kept.
      {:error, "72T01", _message} ->
        snapshot(state)
    end
  end

  defp snapshot(state) do
    {:ok, [{seq, "snapshot", _, _} | inserts]} = changes(state, "snapshot => true")
    rows = Map.new(inserts, fn {_seq, "insert", key, row} -> {key, row} end)
    tell({:snapshot, rows})
    %{state | after: seq, rows: rows}
  end

  defp change({seq, op, key, row}, state) do
    tell({@operations[op], key, row})
    rows = if op == "delete", do: Map.delete(state.rows, key), else: Map.put(state.rows, key, row)
    %{state | after: seq, rows: rows}
  end

  # `jsonb_populate_record` gives the columns of the stream table, so no JSON has to be read here.
  defp changes(%{connection: connection, name: name}, which) do
    sql = """
    SELECT c.seq, c.op, c.key, r.*
    FROM pgtrickle.changes('#{name}', #{which}) c, jsonb_populate_record(NULL::#{name}, coalesce(c.row, c.old)) r
    ORDER BY c.seq, c.op <> 'snapshot'
    """

    with {:ok, [_seq, _op, _key | columns], rows} <- Server.query(connection, sql) do
      {:ok,
       Enum.map(rows, fn [seq, op, key | values] ->
         {seq, op, key, Map.new(Enum.zip(columns, values))}
       end)}
    end
  end

  defp tell(message) do
    Registry.dispatch(PgTrickle.Subscribers, __MODULE__, fn subscribers ->
      for {pid, _} <- subscribers, do: send(pid, message)
    end)
  end
end
