import { useStreamTable } from '@pgtrickle/pglite/solid'
import { createSignal, For } from 'solid-js'
import h from 'solid-js/h'
import { render } from 'solid-js/web'
import { attributes, numberOf } from './list.js'
import type { Mount, Row } from './list.js'

export const mount: Mount = (root, first, options) => {
  const [name, show] = createSignal(first)
  const unmount = render(() => {
    const table = useStreamTable(name, options)
    const row = (row: Row) => h('p', { id: `row-${numberOf(row)}` }, JSON.stringify(row))
    return h(
      'section',
      {
        'data-count': () => attributes(table)['data-count'],
        'data-state': () => attributes(table)['data-state'],
        onClick: () => table.retry(),
      },
      h(For, { each: () => table.rows }, row),
    ) as unknown as Element
  }, root)
  return { show, unmount }
}
