import { DATASETS } from '../datasets'
import { SqlEditor } from '../editor/SqlEditor'
import type { Effect, Session, State } from '../session'

export function ChangeCard({ session, state }: { session: Session; state: State }) {
  const { change, dataset, table, tables, status, isError, effect, isChanging } = state
  const isOff = table === undefined
  return (
    <section className="card change" aria-labelledby="change">
      <h2 id="change">Change something</h2>
      <div className="buttons">
        {DATASETS[dataset].changes.map(({ title, sql }) => (
          <button
            key={title}
            type="button"
            aria-disabled={isOff}
            onClick={() => {
              if (isOff) return
              session.setChange(sql)
              session.apply(sql)
            }}
          >
            {title}
          </button>
        ))}
      </div>
      <SqlEditor
        label="Change"
        text={change}
        tables={tables}
        onChange={(text) => session.setChange(text)}
        onRun={() => session.apply(change)}
      />
      <div className="actions">
        <button type="button" className="main" aria-disabled={isOff} onClick={() => isOff || session.apply(change)}>
          Run
        </button>
        <button
          type="button"
          aria-pressed={isChanging}
          aria-disabled={isOff}
          onClick={() => isOff || session.toggleChanges()}
        >
          {isChanging ? 'Stop' : 'Keep changing'}
        </button>
        <p role="status" className={isError ? 'bad' : 'quiet'}>
          {status}
          {!isError && status && effect && <span className="effect"> · {inWords(effect)}</span>}
        </p>
      </div>
    </section>
  )
}

function inWords(effect: Effect): string {
  const parts = [
    ['+', effect.insert],
    ['~', effect.update],
    ['−', effect.delete],
  ].filter(([, count]) => count !== 0)
  return `stream table ${parts.map(([sign, count]) => `${sign}${count}`).join(' ')}`
}
