/** The minimum that every supported PGlite must do. This file also runs on the oldest release of each line. */
import { describe, expect, test } from 'vitest'
import { TrickleError } from '../dist/index.js'
import { useLab } from './support/use-lab.js'
import { MAJOR } from './support/pglite.js'

const lab = useLab()

describe('a stream table in a stock PGlite', () => {
  test('runs on the PostgreSQL version that the bundle is for', async () => {
    expect(await lab.exec('SHOW server_version_num')).toMatchObject([
      { server_version_num: expect.stringMatching(`^${MAJOR}`) },
    ])
    expect(await lab.exec("SELECT extname FROM pg_extension WHERE extname = 'pg_trickle'")).toHaveLength(1)
  })

  test('is up to date when a statement returns', async () => {
    await lab.exec('CREATE TABLE customers (id int PRIMARY KEY, name text)')
    await lab.exec(
      'CREATE TABLE orders (id serial PRIMARY KEY, customer_id int REFERENCES customers, amount numeric(10,2))',
    )
    await lab.exec("INSERT INTO customers VALUES (1, 'ann'), (2, 'bob')")
    const total = 'SELECT customer_id, sum(amount) AS total FROM orders GROUP BY customer_id'
    const created = await lab.pg.trickle.createStreamTable('order_totals', total)
    expect(created).toMatchObject({ name: 'order_totals', columns: ['customer_id', 'total'] })
    await lab.watch('order_totals', total)
    await lab.create('big', 'SELECT id, amount FROM orders WHERE amount > 15')
    await lab.create(
      'named',
      'SELECT name, count(*), max(amount) FROM orders JOIN customers c ON c.id = customer_id GROUP BY name',
    )
    await lab.create('all_of_it', 'SELECT count(*), sum(amount) FROM orders')
    await lab.create(
      'idle',
      'SELECT c.id FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE o.id IS NULL',
    )
    await lab.run('INSERT INTO orders (customer_id, amount) VALUES (1, 10), (1, 20.50), (2, 7)')
    expect(await lab.exec('SELECT total FROM order_totals ORDER BY customer_id')).toEqual([
      { total: '30.50' },
      { total: '7.00' },
    ])
    await lab.run('UPDATE orders SET amount = amount * 2 WHERE customer_id = 2')
    await lab.run('UPDATE orders SET customer_id = 2 WHERE amount = 10')
    await lab.run("INSERT INTO customers VALUES (3, 'cat')")
    await lab.run('DELETE FROM orders WHERE amount > 20')
    await lab.run('BEGIN')
    await lab.run('DELETE FROM orders')
    await lab.run('ROLLBACK')
    await lab.run('TRUNCATE orders')
    await lab.run('INSERT INTO orders (customer_id, amount) SELECT 1 + i % 3, i FROM generate_series(1, 500) i')
    await lab.checkRefresh()
  })

  test('fails with a TrickleError, and the database keeps working', async () => {
    const failed = lab.pg.trickle.createStreamTable('wrong', 'SELECT * FROM missing')
    await expect(failed).rejects.toBeInstanceOf(TrickleError)
    await expect(failed).rejects.toMatchObject({ code: '42P01', streamTable: 'wrong' })
    await lab.run('INSERT INTO orders (customer_id, amount) VALUES (1, 1)')
  })

  test('an error in maintenance aborts the statement', async () => {
    await lab.create('inverse', 'SELECT id, 1 / (amount - 99999) AS q FROM orders')
    expect(await lab.fails('UPDATE orders SET amount = 99999 WHERE id % 100 = 0')).toMatchObject({
      code: '22012',
    })
    await lab.run('DELETE FROM orders WHERE id % 2 = 0')
  })

  test('leaves nothing behind after the last drop', async () => {
    for (const { name } of await lab.pg.trickle.listStreamTables()) await lab.pg.trickle.dropStreamTable(name)
    lab.watched.clear()
    await lab.exec('DROP TABLE orders, customers')
    expect(
      await lab.exec(
        "SELECT count(*)::int AS n FROM pg_class WHERE relnamespace = 'pgtrickle'::regnamespace AND relname ~ '^(st|def)_[0-9]'",
      ),
    ).toEqual([{ n: 0 }])
  })
})
