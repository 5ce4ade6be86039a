/** Notifications reach every connection that listens, also one that does nothing. */
import type { Client, Notification } from 'pg'
import { expect, test } from 'vitest'
import { served } from './support/served.js'

function heardBy(client: Client): string[] {
  const heard: string[] = []
  client.on('notification', ({ channel, payload }: Notification) => heard.push(`${channel}: ${payload}`))
  return heard
}

test('idle listeners hear what others notify, after the commit', async () => {
  const { client } = await served()
  const [a, b, c] = [await client(), await client(), await client()]
  const [byA, byB, byC] = [heardBy(a), heardBy(b), heardBy(c)]
  await a.query('LISTEN news; LISTEN "Other ""one"""')
  await b.query('LISTEN news')
  await c.query('BEGIN')
  await c.query("NOTIFY news, 'first'")
  await c.query('SELECT pg_notify($1, $2)', ['Other "one"', 'it'])
  expect([byA, byB]).toEqual([[], []])
  await c.query('COMMIT')
  await expect.poll(() => byA).toEqual(['news: first', 'Other "one": it'])
  await expect.poll(() => byB).toEqual(['news: first'])
  expect(byC).toEqual([])
  await c.query('BEGIN')
  await c.query("NOTIFY news, 'never'")
  await c.query('ROLLBACK')
  await b.query("NOTIFY news, 'own'")
  await expect.poll(() => byA.at(-1)).toBe('news: own')
  expect(byB).toEqual(['news: first', 'news: own'])
})

test('the sender is told by the id of its connection', async () => {
  const { client } = await served()
  const [a, b] = [await client(), await client()]
  const ids: number[] = []
  a.on('notification', ({ processId }) => ids.push(processId))
  await a.query('LISTEN news')
  await a.query('NOTIFY news')
  await b.query('NOTIFY news')
  await expect.poll(() => ids.length).toBe(2)
  expect(ids[0]).toBe((a as unknown as { processID: number }).processID)
  expect(ids[1]).toBe((b as unknown as { processID: number }).processID)
})

test('UNLISTEN is for one connection', async () => {
  const { client } = await served()
  const [a, b, c] = [await client(), await client(), await client()]
  const [byA, byB] = [heardBy(a), heardBy(b)]
  for (const listener of [a, b]) {
    await listener.query({ name: 'listen', text: 'LISTEN one' })
    await listener.query('LISTEN two')
  }
  await a.query('UNLISTEN one')
  await c.query('NOTIFY one; NOTIFY two')
  await expect.poll(() => byB).toEqual(['one: ', 'two: '])
  expect(byA).toEqual(['two: '])
  await a.query('UNLISTEN *')
  await c.query('NOTIFY one; NOTIFY two')
  await expect.poll(() => byB).toHaveLength(4)
  expect(byA).toHaveLength(1)
  await b.end()
  await expect.poll(async () => (await c.query('SELECT pg_listening_channels()')).rows).toEqual([])
})

test('LISTEN counts when its transaction commits', async () => {
  const { client } = await served()
  const [a, b] = [await client(), await client()]
  const byA = heardBy(a)
  await b.query('LISTEN news')
  await a.query('BEGIN; LISTEN news')
  await a.query('ROLLBACK')
  await b.query("NOTIFY news, 'unheard'")
  await a.query('BEGIN')
  await a.query('LISTEN news')
  await a.query('COMMIT')
  await b.query("NOTIFY news, 'heard'")
  await expect.poll(() => byA).toEqual(['news: heard'])
})

test('between the program and its clients', async () => {
  const { pg, client } = await served()
  const a = await client()
  const [byA, byProgram] = [heardBy(a), [] as string[]]
  const stop = await pg.listen('news', (payload) => byProgram.push(payload))
  await a.query('LISTEN news')
  await pg.query("NOTIFY news, 'from the program'")
  await expect.poll(() => byA).toEqual(['news: from the program'])
  await a.query("NOTIFY news, 'from a client'")
  await expect.poll(() => byProgram).toEqual(['from the program', 'from a client'])
  await a.query('UNLISTEN *')
  await a.query("NOTIFY news, 'again'")
  await expect.poll(() => byProgram).toHaveLength(3)
  expect(byA).toHaveLength(2)
  await stop()
})

test('live queries of the program follow what clients change', async () => {
  const { pg, client } = await served()
  await pg.exec('CREATE TABLE t (a int)')
  await pg.trickle.createStreamTable('s', 'SELECT count(*)::int AS n FROM t')
  const seen: unknown[] = []
  const live = await pg.trickle.live('s')
  live.subscribe(({ rows }) => seen.push(...rows))
  await (await client()).query('INSERT INTO t VALUES (1), (2)')
  await expect.poll(() => seen.at(-1)).toEqual({ n: 2 })
  await live.unsubscribe()
})
