/** React in the page: lists of the rows of stream tables, under StrictMode, inside a provider. */
import { PGlite } from '@electric-sql/pglite'
import { trickle } from '@pgtrickle/pglite'
import { StreamTableProvider, useStreamTable } from '@pgtrickle/pglite/react'
import type { UseStreamTableOptions } from '@pgtrickle/pglite/react'
import { createElement, StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { provide } from '../database.js'

declare global {
  /** Shows these lists, by their ids, in place of the present ones. */
  var show: (lists: Record<string, { name: string } & UseStreamTableOptions>) => void
  /** How many times each list has rendered. */
  var drawn: Record<string, number>
}

provide((dataDir) => PGlite.create({ ...(dataDir !== undefined && { dataDir }), extensions: { trickle } }))

const root = createRoot(document.getElementById('root') as HTMLElement)
globalThis.drawn = {}
globalThis.show = (lists) => {
  const shown = Object.entries(lists).map(([id, list]) => createElement(List, { key: id, id, list }))
  root.render(createElement(StrictMode, null, createElement(StreamTableProvider, { db: globalThis.pg }, shown)))
}

/** Numbers the objects, so that a test can tell whether a row is still the same object. */
const numbers = new WeakMap<object, number>()
let last = 0
function numberOf(row: object): number {
  let number = numbers.get(row)
  if (number === undefined) numbers.set(row, (number = ++last))
  return number
}

/** A longer list shows only its number of rows. */
const DRAWN = 100

function List({ id, list: { name, ...options } }: { id: string; list: { name: string } & UseStreamTableOptions }) {
  const { rows, loading, error, retry } = useStreamTable(name, options)
  globalThis.drawn[id] = (globalThis.drawn[id] ?? 0) + 1
  return createElement(
    'section',
    { id, 'data-count': rows.length, 'data-state': loading ? 'loading' : error ? error.code : 'live', onClick: retry },
    rows
      .slice(0, DRAWN)
      .map((row) => createElement('p', { key: numberOf(row), 'data-object': numberOf(row) }, JSON.stringify(row))),
  )
}
