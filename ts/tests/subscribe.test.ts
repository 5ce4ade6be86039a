/** `subscribe` in the process that runs PGlite. */
import { describe, expect, it, vi } from 'vitest'
import { TrickleError } from '../dist/index.js'
import type { Change } from '../dist/index.js'
import { Mirror } from './support/mirror.js'
import { openDatabase } from './support/pglite.js'
import { countChangeTriggers, openTotals, SALES, TOTALS } from './support/sales.js'
import { useFreshLab } from './support/use-lab.js'
import { eventually } from './support/eventually.js'

const lab = useFreshLab(SALES)

describe('the changes of a transaction', () => {
  it('are reported after it commits, following the initial rows', async () => {
    const mirror = await openTotals(lab)
    expect(mirror.takeChanges()[0]).toEqual(
      expect.arrayContaining([
        ['insert', [1, '15.00']],
        ['insert', [2, '7.00']],
      ]),
    )
    await lab.run('INSERT INTO sale VALUES (4, 2, 1), (5, 3, 2)')
    expect(mirror.takeChanges()).toEqual([
      expect.arrayContaining([
        ['update', [2, '7.00'], [2, '8.00']],
        ['insert', [3, '2.00']],
      ]),
    ])
    await lab.run('DELETE FROM sale WHERE shop = 1')
    expect(mirror.takeChanges()).toEqual([[['delete', [1, '15.00']]]])
    await mirror.check()
    await mirror.end()
  })

  it('are reported in one call, including what deferred triggers write at COMMIT', async () => {
    await lab.exec(`CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        UPDATE sale SET amount = amount + 100 WHERE id = NEW.id;
        IF NEW.id = 66 THEN RAISE EXCEPTION 'no'; END IF;
        RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER late AFTER INSERT ON sale DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION late()`)
    const mirror = await openTotals(lab)
    mirror.takeChanges()
    await lab.run('INSERT INTO sale VALUES (50, 7, 1)')
    expect(mirror.takeChanges()).toEqual([[['insert', [7, '101.00']]]])
    await lab.run(
      'BEGIN; INSERT INTO sale VALUES (51, 7, 1); SAVEPOINT s; INSERT INTO sale VALUES (52, 7, 1); ROLLBACK TO s; COMMIT',
    )
    expect(mirror.takeChanges()).toEqual([[['update', [7, '101.00'], [7, '202.00']]]])
    await lab.fails('INSERT INTO sale VALUES (66, 8, 1)')
    await lab.fails('BEGIN; INSERT INTO sale VALUES (66, 8, 1); COMMIT')
    expect(mirror.takeChanges()).toEqual([])
    await mirror.check()
    await mirror.end()
  })

  it('carry the row, its key and its id', async () => {
    await lab.create('totals', TOTALS)
    const calls: Change<{ shop: number; total: string }>[][] = []
    const end = await lab.pg.trickle.subscribe<{ shop: number; total: string }>('totals', (c) => calls.push(c))
    await lab.exec('UPDATE sale SET amount = 8 WHERE id = 3')
    const change = calls[1]?.[0]
    expect(change).toEqual({
      op: 'update',
      row: { shop: 2, total: '8.00' },
      old: { shop: 2, total: '7.00' },
      key: { shop: 2 },
      id: expect.any(String) as string,
    })
    expect(calls[0]?.map(({ id }) => id)).toContain(change?.id)
    expect(new Set(calls[0]?.map(({ id }) => id)).size).toBe(2)
    await end()
  })

  const NET: [name: string, sql: string, changes: unknown[][]][] = [
    [
      'two updates become one',
      'UPDATE sale SET amount = 8 WHERE id = 3; UPDATE sale SET amount = 9 WHERE id = 3',
      [[['update', [2, '7.00'], [2, '9.00']]]],
    ],
    [
      'an update and its reversal are nothing',
      'UPDATE sale SET amount = 8 WHERE id = 3; UPDATE sale SET amount = 7 WHERE id = 3',
      [],
    ],
    ['an update without a change is nothing', 'UPDATE sale SET amount = 7 WHERE id = 3', []],
    ['an insert and a delete are nothing', 'INSERT INTO sale VALUES (9, 9, 9); DELETE FROM sale WHERE id = 9', []],
    [
      'a delete and an insert of the same row are nothing',
      'DELETE FROM sale WHERE id = 3; INSERT INTO sale VALUES (3, 2, 7)',
      [],
    ],
    [
      'a delete and an insert of another row are an update',
      'DELETE FROM sale WHERE id = 3; INSERT INTO sale VALUES (3, 2, 1)',
      [[['update', [2, '7.00'], [2, '1.00']]]],
    ],
    [
      'an insert and an update are an insert',
      'INSERT INTO sale VALUES (9, 9, 9); UPDATE sale SET amount = 1 WHERE id = 9',
      [[['insert', [9, '1.00']]]],
    ],
    [
      'an update and a delete are a delete',
      'UPDATE sale SET amount = 1 WHERE id = 3; DELETE FROM sale WHERE id = 3',
      [[['delete', [2, '7.00']]]],
    ],
    [
      'two groups swap their keys',
      'UPDATE sale SET shop = 3 - shop',
      [
        expect.arrayContaining([
          ['update', [1, '15.00'], [1, '7.00']],
          ['update', [2, '7.00'], [2, '15.00']],
        ]) as unknown[],
      ],
    ],
    ['nothing after ROLLBACK', 'BEGIN; DELETE FROM sale; ROLLBACK', []],
    [
      'changes rolled back to a savepoint are left out',
      'BEGIN; UPDATE sale SET amount = 1 WHERE id = 3; SAVEPOINT a; DELETE FROM sale; ROLLBACK TO a; COMMIT',
      [[['update', [2, '7.00'], [2, '1.00']]]],
    ],
    [
      'changes before RELEASE are included',
      'BEGIN; SAVEPOINT a; SAVEPOINT b; UPDATE sale SET amount = 1 WHERE id = 3; RELEASE b; RELEASE a; COMMIT',
      [[['update', [2, '7.00'], [2, '1.00']]]],
    ],
    [
      'changes that a PL/pgSQL block rolled back are left out',
      `DO $$ BEGIN
        BEGIN DELETE FROM sale; RAISE EXCEPTION 'no'; EXCEPTION WHEN OTHERS THEN NULL; END;
        UPDATE sale SET amount = 1 WHERE id = 3;
      END $$`,
      [[['update', [2, '7.00'], [2, '1.00']]]],
    ],
    [
      'TRUNCATE deletes',
      'TRUNCATE sale',
      [
        expect.arrayContaining([
          ['delete', [1, '15.00']],
          ['delete', [2, '7.00']],
        ]) as unknown[],
      ],
    ],
  ]
  it.each(NET)('are netted: %s', async (_, sql, changes) => {
    const mirror = await openTotals(lab)
    mirror.takeChanges()
    await lab.exec(sql)
    expect(mirror.takeChanges()).toEqual(changes)
    await mirror.check()
    await mirror.end()
  })

  it('arrive in order, with one call for each transaction', async () => {
    const mirror = await openTotals(lab)
    mirror.takeChanges()
    await Promise.all([1, 2, 3].map((n) => lab.pg.query('UPDATE sale SET amount = $1 WHERE id = 3', [n])))
    expect(mirror.takeChanges().map(([change]) => (change as unknown[]).at(-1))).toEqual([
      [2, '1.00'],
      [2, '2.00'],
      [2, '3.00'],
    ])
    await mirror.end()
  })

  it('do not include those of a failed statement', async () => {
    const mirror = await openTotals(lab)
    mirror.takeChanges()
    await lab.fails('UPDATE sale SET amount = 1 / (id - 3)')
    expect(mirror.takeChanges()).toEqual([])
    await lab.run('UPDATE sale SET amount = 1 WHERE id = 3')
    expect(mirror.takeChanges()).toHaveLength(1)
    await mirror.check()
    await mirror.end()
  })

  it('are complete, however many there are', async () => {
    await lab.create('copy', 'SELECT id, amount FROM sale')
    const mirror = await Mirror.open(lab.pg, 'copy')
    await lab.exec('INSERT INTO sale SELECT g, g % 7, g FROM generate_series(10, 100009) AS g')
    expect(mirror.calls.at(-1)).toHaveLength(100_000)
    await mirror.check()
    await lab.exec('UPDATE sale SET amount = amount + 1 WHERE id <= 20000')
    expect(mirror.calls.at(-1)).toHaveLength(19_994)
    await lab.exec('DELETE FROM sale')
    expect(mirror.calls).toHaveLength(4)
    expect(mirror.rows.size).toBe(0)
    const later = await Mirror.open(lab.pg, 'copy')
    expect(later.calls).toEqual([[]])
    await later.end()
    await mirror.end()
  })
})

describe('rows', () => {
  it('are those that a query returns', async () => {
    await lab.exec(`
      CREATE TYPE mood AS ENUM ('so', 'so, so');
      CREATE TYPE pair AS (a int, b text);
      CREATE DOMAIN small AS int CHECK (VALUE < 100);
      CREATE DOMAIN tiny AS small;
      CREATE TABLE every (id int PRIMARY KEY, n8 int8, n2 int2, f float8, num numeric, b bool, t text, v varchar(9), c char(5),
        d date, ts timestamp, tz timestamptz, tm time, iv interval, j json, jb jsonb, by bytea, u uuid, ip inet,
        ia int[], ta text[], ja jsonb[], e mood, ea mood[], p pair, s tiny, r int4range, x xml, o oid, na name);
      INSERT INTO every (id) VALUES (1);
      INSERT INTO every VALUES (2, 9007199254740993, 3, 1.5, 1.50, true, 'a "b" \\c, (d)''', '', 'ab',
        '2024-02-29', '2024-02-29 12:00:01.5', '2024-02-29 12:00:01.5+02', '01:02', '1 day 02:00', '{"a": [1, "\\""]}', '{"a": {"b": null}}',
        '\\xdeadbeef', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '10.0.0.1', '{1,NULL,3}', '{"a,b","",NULL,"q\\"\\\\"}', ARRAY['{"a":1}'::jsonb],
        'so, so', '{so,"so, so"}', (1, 'x, "y"'), 42, '[1,5)', '<a>b</a>', 7, 'n');
    `)
    await lab.create('all_types', 'SELECT * FROM every')
    const mirror = await Mirror.open(lab.pg, 'all_types')
    await mirror.check()
    await lab.run(`UPDATE every SET t = E'line\\nfeed\\ttab', ta = '{}', n8 = 7 WHERE id = 2`)
    await lab.run("INSERT INTO every (id, t, v) VALUES (3, '', '\"'), (4, ',', '()')")
    await mirror.check()
    expect(mirror.rows.size).toBe(4)
    await mirror.end()
  })

  it("are parsed by the database's parsers", async () => {
    const pg = await openDatabase({ parsers: { 23: (text: string) => `int ${text}`, 1700: Number } })
    await pg.exec('CREATE TABLE t (id int PRIMARY KEY, n numeric); INSERT INTO t VALUES (1, 2.50)')
    await pg.trickle.createStreamTable('x', 'SELECT id, n FROM t')
    const mirror = await Mirror.open(pg, 'x')
    expect([...mirror.rows.values()]).toEqual([{ id: 'int 1', n: 2.5 }])
    await mirror.check()
    await pg.close()
  })

  it("include the view's expressions", async () => {
    await lab.exec('CREATE TABLE item (sale_id int, qty int)')
    await lab.create(
      'shown',
      `SELECT shop, avg(amount) AS mean, count(*) * 2 AS twice, stddev(amount) AS dev, max(qty) - min(qty) AS span
       FROM sale LEFT JOIN item ON sale_id = id GROUP BY shop HAVING count(*) > 1 ORDER BY mean DESC`,
    )
    const mirror = await Mirror.open(lab.pg, 'shown')
    expect(mirror.rows.size).toBe(1)
    for (const sql of [
      'INSERT INTO sale VALUES (4, 2, 100)',
      'INSERT INTO item VALUES (1, 4), (1, 9), (4, 1)',
      'DELETE FROM sale WHERE id = 3',
      'UPDATE item SET qty = NULL',
    ]) {
      await lab.run(sql)
      await mirror.check()
    }
    expect(mirror.rows.size).toBe(1)
    await mirror.end()
  })

  it('without a key are reported once for each duplicate', async () => {
    await lab.exec("CREATE TABLE note (a int, b text); INSERT INTO note VALUES (1, 'x'), (1, 'x'), (NULL, NULL)")
    await lab.create('notes', 'SELECT a, b FROM note')
    const mirror = await Mirror.open(lab.pg, 'notes')
    expect(mirror.takeChanges()).toEqual([
      expect.arrayContaining([
        ['insert', [1, 'x']],
        ['insert', [1, 'x']],
        ['insert', [null, null]],
      ]),
    ])
    expect([...mirror.rows.keys()]).toHaveLength(3)
    await lab.run("INSERT INTO note VALUES (1, 'x'), (1, 'x')")
    expect(mirror.rows.size).toBe(5)
    await lab.run('DELETE FROM note WHERE ctid IN (SELECT ctid FROM note WHERE a = 1 LIMIT 3)')
    await mirror.check()
    expect(mirror.rows.size).toBe(2)
    mirror.takeChanges()
    await lab.run("UPDATE note SET b = 'y' WHERE a = 1")
    expect(mirror.takeChanges()).toEqual([
      [
        ['delete', [1, 'x']],
        ['insert', [1, 'y']],
      ],
    ])
    await mirror.end()
  })

  it.each([
    ['a window', 'SELECT id, rank() OVER (PARTITION BY shop ORDER BY amount) FROM sale'],
    ['LIMIT', 'SELECT id, amount FROM sale ORDER BY amount DESC LIMIT 2'],
    ['an outer join', 'SELECT a.id, b.id AS other FROM sale a LEFT JOIN sale b ON b.id = a.shop'],
    ['EXCEPT ALL', 'SELECT shop FROM sale EXCEPT ALL SELECT id FROM sale'],
    ['INTERSECT ALL', 'SELECT shop FROM sale INTERSECT ALL SELECT shop FROM sale WHERE amount > 4'],
    ['one row', 'SELECT count(*), sum(amount) FROM sale'],
    ['grouping sets', 'SELECT shop, count(*) FROM sale GROUP BY ROLLUP (shop)'],
    [
      'recursion',
      'WITH RECURSIVE r(n) AS (SELECT min(id) FROM sale UNION ALL SELECT n + 1 FROM r WHERE n < 4) SELECT n, shop FROM r JOIN sale ON id = n',
    ],
    ['no columns', 'SELECT FROM sale WHERE amount > 5'],
    ['numeric keys', 'SELECT amount::numeric AS a, count(*) FROM sale GROUP BY 1'],
    ['a stream table below', 'SELECT total FROM below WHERE total > 6'],
  ])('of %s', async (_, query) => {
    await lab.create('below', TOTALS)
    await lab.create('above', query)
    const mirror = await Mirror.open(lab.pg, 'above')
    for (const sql of [
      'INSERT INTO sale VALUES (4, 1, 10), (5, NULL, NULL), (6, 1, 10)',
      'UPDATE sale SET amount = amount + 1, shop = 2 WHERE id < 4',
      'DELETE FROM sale WHERE id IN (1, 5)',
      'BEGIN; UPDATE sale SET amount = 0; INSERT INTO sale VALUES (7, 7, 7); COMMIT',
      'TRUNCATE sale',
      'INSERT INTO sale VALUES (1, 1, 1)',
    ]) {
      await lab.run(sql)
      await mirror.check()
    }
    await mirror.end()
  })

  it('use the given key where the stream table has none', async () => {
    await lab.create('ranks', 'SELECT id, rank() OVER (PARTITION BY shop ORDER BY amount) AS rank FROM sale')
    const mirror = await Mirror.open(lab.pg, 'ranks', { key: ['id'] })
    mirror.takeChanges()
    await lab.run('UPDATE sale SET amount = 1 WHERE id = 1')
    expect(mirror.takeChanges()).toEqual([
      expect.arrayContaining([
        ['update', [1, 2], [1, 1]],
        ['update', [2, 1], [2, 2]],
      ]),
    ])
    await mirror.check()
    const named = await Mirror.open(lab.pg, 'ranks', { key: 'id' })
    await lab.run('UPDATE sale SET amount = 11 WHERE id = 1')
    expect(named.calls[1]).toHaveLength(2)
    expect(named.calls[1]).toEqual(mirror.calls.at(-1))
    await named.end()
    await mirror.end()
    await expect(Mirror.open(lab.pg, 'ranks', { key: ['rank'] })).rejects.toMatchObject({ code: '23505' })
    await expect(Mirror.open(lab.pg, 'ranks', { key: ['nothing'] })).rejects.toMatchObject({ code: '42703' })
    expect(await countChangeTriggers(lab.pg)).toBe(0)
  })

  it('have no key when the given list is empty', async () => {
    await lab.create('ranks', 'SELECT id, rank() OVER (PARTITION BY shop ORDER BY amount) AS rank FROM sale')
    const mirror = await Mirror.open(lab.pg, 'ranks', { key: [] })
    await lab.run('UPDATE sale SET amount = 1 WHERE id = 1')
    expect(mirror.rows.size).toBe(3)
    await mirror.check()
    await mirror.end()
  })
})

describe('subscriptions', () => {
  it('cost nothing when there are none', async () => {
    await lab.create('totals', TOTALS)
    expect(await countChangeTriggers(lab.pg)).toBe(0)
    const first = await Mirror.open(lab.pg, 'totals')
    const made = await countChangeTriggers(lab.pg)
    expect(made).toBeGreaterThan(0)
    const second = await Mirror.open(lab.pg, 'totals')
    expect(await countChangeTriggers(lab.pg)).toBe(made)
    await first.end()
    expect(await countChangeTriggers(lab.pg)).toBe(made)
    await second.end()
    expect(await countChangeTriggers(lab.pg)).toBe(0)
  })

  it('leave the triggers that another stream table needs', async () => {
    await lab.create('totals', TOTALS)
    await lab.create('large', 'SELECT shop FROM totals WHERE total > 10')
    const before = await countChangeTriggers(lab.pg)
    const mirror = await Mirror.open(lab.pg, 'totals')
    await mirror.end()
    expect(await countChangeTriggers(lab.pg)).toBe(before)
    await lab.run('UPDATE sale SET amount = 100')
  })

  it('can be many, and a later one starts with the current rows', async () => {
    const first = await openTotals(lab)
    await lab.run('INSERT INTO sale VALUES (4, 4, 4)')
    const [second, third] = await Promise.all([Mirror.open(lab.pg, 'totals'), Mirror.open(lab.pg, 'test.totals')])
    expect(second.rows).toEqual(first.rows)
    await lab.run('DELETE FROM sale WHERE id = 4')
    for (const mirror of [first, second, third]) await mirror.check()
    await first.end()
    await lab.run('DELETE FROM sale WHERE id = 3')
    expect(first.calls).toHaveLength(3)
    for (const mirror of [second, third]) await mirror.check()
    await second.end()
    await third.end()
  })

  it('may start while changes are being made', async () => {
    await lab.create('copy', 'SELECT id, amount FROM sale')
    const changes = Array.from({ length: 50 }, (_, n) => lab.pg.query('INSERT INTO sale VALUES ($1, 1, 1)', [n + 10]))
    const mirrors = await Promise.all(Array.from({ length: 5 }, () => Mirror.open(lab.pg, 'copy')))
    await Promise.all(changes)
    await lab.run('UPDATE sale SET amount = 2')
    for (const mirror of mirrors) {
      await mirror.check()
      await mirror.end()
    }
  })

  it.each([0, 1, 2, 3, 4])('may start while the last one ends, %i microtasks after the first query', async (turns) => {
    await lab.create('totals', TOTALS)
    const end = await lab.pg.trickle.subscribe('totals', () => undefined)
    const { query } = lab.pg
    let ended: Promise<void> | undefined
    lab.pg.query = (async (...given: Parameters<typeof query>) => {
      const answer = await query.apply(lab.pg, given)
      ended ??= (async () => {
        for (let turn = 0; turn < turns; turn++) await undefined
        return end()
      })()
      return answer
    }) as typeof query
    const mirror = await Mirror.open(lab.pg, 'totals').finally(() => (lab.pg.query = query))
    await ended
    await lab.run('UPDATE sale SET amount = amount + 1 WHERE id = 1')
    expect(mirror.calls).toHaveLength(2)
    await mirror.check()
    await mirror.end()
  })

  it('without initial rows start with the changes', async () => {
    await lab.create('totals', TOTALS)
    const calls: Change[][] = []
    const end = await lab.pg.trickle.subscribe('totals', (changes) => calls.push(changes), { initial: false })
    expect(calls).toEqual([])
    await lab.run('UPDATE sale SET amount = 1 WHERE id = 3')
    expect(calls).toMatchObject([[{ op: 'update', row: { shop: 2, total: '1.00' }, old: { shop: 2, total: '7.00' } }]])
    await end()
  })

  it('end once, also from within the callback', async () => {
    await lab.create('totals', TOTALS)
    const other = await Mirror.open(lab.pg, 'totals')
    let calls = 0
    const end = await lab.pg.trickle.subscribe('totals', () => {
      calls += 1
      if (calls > 1) void end()
    })
    await lab.run('UPDATE sale SET amount = 1 WHERE id = 3')
    await lab.run('UPDATE sale SET amount = 2 WHERE id = 3')
    expect(calls).toBe(2)
    await Promise.all([end(), end()])
    await other.check()
    await other.end()
    expect(await countChangeTriggers(lab.pg)).toBe(0)
    await end()
  })

  it('can be started in a callback', async () => {
    await lab.create('totals', TOTALS)
    let inner: Promise<Mirror> | undefined
    const end = await lab.pg.trickle.subscribe('totals', () => {
      inner ??= Mirror.open(lab.pg, 'totals')
    })
    const mirror = await (inner as unknown as Promise<Mirror>)
    await lab.run('DELETE FROM sale WHERE id = 3')
    await mirror.check()
    await mirror.end()
    await end()
  })

  it('go on after an error in a callback', async () => {
    await lab.create('totals', TOTALS)
    const errors: TrickleError[] = []
    const broken = await lab.pg.trickle.subscribe(
      'totals',
      () => {
        throw new Error('from the callback')
      },
      { onError: (error) => errors.push(error) },
    )
    const rejecting = await lab.pg.trickle.subscribe('totals', () => Promise.reject(new Error('rejected')), {
      onError: (error) => errors.push(error),
    })
    const failing = await lab.pg.trickle.subscribe('totals', () => Promise.reject(new Error('reported in vain')), {
      onError: async () => {
        throw new Error('in onError')
      },
    })
    const consoleError = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const silent = await lab.pg.trickle.subscribe('totals', () => {
      throw new Error('without onError')
    })
    const mirror = await Mirror.open(lab.pg, 'totals')
    await lab.run('UPDATE sale SET amount = 1 WHERE id = 3')
    await mirror.check()
    expect(consoleError.mock.calls.map(([error]) => (error as Error).message).sort()).toEqual([
      'a subscriber of totals failed: Error: without onError',
      'a subscriber of totals failed: Error: without onError',
      'in onError',
    ])
    consoleError.mockRestore()
    expect(errors.map((error) => [error.name, (error.cause as Error).message, error.streamTable])).toEqual([
      ['TrickleError', 'from the callback', 'totals'],
      ['TrickleError', 'rejected', 'totals'],
      ['TrickleError', 'from the callback', 'totals'],
      ['TrickleError', 'rejected', 'totals'],
    ])
    for (const end of [broken, rejecting, failing, silent, mirror.end]) await end()
  })

  it('end with an error when the records cannot be parsed', async () => {
    await lab.create('totals', TOTALS)
    const mirror = await Mirror.open(lab.pg, 'totals')
    const { decode } = TextDecoder.prototype
    const broken = vi.spyOn(TextDecoder.prototype, 'decode').mockImplementation(function (this: TextDecoder, bytes) {
      if (bytes instanceof Uint8Array && '+-'.includes(String.fromCharCode(bytes[0] ?? 0)))
        throw new RangeError('too long')
      return decode.call(this, bytes)
    })
    await lab.exec('UPDATE sale SET amount = 1 WHERE id = 3')
    broken.mockRestore()
    expect(mirror.errors).toMatchObject([{ message: 'too long', streamTable: 'totals' }])
    await eventually(async () => expect(await countChangeTriggers(lab.pg)).toBe(0))
    const next = await Mirror.open(lab.pg, 'totals')
    await next.check()
    await next.end()
  })

  it('are refused for anything but a stream table', async () => {
    for (const [name, code] of [
      ['nothing', '42P01'],
      ['sale', '42809'],
      ['a b', '42602'],
    ] as const) {
      const error = await Mirror.open(lab.pg, name).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(TrickleError)
      expect(error).toMatchObject({ code, streamTable: name })
    }
  })

  it('require the right to read the stream table', async () => {
    await lab.create('totals', TOTALS)
    await lab.exec('CREATE ROLE guest; GRANT USAGE ON SCHEMA test TO guest; SET ROLE guest')
    await expect(Mirror.open(lab.pg, 'totals')).rejects.toMatchObject({ code: '42501' })
    await lab.exec('RESET ROLE; GRANT SELECT ON totals TO guest; SET ROLE guest')
    const mirror = await Mirror.open(lab.pg, 'totals')
    await lab.exec('RESET ROLE; UPDATE sale SET amount = 3')
    await mirror.check()
    await mirror.end()
    await lab.exec('DROP OWNED BY guest; DROP ROLE guest')
  })
})
