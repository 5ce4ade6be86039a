import { beforeEach, describe, expect, test } from 'vitest'
import { TrickleError } from '../dist/index.js'
import type { Lab } from './support/lab.js'
import { useLab } from './support/use-lab.js'

let before: Record<string, number>

const lab: Lab = useLab(async () => {
  await lab.exec('CREATE TABLE t (id int PRIMARY KEY, k int, v int); INSERT INTO t VALUES (1, 1, 1), (2, 2, 2)')
  await lab.exec('CREATE TABLE "Mixed" (a int); CREATE SEQUENCE seq')
  await lab.exec('CREATE VIEW volatile_view AS SELECT id, random() AS r FROM t')
  await lab.exec('CREATE FUNCTION my_volatile(int) RETURNS int LANGUAGE sql VOLATILE AS $$ SELECT $1 $$')
  await lab.exec('CREATE FUNCTION volatile_equal(int, text) RETURNS bool LANGUAGE sql VOLATILE AS $$ SELECT true $$')
  await lab.exec('CREATE OPERATOR ~~~ (leftarg = int, rightarg = text, function = volatile_equal)')
  await lab.exec('CREATE VIEW plain AS SELECT id FROM t')
  await lab.exec('CREATE MATERIALIZED VIEW mv AS SELECT id FROM t; CREATE VIEW over_mv AS SELECT id FROM mv')
  await lab.exec(
    'CREATE TEMP TABLE passing (a int); CREATE TABLE parent (a int); CREATE TEMP TABLE child () INHERITS (parent)',
  )
  await lab.create('existing', 'SELECT id FROM t')
  before = await lab.inventory()
})
beforeEach(async () => {
  await lab.exec('ROLLBACK')
  // What a failed test has left behind must not break the next one.
  for (const { schema, name } of await lab.pg.trickle.listStreamTables()) {
    if (name !== 'existing') await lab.pg.trickle.dropStreamTable(`"${schema}"."${name}"`, { cascade: true })
  }
  lab.notices.length = 0
})

/** Returns the error of creating `name`, after checks that apply to every bad input. */
async function refused(name: string, query: string): Promise<TrickleError> {
  const error = await lab.pg.trickle.createStreamTable(name, query).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error, 'should be refused').toBeInstanceOf(TrickleError)
  const failure = error as TrickleError
  expect(failure.streamTable).toBe(name)
  expect(failure.cause).toBeInstanceOf(Error)
  expect(failure.hint, 'hint').toMatch(/\w{3}/)
  // No addresses, internal codes, or names of our own files and functions.
  expect(failure.message).not.toMatch(/0x[0-9a-f]{4}|XX000|panicked|\.rs\b|unwrap|pgtrickle\.(def|st)_/)
  expect(failure.code).toMatch(/^[0-9A-Z]{5}$/)
  expect(failure.code).not.toBe('XX000')
  expect(await lab.inventory(), 'left behind').toEqual(before)
  await lab.run('INSERT INTO t VALUES (3, 3, 3)')
  await lab.run('DELETE FROM t WHERE id = 3')
  return failure
}

interface Bad {
  name: string
  query: string
  code: string
  /** What the message, hint or fragment must mention. */
  about: RegExp
  stream?: string
}

const QUERIES: Bad[] = [
  { name: 'an unknown table', query: 'SELECT * FROM missing', code: '42P01', about: /missing/ },
  { name: 'an unknown schema', query: 'SELECT * FROM nowhere.t', code: '42P01', about: /nowhere/ },
  { name: 'a name that needs quotes', query: 'SELECT a FROM Mixed', code: '42P01', about: /mixed/ },
  { name: 'an unknown column', query: 'SELECT id, wrong FROM t', code: '42703', about: /wrong/ },
  {
    name: 'an unknown function',
    query: 'SELECT nothing_like_it(id) FROM t',
    code: '42883',
    about: /nothing_like_it/,
  },
  { name: 'an unknown type', query: 'SELECT id::unheard FROM t', code: '42704', about: /unheard/ },
  { name: 'a syntax error', query: 'SELEC id FROM t', code: '42601', about: /SELEC/ },
  { name: 'a syntax error in the middle', query: 'SELECT id FROM t WHERE AND', code: '42601', about: /AND/ },
  { name: 'an unfinished string', query: "SELECT 'abc FROM t", code: '42601', about: /abc/ },
  { name: 'an unfinished query', query: 'SELECT id FROM', code: '42601', about: /end of input/ },
  { name: 'an unclosed comment', query: 'SELECT id FROM t /* never closed', code: '42601', about: /comment/ },
  {
    name: 'two statements',
    query: 'SELECT 1 AS a; SELECT 2 AS b',
    code: '42601',
    about: /one|several|multiple|single/i,
  },
  {
    name: 'a statement that conceals another',
    query: 'SELECT 1 AS a; DROP TABLE t',
    code: '42601',
    about: /one|several|multiple|single|SELECT/i,
  },
  {
    name: 'text that ends the view, and another statement',
    query: 'SELECT 1 AS a) ; DROP TABLE t; --',
    code: '42601',
    about: /\)/,
  },
  { name: 'no query', query: '', code: '42601', about: /empty|no query|SELECT/i },
  {
    name: 'only white space and comments',
    query: '  -- nothing\n /* at all */ ',
    code: '42601',
    about: /empty|no query|SELECT/i,
  },
  { name: 'an INSERT', query: 'INSERT INTO t VALUES (9, 9, 9)', code: '42601|42809|0A000', about: /SELECT/ },
  {
    name: 'a DELETE with RETURNING',
    query: 'DELETE FROM t RETURNING *',
    code: '42601|42809|0A000',
    about: /SELECT/,
  },
  { name: 'DDL', query: 'CREATE TABLE x (y int)', code: '42601|42809|0A000', about: /SELECT/ },
  { name: 'EXPLAIN', query: 'EXPLAIN SELECT * FROM t', code: '42601|42809|0A000', about: /SELECT/ },
  {
    name: 'a data-modifying CTE',
    query: 'WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d',
    code: '42601|0A000',
    about: /WITH|DELETE|modif/i,
  },
  { name: 'SELECT INTO', query: 'SELECT * INTO copy FROM t', code: '42601|0A000', about: /INTO/ },
  {
    name: 'a parameter',
    query: 'SELECT * FROM t WHERE id = $1',
    code: '42P02|0A000',
    about: /\$1|parameter/,
  },
  { name: 'duplicate columns', query: 'SELECT id, k AS id FROM t', code: '42701', about: /id/ },
  {
    name: 'duplicate columns of a join',
    query: 'SELECT * FROM t a JOIN t b ON a.id = b.id',
    code: '42701',
    about: /id/,
  },
  {
    name: 'an ungrouped column',
    query: 'SELECT id, v, count(*) FROM t GROUP BY v',
    code: '42803',
    about: /id/,
  },
  { name: 'random()', query: 'SELECT id, random() AS r FROM t', code: '0A000', about: /random/ },
  {
    name: 'a volatile function in WHERE',
    query: 'SELECT id FROM t WHERE v > random()',
    code: '0A000',
    about: /random/,
  },
  {
    name: 'a volatile function in ORDER BY',
    query: 'SELECT id FROM t ORDER BY random()',
    code: '0A000',
    about: /random/,
  },
  {
    name: 'a volatile function in LIMIT',
    query: 'SELECT id FROM t ORDER BY id LIMIT (random() * 3)::int',
    code: '0A000',
    about: /random/,
  },
  {
    name: 'a volatile function in a subquery',
    query: 'SELECT id FROM t WHERE id IN (SELECT (random() * k)::int FROM t)',
    code: '0A000',
    about: /random/,
  },
  {
    name: 'a volatile function in a CTE',
    query: 'WITH x AS (SELECT clock_timestamp() AS c) SELECT id FROM t, x',
    code: '0A000',
    about: /clock_timestamp/,
  },
  {
    name: 'a volatile function in FROM',
    query: 'SELECT * FROM my_volatile(1) f',
    code: '0A000',
    about: /my_volatile/,
  },
  {
    name: 'a volatile function of the user',
    query: 'SELECT my_volatile(v) AS m FROM t',
    code: '0A000',
    about: /my_volatile/,
  },
  {
    name: 'a volatile function behind an operator',
    query: "SELECT id FROM t WHERE id ~~~ 'x'",
    code: '0A000',
    about: /volatile_equal|~~~/,
  },
  {
    name: 'a volatile function behind a view',
    query: 'SELECT r FROM volatile_view',
    code: '0A000',
    about: /random/,
  },
  {
    name: 'a volatile function in HAVING',
    query: 'SELECT k FROM t GROUP BY k HAVING count(*) > random()',
    code: '0A000',
    about: /random/,
  },
  {
    name: 'a volatile function in an aggregate',
    query: 'SELECT sum(random()) AS s FROM t',
    code: '0A000',
    about: /random/,
  },
  { name: 'nextval', query: "SELECT id, nextval('seq') AS n FROM t", code: '0A000', about: /nextval/ },
]

describe('queries that are refused', () => {
  test.each(QUERIES)('$name', async ({ query, code, about }) => {
    const error = await refused('st', query)
    expect(error.code).toMatch(new RegExp(`^(${code})$`))
    expect([error.message, error.hint, error.fragment].join('\n')).toMatch(about)
  })

  test('the error shows the piece of SQL', async () => {
    expect((await refused('st', 'SELECT id FROM t WHERE wrong > 1')).fragment).toMatch(/^wrong/)
    expect((await refused('st', "SELECT 'ü🐘' AS a, id FROM missing WHERE true")).fragment).toMatch(/^missing/)
    expect((await refused('st', 'SELECT id FROM t WHERE id = = 2')).fragment).toMatch(/^=/)
    expect((await refused('st', 'SELECT id, random() AS r FROM t')).fragment).toContain('random()')
  })

  test.each([
    ['a materialized view', 'SELECT * FROM mv', 'mv'],
    ['a materialized view behind a view', 'SELECT * FROM over_mv', 'mv'],
    ['a sequence', 'SELECT last_value FROM seq', 'seq'],
    ['a system catalog', 'SELECT relname FROM pg_class', 'pg_class'],
    ['a volatile function', 'SELECT id, my_volatile(id) AS r FROM t', 'my_volatile()'],
    ['a temporary table', 'SELECT a FROM t JOIN passing ON a = id', 'passing'],
    [
      'a temporary table in a subquery',
      'SELECT id FROM t WHERE id IN (SELECT a FROM pg_temp.passing)',
      'pg_temp.passing',
    ],
    ['a temporary child', 'SELECT a FROM parent', 'pg_temp.child'],
  ])('as it stands in the query: %s', async (_, query, fragment) => {
    expect(await refused('st', query)).toMatchObject({ code: '0A000', fragment })
  })

  test('a CTE is no temporary table, and a table no temporary one of its name', async () => {
    await lab.exec('CREATE TABLE public.passing (b int)')
    try {
      await lab.create('st', 'WITH passing AS (SELECT id AS a FROM t) SELECT a FROM passing')
      await lab.create('other', 'SELECT b FROM public.passing')
    } finally {
      lab.watched.clear()
      await lab.exec('DROP TABLE public.passing CASCADE')
      await lab.pg.trickle.dropStreamTable('st')
    }
    expect(await lab.inventory()).toEqual(before)
  })
})

const NAMES: Bad[] = [
  {
    name: 'the name of a stream table',
    stream: 'existing',
    query: 'SELECT 1 AS a',
    code: '42P07',
    about: /existing/,
  },
  { name: 'a name that a table has', stream: 't', query: 'SELECT 1 AS a', code: '42P07', about: /\bt\b/ },
  { name: 'a name that a view has', stream: 'plain', query: 'SELECT 1 AS a', code: '42P07', about: /plain/ },
  {
    name: 'the name of a sequence',
    stream: 'public.seq',
    query: 'SELECT 1 AS a',
    code: '42P07',
    about: /seq/,
  },
  {
    name: 'the name of an index',
    stream: 't_pkey',
    query: 'SELECT 1 AS a',
    code: '42P07',
    about: /t_pkey/,
  },
  {
    name: 'a schema that does not exist',
    stream: 'nowhere.st',
    query: 'SELECT 1 AS a',
    code: '3F000',
    about: /nowhere/,
  },
  { name: 'a name of 64 bytes', stream: 'n'.repeat(64), query: 'SELECT 1 AS a', code: '42622', about: /63/ },
  {
    name: 'a name of 64 bytes in 32 characters',
    stream: `"${'ü'.repeat(32)}"`,
    query: 'SELECT 1 AS a',
    code: '42622',
    about: /63/,
  },
  { name: 'no name', stream: '', query: 'SELECT 1 AS a', code: '42602', about: /name/ },
  { name: 'blanks for a name', stream: '  ', query: 'SELECT 1 AS a', code: '42602', about: /name/ },
  {
    name: 'an empty quoted name',
    stream: '""',
    query: 'SELECT 1 AS a',
    code: '42602|42601',
    about: /name|identifier/,
  },
  { name: 'an unclosed quote', stream: '"st', query: 'SELECT 1 AS a', code: '42602', about: /"st/ },
  { name: 'two words', stream: 'my table', query: 'SELECT 1 AS a', code: '42602', about: /my table/ },
  {
    name: 'too many dots',
    stream: 'a.b.c.d',
    query: 'SELECT 1 AS a',
    code: '42602|42601|0A000',
    about: /a\.b\.c\.d/,
  },
  { name: 'a dot at the end', stream: 'public.', query: 'SELECT 1 AS a', code: '42602', about: /public/ },
  {
    name: 'SQL as a name',
    stream: 'st; DROP TABLE t',
    query: 'SELECT 1 AS a',
    code: '42602',
    about: /DROP/,
  },
  {
    name: "the extension's own schema",
    stream: 'pgtrickle.mine',
    query: 'SELECT 1 AS a',
    code: '42939|0A000|42501',
    about: /pgtrickle/,
  },
]

describe('names that are refused', () => {
  test.each(NAMES)('$name', async ({ stream = '', query, code, about }) => {
    const error = await refused(stream, query)
    expect(error.code).toMatch(new RegExp(`^(${code})$`))
    expect([error.message, error.hint].join('\n')).toMatch(about)
  })

  test('orReplace does not replace anything but a stream table', async () => {
    for (const name of ['t', 'plain', 'seq']) {
      const replaced = lab.pg.trickle.createStreamTable(name, 'SELECT 1 AS a', { orReplace: true })
      await expect(replaced, name).rejects.toMatchObject({
        code: expect.stringMatching(/^(42P07|42809)$/),
        streamTable: name,
      })
    }
    expect(await lab.inventory()).toEqual(before)
  })

  test('ifNotExists does not mistake a table for a stream table', async () => {
    const creation = lab.pg.trickle.createStreamTable('t', 'SELECT 1 AS a', { ifNotExists: true })
    await expect(creation).rejects.toMatchObject({ code: expect.stringMatching(/^(42P07|42809)$/) })
    expect(await lab.inventory()).toEqual(before)
  })
})

describe('arguments that are refused', () => {
  const calls: [string, string, string, RegExp][] = [
    [
      'refresh mode DIFFERENTIAL',
      "'st', 'SELECT 1 AS a', NULL, 'DIFFERENTIAL'",
      '0A000',
      /^Not supported in PGlite: DIFFERENTIAL refresh mode\. Use IMMEDIATE mode\.$/,
    ],
    [
      'refresh mode FULL',
      "'st', 'SELECT 1 AS a', NULL, 'full'",
      '0A000',
      /^Not supported in PGlite: FULL refresh mode\. Use IMMEDIATE mode\.$/,
    ],
    ['an unknown refresh mode', "'st', 'SELECT 1 AS a', NULL, 'sometimes'", '0A000|22023', /sometimes/i],
    ['a schedule', "'st', 'SELECT 1 AS a', '5 minutes'", '0A000', /schedule/i],
    ['no name', "NULL, 'SELECT 1 AS a'", '22004|42602', /name/],
    ['no query', "'st', NULL", '22004|42601', /query/],
  ]
  test.each(calls)('%s', async (_, args, code, message) => {
    for (const name of ['create_stream_table', 'create_stream_table_if_not_exists', 'create_or_replace_stream_table']) {
      const error = await lab.fails(`SELECT pgtrickle.${name}(${args})`)
      expect(error.code, name).toMatch(new RegExp(`^(${code})$`))
      expect(error.message, name).toMatch(message)
      expect(error.hint ?? error.message, name).toMatch(/\w{3}/)
    }
    expect(await lab.inventory()).toEqual(before)
  })

  const unknown = [
    "drop_stream_table('none')",
    "drop_stream_table('nowhere.none', true)",
    "alter_stream_table('none', 'SELECT 1 AS a')",
    "refresh_stream_table('none')",
    "verify_stream_table('none')",
    "explain_st('none')",
    "explain_st_json('none')",
    "list_sources('none')",
    "drop_stream_table('t')",
    "refresh_stream_table('plain')",
  ]
  test.each(unknown)('a stream table that does not exist: %s', async (call) => {
    const error = await lab.fails(`SELECT * FROM pgtrickle.${call}`)
    expect(error.code).toMatch(/^(42P01|42809)$/)
    expect(error.message).toMatch(/none|t\b|plain/)
    expect(error.hint).toMatch(/\w{3}/)
    expect(await lab.inventory()).toEqual(before)
  })

  test('users cannot call the trigger function', async () => {
    await lab.exec('CREATE TABLE victim (a int)')
    // It is refused or has no effect, because a table that is not a source has nothing to maintain.
    await lab
      .exec(
        'CREATE TRIGGER x AFTER INSERT ON victim FOR EACH ROW EXECUTE FUNCTION pgtrickle.maintain(); INSERT INTO victim VALUES (1)',
      )
      .catch((error: { code: string }) => expect(error.code).not.toBe('XX000'))
    await lab.exec('DROP TABLE victim')
    const called = await lab.fails('SELECT pgtrickle.maintain()')
    expect(called.code).toMatch(/^(0A000|39P01)$/)
    await lab.run('INSERT INTO t VALUES (3, 3, 3)')
    await lab.run('DELETE FROM t WHERE id = 3')
  })
})

describe('creation by another role', () => {
  test('requires the right to read the sources', async () => {
    await lab.exec('CREATE ROLE nobody; GRANT CREATE, USAGE ON SCHEMA public TO nobody; SET ROLE nobody')
    try {
      await expect(lab.pg.trickle.createStreamTable('st', 'SELECT * FROM t')).rejects.toMatchObject({
        code: '42501',
        streamTable: 'st',
      })
      await expect(lab.pg.trickle.dropStreamTable('existing')).rejects.toMatchObject({ code: '42501' })
    } finally {
      await lab.exec('RESET ROLE; DROP OWNED BY nobody; DROP ROLE nobody')
    }
    expect(await lab.inventory()).toEqual(before)
  })
})
