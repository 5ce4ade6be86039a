/** What a tool reports, or a session that crashes, fails the test that had the server: docs/NATIVE.md. */
import { expect, test } from 'vitest'
import { MAJOR } from '../support/pglite.js'
import { Server } from '../support/server.mjs'

test('a server whose session has crashed ends as a failure', async () => {
  const server = await Server.start(MAJOR as 17 | 18, ['restart_after_crash=off'])
  const client = await server.connect()
  const { rows } = await client.query<{ pid: string }>('SELECT pg_backend_pid() AS pid')
  const ended = new Promise((done) => client.once('end', done))
  process.kill(Number(rows[0]?.pid), 'SIGSEGV')
  await ended
  await expect(server.stop()).rejects.toThrow('the server has reported an error')
})
