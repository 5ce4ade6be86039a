import { useStreamTable } from '@pgtrickle/pglite/react'
import { createElement, StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { attributes, numberOf } from './list.js'
import type { Mount, Options } from './list.js'

function List({ name, options }: { name: string; options: Options }) {
  const state = useStreamTable(name, options)
  return createElement(
    'section',
    { ...attributes(state), onClick: state.retry },
    state.rows.map((row) =>
      createElement('p', { key: numberOf(row), id: `row-${numberOf(row)}` }, JSON.stringify(row)),
    ),
  )
}

export const mount: Mount = (root, first, options) => {
  const app = createRoot(root)
  const show = (name: string) => app.render(createElement(StrictMode, null, createElement(List, { name, options })))
  show(first)
  return { show, unmount: () => app.unmount() }
}
