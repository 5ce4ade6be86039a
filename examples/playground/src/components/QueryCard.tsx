import { DATASETS } from '../datasets'
import { SqlEditor } from '../editor/SqlEditor'
import type { Session, State } from '../session'

/** Says what a way means in a few words. */
const WAYS = {
  fold: 'the change is added to the result',
  rekey: 'only what the change touches is computed again',
  rebuild: 'the query runs again after each change',
}

export function QueryCard({ session, state }: { session: Session; state: State }) {
  const { query, tables, wrong, plan, table, dataset } = state
  const isShown = table !== undefined && table.query.trim() === query.trim()
  return (
    <section className="card query" aria-labelledby="query">
      <h2 id="query">Query</h2>
      <div className="chips">
        {DATASETS[dataset].queries.map(({ title, sql }) => (
          <button
            key={title}
            type="button"
            aria-pressed={sql === query}
            disabled={tables.length === 0}
            onClick={() => session.chooseQuery(sql)}
          >
            {title}
          </button>
        ))}
      </div>
      <SqlEditor
        label="Query"
        text={query}
        tables={tables}
        wrong={wrong?.range}
        onChange={(text) => session.setQuery(text)}
        onRun={() => session.run()}
      />
      <div className="verdict" role="status">
        {wrong ? (
          <>
            <p className="bad">{wrong.message}</p>
            {wrong.hint && <p className="quiet">{wrong.hint}</p>}
          </>
        ) : (
          plan && (
            <p>
              <span className={`way ${plan.way}`}>{plan.way}</span> {WAYS[plan.way]}
            </p>
          )
        )}
      </div>
      <div className="actions">
        <button
          type="button"
          className="main"
          aria-disabled={wrong !== undefined || isShown || tables.length === 0}
          onClick={() => wrong === undefined && !isShown && session.run()}
        >
          {isShown ? 'This is the stream table' : 'Make it the stream table'}
        </button>
        {!isShown && (
          <span className="quiet keys">
            <kbd>Ctrl</kbd> <kbd>Enter</kbd>
          </span>
        )}
      </div>
      <details>
        <summary>Tables</summary>
        <ul className="tables">
          {tables.map(({ name, columns, rows }) => (
            <li key={name}>
              <code>
                <b>{name}</b> ({columns.join(', ')})
              </code>{' '}
              <span className="quiet">{rows.toLocaleString('en')} rows</span>
            </li>
          ))}
        </ul>
      </details>
    </section>
  )
}
