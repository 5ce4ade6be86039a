/**
 * Random queries whose expressions can raise an error: a division, a cast of a text, a subquery with several rows. Most
 * are guarded, so that the query never evaluates them where they fail.
 */
import { pair } from './pair.js'
import type { Rng } from './rng.js'
import { listed } from './schema.js'
import type { Table, Type } from './schema.js'

export function raising(rng: Rng, tables: readonly Table[]): string {
  const { inner, inside, on, from, of } = pair(rng, tables)
  const [a, b, c] = [of('int'), of('int', inside), of('int')]
  const key = of(rng.pick<Type>(['int', 'text', 'small']))
  const number = `'^-?[0-9]+$'`
  const text = `${of('text')}`
  const join = rng.pick(['JOIN', 'JOIN', 'LEFT JOIN'])

  return rng.pick<() => string>([
    () => `SELECT ${key} AS c1, 12 / ${a} AS c2 ${from} WHERE ${a} <> 0`,
    () => `SELECT DISTINCT 12 / ${a} AS c1 ${from} WHERE ${a} > 0`,
    () => `SELECT ${key} AS c1, sum(12 / ${a}) AS c2 ${from} WHERE ${a} <> 0 GROUP BY 1`,
    () => `SELECT 12 / ${a} AS c1, count(*) AS c2 ${from} WHERE ${a} <> 0 GROUP BY 1`,
    () => `SELECT ${key} AS c1, sum(CASE WHEN ${a} <> 0 THEN 12 / ${a} END) AS c2 ${from} GROUP BY 1`,
    () => `SELECT ${key} AS c1, sum(12 / nullif(${a}, 0)) FILTER (WHERE ${a} <> 0) AS c2 ${from} GROUP BY 1`,
    () => `SELECT ${key} AS c1, sum(${c}) / sum(${a}) AS c2 ${from} GROUP BY 1 HAVING sum(${a}) <> 0`,
    () => `SELECT ${key} AS c1, 12 / sum(${a}) AS c2 ${from} GROUP BY 1 HAVING min(${a}) > 0`,
    () => `SELECT count(*) / count(DISTINCT ${a}) AS c1 ${from} HAVING count(DISTINCT ${a}) > 0`,
    () => `SELECT count(*) / count(DISTINCT ${a}) AS c1 ${from}`,
    () =>
      `SELECT k AS c1, 12 / n AS c2 FROM (SELECT ${key} AS k, count(*) FILTER (WHERE ${a} > 1) AS n ${from} GROUP BY 1) q WHERE n > 0`,
    () => `SELECT 12 / (x.n - 1) AS c1 FROM (SELECT count(*) AS n ${from} GROUP BY ${key}) x WHERE x.n > 1`,
    () => `SELECT 12 / (${a} - ${b}) AS c1 ${from} JOIN ${inner.name} y ON ${on} AND ${a} <> ${b}`,
    () => `SELECT 12 / (${a} - ${b}) AS c1 ${from}, ${inner.name} y WHERE ${on} AND ${a} > ${b}`,
    () => `SELECT ${key} AS c1, CASE WHEN ${b} <> 0 THEN 12 / ${b} END AS c2 ${from} ${join} ${inner.name} y ON ${on}`,
    () => `SELECT ${key} AS c1, 12 / ${b} AS c2 ${from} JOIN ${inner.name} y ON ${on} AND ${b} > 0`,
    () => `SELECT ${key} AS c1, sum(12 / ${b}) AS c2 ${from} JOIN ${inner.name} y ON ${on} WHERE ${b} < 0 GROUP BY 1`,
    () =>
      `SELECT ${key} AS c1, CASE WHEN EXISTS (SELECT FROM ${inner.name} y WHERE ${on}) THEN 12 / (SELECT count(*) FROM ${inner.name} y WHERE ${on}) END AS c2 ${from}`,
    () =>
      `SELECT ${key} AS c1 ${from} WHERE ${a} <> 0 AND EXISTS (SELECT FROM ${inner.name} y WHERE ${on} AND ${b} > 1)`,
    () => `SELECT ${key} AS c1 ${from} WHERE CASE WHEN ${a} <> 0 THEN 12 / ${a} > 3 END`,
    () => `SELECT ${key} AS c1, (SELECT ${b} FROM ${inner.name} y WHERE ${on}) AS c2 ${from}`,
    () => `SELECT ${key} AS c1, (SELECT ${b} FROM ${inner.name} y WHERE ${on} GROUP BY 1) AS c2 ${from} WHERE ${a} > 1`,
    () => `SELECT ${text}::int AS c1, ${key} AS c2 ${from} WHERE ${text} ~ ${number}`,
    () => `SELECT CASE WHEN ${text} ~ ${number} THEN ${text}::int END AS c1, count(*) AS c2 ${from} GROUP BY 1`,
    () => `SELECT ${key} AS c1, 12 / sum(${a}) OVER (PARTITION BY ${key}) AS c2 ${from} WHERE ${a} > 0`,
    () =>
      `SELECT c1, 12 / n AS c2 FROM (SELECT ${key} AS c1, rank() OVER (PARTITION BY ${key} ORDER BY ${a}) - 1 AS n ${from}) q WHERE n > 0`,
    () => `SELECT 12 / ${a} AS c1 ${from} WHERE ${a} <> 0 UNION SELECT ${b} FROM ${inner.name} y`,
    () => `SELECT 12 / ${a} AS c1 ${from} WHERE ${a} <> 0 EXCEPT ALL SELECT ${b} FROM ${inner.name} y`,
    () => `SELECT ${key} AS c1, 12 / ${a} AS c2 ${from} WHERE ${a} > 0 ORDER BY 1, 2 LIMIT 3`,
    () => `SELECT DISTINCT ON (${key}) ${key} AS c1, 12 / ${a} AS c2 ${from} WHERE ${a} > 0 ORDER BY ${key}, 2`,
    () =>
      `SELECT ${listed(inner)}, l.c FROM ${inner.name} y CROSS JOIN LATERAL (SELECT 12 / ${a} AS c ${from} WHERE ${on} AND ${a} > 0) l`,
  ])()
}
