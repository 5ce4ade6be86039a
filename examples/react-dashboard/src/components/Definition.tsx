import type { StreamTablePlan } from '@pgtrickle/pglite'
import { useMemo, useState } from 'react'
import type { CSSProperties } from 'react'
import type { Database } from '../database/open'
import { STREAM_TABLES } from '../database/stream-tables'

/** What a change does, for each way to maintain a stage. */
const WAYS = { fold: 'is added to the result', rekey: 'recomputes what it touches', rebuild: 'runs the query again' }

interface Props {
  db: Database
  name: string
  query?: string
}

/** The query of a stream table, its plan as a picture, and what a change of each source costs. */
export function Definition({ db, name, query = STREAM_TABLES[name] }: Props) {
  const [explained, setExplained] = useState<{ plan: StreamTablePlan; svg: string }>()
  const [failure, setFailure] = useState('')
  const explain = async () => {
    try {
      // Loaded when it is first wanted.
      const [{ renderPlan }, plan] = await Promise.all([
        import('@pgtrickle/pglite/planner'),
        db.trickle.explainStreamTable(name),
      ])
      setExplained({ plan, svg: renderPlan(plan) })
    } catch (error) {
      setFailure((error as Error).message)
    }
  }
  return (
    <details className="definition" onToggle={({ currentTarget: { open } }) => open && void explain()}>
      <summary>
        SQL and plan of <code>{name}</code>
      </summary>
      <pre tabIndex={0}>{query?.replaceAll(/\n\s+/g, '\n  ')}</pre>
      {explained && <Picture svg={explained.svg} name={name} />}
      <ul>
        {explained?.plan.stages.flatMap((stage) =>
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

/** A picture gets no smaller than can be read. In a narrow card it scrolls. */
const SMALLEST = 0.75

function Picture({ svg, name }: { svg: string; name: string }) {
  const least = useMemo(() => SMALLEST * Number(/width="(\d+)"/.exec(svg)?.[1]), [svg])
  return (
    <div
      className="picture"
      style={{ '--least': `${least}px` } as CSSProperties}
      tabIndex={0}
      role="group"
      aria-label={`Picture of the plan of ${name}`}
    >
      {/* The picture is the package's own, and has no text in it that is not escaped. */}
      <div dangerouslySetInnerHTML={{ __html: svg }} />
    </div>
  )
}
