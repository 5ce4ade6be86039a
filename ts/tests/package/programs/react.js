/** A component with the rows of a stream table. */
/* global document -- it runs in a page */
import { PGlite } from '@electric-sql/pglite'
import { trickle } from '@pgtrickle/pglite'
import { StreamTableProvider, useStreamTable } from '@pgtrickle/pglite/react'
import { createElement } from 'react'
import { createRoot } from 'react-dom/client'

globalThis.result = new Promise((done, fail) => {
  const Rows = () => {
    const { rows } = useStreamTable('counts', { orderBy: 'customer_id' })
    if (rows.length === 2) done(rows)
    return null
  }
  const start = async () => {
    const db = await PGlite.create({ extensions: { trickle } })
    await db.exec('CREATE TABLE orders (id int PRIMARY KEY, customer_id int)')
    await db.trickle.createStreamTable('counts', 'SELECT customer_id, count(*) AS n FROM orders GROUP BY customer_id')
    const root = document.body.appendChild(document.createElement('div'))
    createRoot(root).render(createElement(StreamTableProvider, { db }, createElement(Rows)))
    await db.exec('INSERT INTO orders VALUES (1, 7), (2, 7), (3, 8)')
  }
  start().catch(fail)
})
