defmodule PgTrickle.Supervisor do
  @moduledoc """
  A database and one process that follows a stream table of it. If the server dies, both start again, on the same folder.

      {PgTrickle.Supervisor, db: "data", schema: "CREATE TABLE ...", stream_table: "totals"}
  """
  use Supervisor

  def start_link(options), do: Supervisor.start_link(__MODULE__, options)

  @impl true
  def init(options) do
    children = [
      {Registry, keys: :duplicate, name: PgTrickle.Subscribers},
      {PgTrickle.Server, Keyword.take(options, [:db, :schema])},
      {PgTrickle.Feed, Keyword.take(options, [:stream_table, :every])}
    ]

    Supervisor.init(children, strategy: :rest_for_one, max_restarts: 10, max_seconds: 60)
  end
end
