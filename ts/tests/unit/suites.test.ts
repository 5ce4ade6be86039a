/** What the recipe `suite-postgres` is made of: reading psql's scripts, and comparing results. */
import { describe, expect, test } from 'vitest'
import { difference } from '../suites/compare.js'
import { queryOf, statementsOf } from '../suites/script.js'

describe('a script of psql', () => {
  test.each([
    ['comments and quotes', `SELECT ';' -- ;\n, "a;b" /* ; /* ; */ */, E'\\';', $q$;$q$; SELECT 2`, 2],
    ['parentheses, as in rules', 'CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3;', 2],
    [
      'a function in SQL',
      'CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 3;',
      2,
    ],
    ['commands', '\\pset null x\nSELECT 1 \\g\n\\if :x\nSELECT 2 \\; SELECT 3;\n\\endif\nSELECT 4 AS a \\gset\n', 4],
  ])('%s', (_, script, count) => {
    expect(statementsOf(script, '/suite')).toHaveLength(count)
  })

  test('rows of COPY, and variables', () => {
    const script = `\\getenv abs_srcdir PG_ABS_SRCDIR
\\set file :abs_srcdir '/data/t.data'
COPY t FROM :'file';
COPY u (a) FROM STDIN WITH (FORMAT csv);
1;2
it's
\\.
SELECT 1;`
    expect(statementsOf(script, '/suite')).toEqual([
      { sql: "COPY t FROM '/suite/data/t.data'" },
      { sql: 'COPY u (a) FROM STDIN WITH (FORMAT csv)', rows: "1;2\nit's\n" },
      { sql: 'SELECT 1' },
    ])
  })

  test.each([
    ['SELECT 1', 'SELECT 1'],
    ['(SELECT 1) UNION VALUES (2)', '(SELECT 1) UNION VALUES (2)'],
    ['EXPLAIN (COSTS OFF) SELECT 1', 'SELECT 1'],
    ['explain verbose select 1', 'select 1'],
    ['CREATE OR REPLACE TEMP VIEW "a b" (x, y) AS SELECT 1, 2 WITH LOCAL CHECK OPTION', 'SELECT 1, 2 '],
    ['CREATE TABLE t AS TABLE u WITH NO DATA', 'TABLE u '],
    ['DECLARE c SCROLL CURSOR FOR SELECT 1', 'SELECT 1'],
    ['SELECT * INTO t FROM u', undefined],
    ['WITH w AS (DELETE FROM t RETURNING *) SELECT * FROM w', undefined],
    ['PREPARE p AS SELECT $1', undefined],
    ['INSERT INTO t SELECT 1', undefined],
  ])('the query of %s', (sql, query) => {
    expect(queryOf(sql)).toBe(query)
  })
})

describe('a difference', () => {
  test.each([
    [
      ['(1)', '(1)'],
      ['(1)', '(1)'],
    ],
    [
      ['(1)', '(2)'],
      ['(2)', '(1)'],
    ],
    [['(0.30000000000000004,a)'], ['(0.3,a)']],
    [['(1.00)'], ['(1.0)']],
  ])('there is none between %j and %j', (expected, actual) => {
    expect(difference(expected, actual)).toBeUndefined()
  })

  test.each([
    [['(1)', '(1)'], ['(1)'], { missing: ['(1)'], extra: [] }],
    [['(1)'], ['(2)'], { missing: ['(1)'], extra: ['(2)'] }],
    [['(123456789)'], ['(123456788)'], { missing: ['(123456789)'], extra: ['(123456788)'] }],
    [['(0.31)'], ['(0.3)'], { missing: ['(0.31)'], extra: ['(0.3)'] }],
    [['()'], ['()', '()'], { missing: [], extra: ['()'] }],
  ])('there is one between %j and %j', (expected, actual, found) => {
    expect(difference(expected, actual)).toEqual(found)
  })
})
