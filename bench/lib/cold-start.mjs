// How long an app waits for its first stream table. Runs in Node and in a browser. A page serves as well as a new process,
// because `performance.now()` counts from the start of either.

/**
 * Opens an empty database with the plugin, creates a stream table, and returns the milliseconds of each step.
 *
 *   create        PGlite.create, including initdb and `extension`
 *   extension     the plugin's part of it: LOAD and CREATE EXTENSION
 *   streamTable   the first createStreamTable
 *   change        the first change to its source
 *   total         from the start of the page or process to the first stream table
 */
export async function coldStart(PGlite, trickle) {
  const steps = {}
  const time = async (name, work) => {
    const start = performance.now()
    const result = await work()
    steps[name] = performance.now() - start
    return result
  }
  const timed = {
    ...trickle,
    async setup(...args) {
      const extension = await trickle.setup(...args)
      return { ...extension, init: () => time('extension', extension.init) }
    },
  }
  const pg = await time('create', () => PGlite.create({ extensions: { trickle: timed } }))
  await pg.exec('CREATE TABLE orders (id int PRIMARY KEY, customer_id int, amount numeric(10,2))')
  await time('streamTable', () =>
    pg.trickle.createStreamTable(
      'order_totals',
      'SELECT customer_id, count(*) AS orders, sum(amount) AS total FROM orders GROUP BY customer_id',
    ),
  )
  steps.total = performance.now()
  await time('change', () => pg.query('INSERT INTO orders VALUES (1, 7, 10.50), (2, 7, 4.00)'))
  const { rows } = await pg.query('SELECT * FROM order_totals')
  if (JSON.stringify(rows) !== '[{"customer_id":7,"orders":2,"total":"14.50"}]') {
    throw new Error(`the stream table is wrong: ${JSON.stringify(rows)}`)
  }
  await pg.close()
  return steps
}
