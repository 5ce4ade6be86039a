/** Random queries with a subquery in each place that takes an expression, and with an order that only a subquery gives. */
import { pair } from './pair.js'
import type { Rng } from './rng.js'
import { listed } from './schema.js'
import type { Table, Type } from './schema.js'

export function places(rng: Rng, tables: readonly Table[]): string {
  const { outer, inner, own, expressions, inside, on, from, of } = pair(rng, tables)

  /** A number that depends on the other table alone. */
  const number = () =>
    rng.pick([
      `(SELECT count(*)::int FROM ${inner.name} y)`,
      `(SELECT count(${of('text', inside)})::int FROM ${inner.name} y WHERE ${inside.condition(0)})`,
      `(SELECT least(count(*), 2)::int FROM ${inner.name})`,
    ])
  /** A value that also depends on the row around it. */
  const value = () =>
    rng.pick([
      `(SELECT count(*) FROM ${inner.name} y WHERE ${on})`,
      `(SELECT max(${of('int', inside)}) FROM ${inner.name} y WHERE ${on})`,
      `(SELECT min(${of('text', inside)}) FROM ${inner.name} y WHERE ${on})`,
      `(SELECT ${of('date', inside)} FROM ${inner.name} y WHERE ${on} ORDER BY 1 LIMIT 1)`,
    ])
  const test = () =>
    rng.pick([
      `${of('int')} IN (SELECT ${of('int', inside)} FROM ${inner.name} y)`,
      `EXISTS (SELECT FROM ${inner.name} y WHERE ${on})`,
      `NOT EXISTS (SELECT FROM ${inner.name} y WHERE ${on})`,
      `${of('int')} > ${number()}`,
    ])
  const all = own.map(({ sql }) => sql).join(', ')
  const key = of(rng.pick<Type>(['int', 'text', 'small']))
  // Ordered by all columns, or by all but the last. What ties then is either equal, or is not told apart.
  const order = rng.pick(own.map((_, i) => own.slice(i).concat(own.slice(0, i)))).map(({ sql }) => sql)
  const ordered = `(SELECT * ${from}${rng.chance(0.3) ? ` WHERE ${expressions.condition(0)}` : ''} ORDER BY ${order.join(', ')}) x`

  return rng.pick<() => string>([
    () =>
      `SELECT ${of('int')} AS c1, sum(${of('int')}) OVER (ORDER BY ${all} ROWS ${rng.pick(['', 'BETWEEN 1 PRECEDING AND '])}${number()} ${rng.pick(['PRECEDING', 'FOLLOWING'])}) AS c2 ${from}`.replace(
        /ROWS (\(.*\)) FOLLOWING/,
        'ROWS BETWEEN CURRENT ROW AND $1 FOLLOWING',
      ),
    () => `SELECT ${all} ${from} ORDER BY ${all} LIMIT ${number()}`,
    () => `SELECT ${all} ${from} ORDER BY ${all} OFFSET ${number()} LIMIT 2`,
    () => `SELECT ${all}, lag(${of('int')}, ${number()}) OVER (ORDER BY ${all}) AS l ${from}`,
    () => `SELECT ${all}, ntile(1 + ${number()}) OVER (PARTITION BY ${key} ORDER BY ${all}) AS l ${from}`,
    () => `SELECT ${key} AS c1, rank() OVER (PARTITION BY ${value()} ORDER BY ${key}) AS r ${from}`,
    () => `SELECT ${key} AS c1, rank() OVER (ORDER BY ${value()}) AS r ${from}`,
    () => `SELECT ${value()} AS c1, count(*) AS c2, sum(${of('int')}) AS c3 ${from} GROUP BY 1`,
    () => `SELECT count(*) AS c1 ${from} GROUP BY ${value()}, ${key}`,
    () => `SELECT ${value()} AS c1, ${key} AS c2, count(*) AS c3 ${from} GROUP BY ROLLUP (1, 2)`,
    () => `SELECT ${all} ${from} ORDER BY ${value()}, ${all} LIMIT 3`,
    () => `SELECT DISTINCT ${value()} AS c1, ${key} AS c2 ${from}`,
    () => {
      const first = value()
      return `SELECT DISTINCT ON (${first}) ${all} ${from} ORDER BY ${first}, ${all}`
    },
    () =>
      `SELECT v.n, ${key} AS c2 FROM (VALUES (${number()}), (1), (NULL)) v(n) LEFT JOIN ${outer.name} x ON ${of('int')} = v.n`,
    () => `VALUES (${number()}, 1), (2, (SELECT count(*)::int ${from}))`,
    () =>
      `SELECT g, count(${key}) AS c2 FROM generate_series(0, ${number()}) g LEFT JOIN ${outer.name} x ON ${of('int')} = g GROUP BY g`,
    () => `SELECT e, ${key} AS c2 FROM unnest(ARRAY[1, ${number()}]) e LEFT JOIN ${outer.name} x ON ${of('int')} = e`,
    () => `SELECT ${key} AS c1, count(*) FILTER (WHERE ${test()}) AS c2 ${from} GROUP BY 1`,
    () => `SELECT count(*) FILTER (WHERE ${test()}) AS c1, sum(${of('int')}) FILTER (WHERE ${test()}) AS c2 ${from}`,
    () =>
      `SELECT ${key} AS c1, ${of('int', inside)} AS c2 ${from} ${rng.pick(['', 'LEFT '])}JOIN ${inner.name} y ON ${on} AND ${test().replaceAll(/\by\b/g, 'z')}`,
    () => `SELECT ${key} AS c1, max(${value()}::text) AS c2 ${from} GROUP BY 1`,
    () => `SELECT ${key} AS c1, count(*) AS c2 ${from} GROUP BY 1 HAVING count(*) > ${number()}`,
    () =>
      `SELECT CASE WHEN ${test()} THEN ${value()}::text ELSE ${key}::text END AS c1, ARRAY[${number()}, ${of('int')}] AS c2 ${from}`,
    () => `SELECT coalesce(${value()}::text, ${value()}::text) AS c1, ROW(${key}, ${number()})::text AS c2 ${from}`,
    () =>
      `SELECT ${key} AS c1, (SELECT grouping(${key})) AS c2, count(*) AS c3 ${from} GROUP BY ${rng.pick(['', 'ROLLUP ', 'CUBE '])}(${key})`,
    () =>
      `SELECT ${key} AS c1, count(*) AS c2 ${from} GROUP BY ROLLUP (${key}) HAVING grouping(${key}) = ${rng.int(0, 1)}`,
    () =>
      `SELECT ${key} AS c1, grouping(${key}) AS c2, percentile_disc(${rng.pick(['0.5', '(SELECT 0.5)'])}) WITHIN GROUP (ORDER BY ${of('int')}) AS c3 ${from} GROUP BY ${key}`,
    () => `SELECT DISTINCT unnest(${of('list')}) AS c1, ${key} AS c2 ${from}`,
    () =>
      `SELECT unnest(${of('list')}) AS c1, generate_series(0, ${of('small')}) AS c2, count(*) AS c3 ${from} GROUP BY ${rng.pick(['1', '1, 2', 'ROLLUP (1, 2)', 'GROUPING SETS ((1), (2), ())'])}`
        .replace('GROUP BY 1', 'GROUP BY 1, 2')
        .replace('GROUP BY 1, 2, 2', 'GROUP BY 1, 2'),
    () => `SELECT DISTINCT ON (${order[0]}) ${all} FROM ${ordered}`,
    () => `SELECT ${all}, row_number() OVER (ORDER BY ${order[0]}) AS n FROM ${ordered}`,
    () => `SELECT ${all}, row_number() OVER (PARTITION BY ${order[0]}) AS n FROM ${ordered}`,
    () => `SELECT string_agg(${key}::text, ',' ORDER BY ${order[0]}) AS l FROM ${ordered}`,
    () => `SELECT ARRAY(SELECT ${key} FROM ${ordered}) AS l`,
    () =>
      `SELECT ${listed(inner)}, l.* FROM ${inner.name} y, LATERAL (SELECT ${key} AS k FROM ${ordered} WHERE ${on} LIMIT ${rng.int(1, 2)}) l`,
    () => `SELECT ${listed(inner)}, (SELECT ${key} FROM ${ordered} WHERE ${on} LIMIT 1) AS l FROM ${inner.name} y`,
    () => `SELECT ${all} FROM (SELECT * FROM ${ordered} LIMIT 5) x LIMIT ${number()}`,
  ])()
}
