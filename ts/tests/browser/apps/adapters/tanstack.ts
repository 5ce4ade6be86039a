/** TanStack DB has no components of its own: its collection, shown by hand. */
import { streamTableCollectionOptions } from '@pgtrickle/pglite/tanstack'
import { createCollection } from '@tanstack/db'
import { attributes, numberOf } from './list.js'
import type { Mount, Row } from './list.js'

export const mount: Mount = (root, first, { db }) => {
  const section = root.appendChild(document.createElement('section'))
  let end = () => {}
  const show = (name: string) => {
    end()
    const collection = createCollection(streamTableCollectionOptions<Row, number>({ db, name, key: 'id' as never }))
    const draw = () => {
      const rows = collection.toArray.sort((a, b) => Number(a.id) - Number(b.id))
      const state = attributes({ count: rows.length, loading: !collection.isReady(), error: undefined })
      for (const [attribute, value] of Object.entries(state)) section.setAttribute(attribute, value)
      section.replaceChildren(
        ...rows.map((row) => {
          const line = document.createElement('p')
          line.id = `row-${numberOf(row)}`
          // TanStack DB adds fields of its own.
          line.textContent = JSON.stringify(row, (key, value: unknown) => (key.startsWith('$') ? undefined : value))
          return line
        }),
      )
    }
    draw()
    const subscription = collection.subscribeChanges(draw, { includeInitialState: true })
    collection.onFirstReady(draw)
    end = () => {
      subscription.unsubscribe()
      void collection.cleanup()
    }
  }
  show(first)
  return {
    show,
    unmount() {
      end()
      section.remove()
    },
  }
}
