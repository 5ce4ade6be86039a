import type { StreamTablePlan } from '@pgtrickle/pglite'
import { useState } from 'react'
import type { Database } from '../database/open'
import { STREAM_TABLES } from '../database/stream-tables'

/** What a change does, for each way to maintain a stage. */
const WAYS = { fold: 'is added to the result', rekey: 'recomputes what it touches', rebuild: 'runs the query again' }

/** The query of a stream table, and what a change of each source costs. */
export function Definition({ db, name, query = STREAM_TABLES[name] }: { db: Database; name: string; query?: string }) {
  const [plan, setPlan] = useState<StreamTablePlan>()
  const [failure, setFailure] = useState('')
  const explain = () => db.trickle.explainStreamTable(name).then(setPlan, (error: Error) => setFailure(error.message))
  return (
    <details className="definition" onToggle={({ currentTarget: { open } }) => open && void explain()}>
      <summary>
        SQL and plan of <code>{name}</code>
      </summary>
      <pre tabIndex={0}>{query?.replaceAll(/\n\s+/g, '\n  ')}</pre>
      <ul>
        {plan?.stages.flatMap((stage) =>
          stage.sources.map((source) => (
            <li key={`${stage.name} ${source.name}`}>
              A change of <code>{source.name}</code> is a {source.way}: it {WAYS[source.way]}. Cost: {source.cost}.
            </li>
          )),
        )}
      </ul>
      {failure && <p role="alert">{failure}</p>}
    </details>
  )
}
