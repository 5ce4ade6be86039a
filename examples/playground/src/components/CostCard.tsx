import type { State } from '../session'

/** What a change costs, beside running the query again: the medians of what was measured. */
export function CostCard({ state: { costs, plan, status } }: { state: State }) {
  const maintenance = median(costs.map((cost) => cost.maintenance))
  const query = median(costs.map((cost) => cost.query))
  return (
    <section className="card cost" aria-labelledby="cost">
      <h2 id="cost">Cost of a change</h2>
      {maintenance === undefined || query === undefined ? (
        <p className="quiet">
          {status === ''
            ? 'Make a change to see what it costs, beside running the query again.'
            : 'Once more: with the first change of a kind, PostgreSQL also plans what it will do for all others.'}
        </p>
      ) : (
        <>
          <dl>
            <Bar label="Stream table" value={maintenance} most={Math.max(maintenance, query)} kind="stream" />
            <Bar label="Query, run again" value={query} most={Math.max(maintenance, query)} kind="query" />
          </dl>
          <p>{summary(maintenance, query, plan?.way)}</p>
          <p className="quiet small">
            Medians of {costs.length} {costs.length === 1 ? 'measurement' : 'measurements'}, as PostgreSQL counts them.
          </p>
        </>
      )}
    </section>
  )
}

function Bar({ label, value, most, kind }: { label: string; value: number; most: number; kind: string }) {
  return (
    <div className={`bar ${kind}`}>
      <dt>{label}</dt>
      <dd>
        <span className="track" aria-hidden="true">
          <span style={{ inlineSize: `${Math.max(0.5, (100 * value) / most)}%` }} />
        </span>
        <span className="value">{milliseconds(value)}</span>
      </dd>
    </div>
  )
}

function summary(maintenance: number, query: number, way?: string) {
  const times = query / maintenance
  if (times >= 1.5) {
    return (
      <>
        <strong>{times.toFixed(times < 10 ? 1 : 0)} times</strong> less work than running the query again.
      </>
    )
  }
  if (way === 'rebuild') return 'The query runs again after each change, and the difference is applied.'
  return 'With so few rows, or so many changed ones, running the query again costs about as much, or less.'
}

const milliseconds = (value: number) => `${value.toFixed(value < 1 ? 3 : value < 100 ? 1 : 0)} ms`

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1]
}
