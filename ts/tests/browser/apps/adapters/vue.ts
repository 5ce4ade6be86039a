import { useStreamTable } from '@pgtrickle/pglite/vue'
import { createApp, h, shallowRef } from 'vue'
import { attributes, numberOf } from './list.js'
import type { Mount } from './list.js'

export const mount: Mount = (root, first, options) => {
  const name = shallowRef(first)
  const app = createApp({
    setup() {
      const { rows, count, loading, error, retry } = useStreamTable(name, options)
      return () =>
        h(
          'section',
          { ...attributes({ count: count.value, loading: loading.value, error: error.value }), onClick: retry },
          rows.value.map((row) => h('p', { key: numberOf(row), id: `row-${numberOf(row)}` }, JSON.stringify(row))),
        )
    },
  })
  app.mount(root)
  return { show: (next) => (name.value = next), unmount: () => app.unmount() }
}
