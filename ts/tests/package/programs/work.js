/** The least that an app does with a database; gives the rows of a stream table after a change. */
export async function work(pg) {
  await pg.exec('CREATE TABLE orders (id int PRIMARY KEY, customer_id int)')
  await pg.trickle.createStreamTable('counts', 'SELECT customer_id, count(*) AS n FROM orders GROUP BY customer_id')
  await pg.exec('INSERT INTO orders VALUES (1, 7), (2, 7), (3, 8)')
  const { rows } = await pg.query('SELECT * FROM counts ORDER BY customer_id')
  await pg.close()
  return rows
}
