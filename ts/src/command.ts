#!/usr/bin/env node
import { mkdir, open, readFile, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { importExtension, importFrom } from './static/prepare/extension.js'
import { createTrickle } from './index.js'
import { planFolder } from './plan-command.js'
import type { PlanHost } from './plan-command.js'
import { serve } from './serve.js'
import type { ServeOptions } from './serve.js'

const USAGE = `pgtrickle serve

Lets clients of PostgreSQL use a PGlite with stream tables, until it gets SIGINT or SIGTERM.

  --db FOLDER                    where the data is; in memory unless given
  --port NUMBER                  5432 unless given, any free one for 0
  --socket PATH                  a Unix socket in place of a port: its file, or a folder for it
  --host ADDRESS                 127.0.0.1 unless given; any but this machine's own asks for passwords
  --password-file FILE           holds the password of postgres, as PGTRICKLE_PASSWORD does
  --auth scram                   ask for passwords on this machine, too
  --extension SPECIFIER#EXPORT   another extension: @electric-sql/pglite/contrib/pg_trgm#pg_trgm
  --max-connections NUMBER       100 unless given
  --idle-in-transaction SECONDS  end clients that do nothing in a transaction for so long: 60 unless given, 0 for never
  --advance-every MILLISECONDS   move stream tables that depend on the clock to the present this often
  --pglite SPECIFIER             the package of PGlite: @electric-sql/pglite unless given

pgtrickle plan FOLDER

Runs the .sql files of a folder in a PGlite in memory, and prints how each stream table is maintained, what a change costs,
and which indexes are missing.

  --check                        fail on a stream table that runs its query again, or if the plans are not those of the file
  --allow-rebuild NAME           a stream table that may run its query again
  --write                        write the file
  --file FILE                    the file: pgtrickle.plan in the folder unless given
  --pictures FOLDER              write a picture (SVG) of each plan there
  --extension, --pglite          as above
`

/** The class PGlite. */
interface Host {
  PGlite: { create(options: object): Promise<Parameters<typeof serve>[0] & PlanHost & { close(): Promise<void> }> }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      db: { type: 'string' },
      port: { type: 'string' },
      socket: { type: 'string' },
      host: { type: 'string' },
      'password-file': { type: 'string' },
      auth: { type: 'string' },
      extension: { type: 'string', multiple: true },
      'max-connections': { type: 'string' },
      'idle-in-transaction': { type: 'string' },
      'advance-every': { type: 'string' },
      pglite: { type: 'string' },
      check: { type: 'boolean' },
      write: { type: 'boolean' },
      file: { type: 'string' },
      pictures: { type: 'string' },
      'allow-rebuild': { type: 'string', multiple: true },
      help: { type: 'boolean' },
    },
  })
  if (values.help) return console.log(USAGE)
  const [command, planned] = positionals
  const isPlan = command === 'plan' && planned !== undefined && positionals.length === 2
  if (!isPlan && positionals.join(' ') !== 'serve') throw new Error(`no such command\n\n${USAGE}`)
  const number = (name: 'port' | 'max-connections' | 'idle-in-transaction' | 'advance-every') => {
    const value = values[name]
    if (value === undefined) return undefined
    if (!/^\d+$/.test(value)) throw new Error(`--${name} ${value}: give a whole number`)
    return Number(value)
  }
  const here = process.cwd()
  const idle = number('idle-in-transaction')
  const password = await passwordOf(values['password-file'])
  const options = {
    host: values.host,
    port: number('port'),
    socket: values.socket,
    auth: values.auth as ServeOptions['auth'],
    password,
    maxConnections: number('max-connections'),
    idleInTransactionTimeout: idle === undefined ? undefined : idle === 0 ? Infinity : idle * 1000,
  }
  const advanceEvery = number('advance-every')
  const extensions: Record<string, unknown> = { trickle: createTrickle(advanceEvery ? { advanceEvery } : {}) }
  for (const specifier of values.extension ?? []) {
    const { key, extension } = await importExtension(specifier, here)
    extensions[key] = extension
  }
  const { PGlite } = (await importFrom(values.pglite ?? '@electric-sql/pglite', here)) as Host

  if (isPlan) {
    const pg = await PGlite.create({ extensions })
    const { check = false, write = false, file, pictures } = values
    const options = { folder: planned, check, write, file, pictures, allowed: values['allow-rebuild'] ?? [] }
    const problems = await planFolder(pg, options, (line) => console.log(line)).finally(() => pg.close())
    if (problems.length > 0) throw new Error(problems.join('\n'))
    return
  }

  const folder = values.db === undefined ? undefined : resolve(values.db)
  // From here on, a signal must not leave the lock or half a database.
  const stopped = new Promise<undefined>((stop) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop(undefined))
  })
  const unlock = folder === undefined ? undefined : await lock(folder)
  try {
    const pg = await PGlite.create({ ...(folder !== undefined && { dataDir: folder }), extensions })
    try {
      const ended = new Promise<Error>((end) => Object.assign(options, { onDatabaseEnd: end }))
      const server = await serve(pg, defined(options))
      console.log(`listening on ${server.url}, data ${folder === undefined ? 'in memory' : `in ${folder}`}`)
      const failure = await Promise.race([stopped, ended])
      await server.close().catch(() => {})
      if (failure) throw failure
    } finally {
      await pg.close().catch(() => {})
    }
  } finally {
    await unlock?.()
  }
}

function defined(options: object): ServeOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

async function passwordOf(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return process.env.PGTRICKLE_PASSWORD
  return (await readFile(file, 'utf8')).replace(/\r?\n$/, '')
}

/** Two servers would destroy the data. PGlite itself does not look. */
async function lock(folder: string): Promise<() => Promise<void>> {
  const file = join(folder, 'pgtrickle-serve.pid')
  await mkdir(folder, { recursive: true })
  for (;;) {
    try {
      const handle = await open(file, 'wx')
      await handle.writeFile(String(process.pid))
      await handle.close()
      return () => rm(file, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const holder = Number(await readFile(file, 'utf8'))
      if (holder > 0 && (await isRunning(holder))) {
        throw new Error(`process ${holder} serves ${folder} already; if it does not, delete ${file}`, { cause: error })
      }
      await rm(file, { force: true }) // of a server that was killed
    }
  }
}

async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0)
    // Linux keeps the number of one that has ended for whoever started it, who may never ask.
    const status = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')
    return !/^\d+ \(.*\) Z /s.test(status)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    const { message, hint } = error as { message?: string; hint?: string }
    console.error(`pgtrickle: ${message ?? String(error)}${hint ? `\n${hint}` : ''}`)
    process.exit(1)
  },
)
