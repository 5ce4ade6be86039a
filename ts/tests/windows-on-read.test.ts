/** Windows that the view computes over stored rows: `windows: 'onRead'`. */
import { describe, expect, it } from 'vitest'
import { firstSeed, Rng } from './random/rng.js'
import { Mirror } from './support/mirror.js'
import { useFreshLab } from './support/use-lab.js'

const PLAYERS = `
  CREATE TABLE team (id int PRIMARY KEY, name text NOT NULL);
  CREATE TABLE player (id int PRIMARY KEY, team int, total int);
  CREATE TABLE game (player int, points int);
  INSERT INTO team SELECT i, 't' || i FROM generate_series(0, 3) i;
  INSERT INTO player SELECT i, nullif(i % 4, 3), i * 7 % 11 FROM generate_series(1, 20) i;
  INSERT INTO game SELECT i % 7, i % 5 FROM generate_series(1, 40) i;`

const ON_READ = {
  places: 'SELECT id, total, rank() OVER (ORDER BY total DESC NULLS LAST) AS place FROM player',
  by_team: `SELECT p.id, name, sum(total) OVER w AS s, row_number() OVER (PARTITION BY name ORDER BY total, p.id) AS n
    FROM player p JOIN team ON team.id = p.team WINDOW w AS (PARTITION BY name) ORDER BY p.id DESC`,
  of_groups: `SELECT player AS who, sum(points) AS points, dense_rank() OVER (ORDER BY sum(points) DESC) AS place
    FROM game GROUP BY player HAVING count(*) > 1`,
  hidden:
    'SELECT ntile(3) OVER (ORDER BY id) AS third, cume_dist() OVER (PARTITION BY team ORDER BY id) AS c FROM player WHERE total > 2',
  other_names:
    'SELECT team AS c3, count(*) AS c1, rank() OVER (ORDER BY sum(total), team) AS c2 FROM player GROUP BY team',
  without_key: 'SELECT points, count(*) OVER (PARTITION BY player ORDER BY points) AS n FROM game',
  of_a_union: `SELECT v, rank() OVER (ORDER BY v) AS r FROM (SELECT total AS v FROM player UNION ALL SELECT points FROM game) q`,
  outer_joined:
    'SELECT team.id, p.id AS pid, lag(p.id) OVER (ORDER BY team.id, p.id) AS l FROM team LEFT JOIN player p ON p.team = team.id',
}

const lab = useFreshLab(PLAYERS)

async function createOnRead(queries: Record<string, string>): Promise<void> {
  for (const [name, query] of Object.entries(queries)) {
    await lab.pg.trickle.createStreamTable(name, query, { windows: 'onRead' })
    await lab.watch(name, query)
  }
}

function change(rng: Rng, next: () => number): string {
  const value = () => (rng.int(0, 6) === 0 ? 'NULL' : `${rng.int(0, 11)}`)
  return rng.pick([
    () => `INSERT INTO player VALUES (${next()}, ${rng.int(0, 3)}, ${value()})`,
    () => `UPDATE player SET total = ${value()} WHERE id % ${rng.int(2, 7)} = 0`,
    () => `UPDATE player SET team = ${value()} WHERE id = ${rng.int(1, 20)}`,
    () => `DELETE FROM player WHERE id = ${rng.int(1, 30)}`,
    () => `INSERT INTO game VALUES (${value()}, ${value()}), (${value()}, 3)`,
    () => `UPDATE game SET points = points + 1 WHERE player = ${rng.int(0, 6)}`,
    () => `DELETE FROM game WHERE points = ${rng.int(0, 5)}`,
    () => `UPDATE team SET name = 't' || ${rng.int(0, 3)} WHERE id = ${rng.int(0, 3)}`,
    () => `WITH x AS (UPDATE team SET name = name || 'x' WHERE id = 1) UPDATE player SET total = total + 1`,
  ])()
}

describe('windows on read', () => {
  it('are right after random changes, below another stream table as well', async () => {
    await createOnRead(ON_READ)
    await lab.create('above', 'SELECT place, count(*) AS n FROM places GROUP BY place')
    const seed = firstSeed()
    const rng = new Rng(seed)
    let next = 100
    for (let turn = 0; turn < 60; turn++) await lab.run(change(rng, () => next++))
    await lab.run('DELETE FROM game')
    await lab.run('TRUNCATE player')
    await lab.run('INSERT INTO player SELECT i, i % 3, i % 5 FROM generate_series(1, 9) i')
    await lab.checkRefresh()
  })

  it('are stored nowhere, and explain says so', async () => {
    await createOnRead(ON_READ)
    for (const name of Object.keys(ON_READ)) {
      const plan = await lab.pg.trickle.explainStreamTable(name)
      expect(plan.way, name).toBe('fold')
      const { rows } = await lab.pg.query<{ value: string }>(
        `SELECT value FROM pgtrickle.explain_st('${name}') WHERE key = 'operators'`,
      )
      expect(rows.at(-1)?.value, name).toContain('windows, computed on read')
    }
    await lab.create('stored', ON_READ.places)
    expect((await lab.pg.trickle.explainStreamTable('stored')).way).toBe('rekey')
  })

  it('reach subscribers as the same changes', async () => {
    await createOnRead({ places: ON_READ.places, of_groups: ON_READ.of_groups })
    await lab.create('stored', ON_READ.places)
    const mirrors = [
      await Mirror.open(lab.pg, 'places', { key: ['id'] }),
      await Mirror.open(lab.pg, 'stored', { key: ['id'] }),
      await Mirror.open(lab.pg, 'of_groups'),
    ]
    const seed = firstSeed()
    const rng = new Rng(seed)
    let next = 100
    for (let turn = 0; turn < 40; turn++) {
      const sql = change(rng, () => next++)
      await lab.run(sql)
      for (const mirror of mirrors) await mirror.check()
      const [own, stored] = mirrors.map(
        (mirror) =>
          new Set(
            mirror
              .takeChanges()
              .flat()
              .map((each) => JSON.stringify(each)),
          ),
      )
      expect(own, `SEED=${seed}, change ${turn}: ${sql}`).toEqual(stored)
    }
    for (const mirror of mirrors) await mirror.end()
  })

  it('stay when the query is altered, and can be stored and computed again', async () => {
    await createOnRead({ places: ON_READ.places })
    const way = async () => (await lab.pg.trickle.explainStreamTable('places')).way
    const other = ON_READ.places.replace('DESC', 'ASC')
    await lab.pg.trickle.alterStreamTable('places', other)
    await lab.watch('places', other)
    expect(await way()).toBe('fold')
    await lab.run('UPDATE player SET total = 5 WHERE id < 4')
    await lab.pg.trickle.alterStreamTable('places', other, { windows: 'stored' })
    expect(await way()).toBe('rekey')
    await lab.run('UPDATE player SET total = 6 WHERE id < 4')
    await lab.exec("SELECT pgtrickle.create_or_replace_stream_table('places', 'TABLE player', windows => 'onRead')")
    await lab.watch('places', 'TABLE player')
    await lab.run('UPDATE player SET total = 7 WHERE id < 4')
  })

  it('leave feeds and triggers to those that store them', async () => {
    await createOnRead({ places: ON_READ.places })
    const refusal = { code: '0A000', hint: expect.stringContaining("windows => 'stored'") as string }
    await expect(lab.pg.trickle.keepChanges('places', { retain: 10 })).rejects.toMatchObject(refusal)
    await lab.exec('CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$')
    await expect(
      lab.exec('CREATE TRIGGER t AFTER UPDATE ON places FOR EACH STATEMENT EXECUTE FUNCTION f()'),
    ).rejects.toMatchObject({ code: '0A000' })
    await lab.run('UPDATE player SET total = 7 WHERE id < 4')
    await lab.create('stored', ON_READ.places)
    await lab.exec('CREATE TRIGGER t AFTER UPDATE ON stored FOR EACH STATEMENT EXECUTE FUNCTION f()')
    const altered = lab.pg.trickle.alterStreamTable('stored', ON_READ.places, { windows: 'onRead' })
    await expect(altered).rejects.toMatchObject(refusal)
    await lab.exec('DROP TRIGGER t ON stored')
    await lab.pg.trickle.keepChanges('stored', { retain: 10 })
    const again = lab.pg.trickle.alterStreamTable('stored', ON_READ.places, { windows: 'onRead' })
    await expect(again).rejects.toMatchObject(refusal)
    await lab.run('UPDATE player SET total = 8 WHERE id < 4')
  })

  it('say what they cannot be', async () => {
    await expect(
      lab.pg.trickle.createStreamTable('x', ON_READ.places, { windows: 'never' as 'stored' }),
    ).rejects.toMatchObject({ code: '22023', fragment: 'never' })
    const notices: string[] = []
    await lab.pg.trickle.createStreamTable('x', `${ON_READ.places} LIMIT 3`, {
      windows: 'onRead',
      onNotice: (notice) => notices.push(notice.message ?? ''),
    })
    expect(notices.join()).toContain('stores all its results')
  })
})
