// A PostgreSQL server with the native extension, for tests and measurements. It ends with the process that started it.
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'

const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), '../../../ci/native-server.sh')
/** More settings, for checks of a whole run: `NATIVE_SETTINGS="debug_discard_caches=1"`. */
const SETTINGS = (process.env.NATIVE_SETTINGS ?? '').split(' ').filter(Boolean)

export class Server {
  #process

  constructor(port, process) {
    this.port = port
    this.#process = process
  }

  /** Starts a server of this PostgreSQL, with the library of the native build in every session. */
  static async start(major, settings = []) {
    const port = await freePort()
    const all = ['session_preload_libraries=pg_trickle', ...SETTINGS, ...settings]
    const child = spawn(SCRIPT, [String(major), String(port), ...all], { stdio: ['pipe', 'pipe', 'inherit'] })
    await new Promise((done, fail) => {
      child.once('exit', (code) => fail(new Error(`no server: ci/native-server.sh ended with ${code}`)))
      child.stdout.on('data', (data) => {
        if (data.includes('ready')) done()
      })
    })
    child.removeAllListeners('exit')
    return new Server(port, child)
  }

  /** Opens a session. Values are texts, as PostgreSQL writes them. */
  async connect(user = 'postgres', database = 'postgres') {
    const types = { getTypeParser: () => String }
    const client = new pg.Client({ host: '127.0.0.1', port: this.port, user, database, types })
    client.on('error', () => undefined)
    await client.connect()
    return client
  }

  /** Ends the server, and waits until its files are gone. Fails if a tool has reported an error, or a session has crashed. */
  async stop() {
    const ended = new Promise((done) => this.#process.once('exit', done))
    this.#process.stdin.end()
    if ((await ended) !== 0) throw new Error('the server has reported an error: see above')
  }
}

/** A port on which nothing listens. */
async function freePort() {
  const server = createServer()
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address()
  await new Promise((done) => server.close(done))
  return port
}
