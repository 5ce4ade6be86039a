import type { StreamTable } from '@pgtrickle/pglite'
import { useStreamTable } from '@pgtrickle/pglite/react'
import { memo, useEffect, useRef, useState } from 'react'
import { RESULT } from '../database'
import type { Database } from '../database'
import type { State } from '../session'
import { Flash } from './Flash'

/** The most rows on the page. */
const SHOWN = 200

type Row = Record<string, unknown>

export function ResultCard({ state: { db, table, generation, waitsFor } }: { state: State }) {
  return (
    <section className="card result" aria-labelledby="result">
      {db && table ? (
        <Result key={generation} db={db} table={table} />
      ) : (
        <>
          <h2 id="result">Stream table</h2>
          <p className="quiet">{waitsFor === undefined ? 'There is none yet.' : 'It is on its way.'}</p>
        </>
      )}
    </section>
  )
}

function Result({ db, table }: { db: Database; table: StreamTable }) {
  const { rows, count, loading, error } = useStreamTable<Row>(RESULT, { db, limit: SHOWN })
  const [isRight, setRight] = useState<boolean>()
  const isFilled = useRef(false)
  useEffect(() => void (isFilled.current ||= !loading), [loading])
  useEffect(() => setRight(undefined), [rows])
  const numeric = table.columns.map((column) => isNumber(rows.find((row) => row[column] !== null)?.[column]))
  const verify = async () => setRight((await db.trickle.verifyStreamTable(RESULT)).ok)
  return (
    <>
      <div className="heading">
        <h2 id="result">
          Stream table{' '}
          <span className="quiet">
            {count.toLocaleString('en')} {count === 1 ? 'row' : 'rows'}
          </span>
        </h2>
        <span role="status" className={isRight === false ? 'bad' : 'good'}>
          {isRight === undefined ? '' : isRight ? '✓ equals its query' : 'differs from its query'}
        </span>
        <button type="button" onClick={() => void verify()}>
          Verify
        </button>
      </div>
      {error && <p className="bad">{error.message}</p>}
      <div className="scroll" tabIndex={0} role="region" aria-label="Rows of the stream table">
        <table>
          <thead>
            <tr>
              {table.columns.map((column, n) => (
                <th key={column} scope="col" className={numeric[n] ? 'number' : undefined}>
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Line
                key={idOf(row, table.key)}
                row={row}
                columns={table.columns}
                numeric={numeric}
                isNew={isFilled.current}
              />
            ))}
          </tbody>
        </table>
        {!loading && count === 0 && <p className="quiet">It has no rows.</p>}
        {count > SHOWN && <p className="quiet">The first {SHOWN} are shown.</p>}
      </div>
    </>
  )
}

interface LineProps {
  row: Row
  columns: readonly string[]
  numeric: readonly boolean[]
  isNew: boolean
}

/** Renders again only when its row has changed. */
const Line = memo(
  function Line({ row, columns, numeric, isNew }: LineProps) {
    const [wasNew] = useState(isNew)
    return (
      <tr className={wasNew ? 'new' : undefined}>
        {columns.map((column, n) => (
          <td key={column} className={numeric[n] ? 'number' : undefined}>
            <Flash>{textOf(row[column])}</Flash>
          </td>
        ))}
      </tr>
    )
  },
  (one, other) => one.row === other.row && String(one.numeric) === String(other.numeric),
)

const ids = new WeakMap<Row, number>()
let lastId = 0

/** What stays the same while a row changes: its key, or the object where there is no key. */
function idOf(row: Row, key: readonly string[]): string | number {
  if (key.length > 0) return JSON.stringify(key.map((column) => textOf(row[column])))
  let id = ids.get(row)
  if (id === undefined) ids.set(row, (id = ++lastId))
  return id
}

const isNumber = (value: unknown) =>
  typeof value === 'number' || typeof value === 'bigint' || (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value))

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '∅'
  if (value instanceof Date) return value.toISOString().slice(0, 16).replace('T', ' ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
