defmodule PgTrickle.MixProject do
  use Mix.Project

  def project do
    [app: :pgtrickle, version: "0.1.0", elixir: "~> 1.14", deps: deps()]
  end

  def application do
    [extra_applications: [:logger, :p1_pgsql]]
  end

  # Debian's erlang-p1-pgsql is found without being fetched.
  defp deps do
    if Code.ensure_loaded?(:pgsql), do: [], else: [{:p1_pgsql, "~> 1.1"}]
  end
end
