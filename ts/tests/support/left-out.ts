/** The tests that mean nothing on a native server, by file and name. Whole files are in `vitest.config.ts`. */
import { beforeEach } from 'vitest'

const SUBSCRIBES = 'subscriptions are for PGlite'
const COPIES = "it copies from PGlite's /dev/blob"
const DUMPS = 'it dumps the data directory of PGlite'
const LISTENS = 'it listens as only PGlite does'
const EXTENSION = 'it loads another extension of PGlite into it'

const LEFT_OUT: [file: string, name: RegExp, reason: string][] = [
  ['attacks', /nor does anything else that the extension or the plugin runs/, SUBSCRIBES],
  ['bad-input', /refresh mode (DIFFERENTIAL|FULL)/, 'the message names PGlite'],
  ['behind', /subscribers and stream tables above/, SUBSCRIBES],
  ['behind', /a database that is opened again knows/, DUMPS],
  ['bulk', /COPY/, COPIES],
  ['bulk', /subscribers get no change/, SUBSCRIBES],
  ['devtools-panel', /lists stream tables with their ways/, "it shows how much of PGlite's memory is in use"],
  ['devtools-panel', /follows its changes/, SUBSCRIBES],
  ['feed', /of several stream tables have the number of their transaction/, LISTENS],
  ['feed-iterator', /when the database is opened again/, DUMPS],
  ['foreign-rights', /rights have changed unnoticed/, DUMPS],
  [
    'inside-transactions',
    /is of no use after the transaction|leaves what a transaction returns/,
    "it is about PGlite's transactions",
  ],
  ['migrations', /drizzle-kit/, 'drizzle-kit opens a PGlite'],
  ['order', /COPY/, COPIES],
  ['re-entry', /PostgreSQL runs as a single process/, 'a server has many'],
  ['resets', /the extension stays|the next call of the plugin creates it again/, SUBSCRIBES],
  ['rights', /subscriptions/, SUBSCRIBES],
  [
    'rights',
    /default_transaction_isolation = serializable/,
    'a stream table is made under READ COMMITTED alone: docs/NATIVE.md',
  ],
  ['source-kinds', /citext/, EXTENSION],
  ['stable-functions', /functions of the extensions that PGlite ships/, EXTENSION],
  ['users-triggers', /pg_notify arrives|subscribers and triggers/, SUBSCRIBES],
]

function fullName(task: { name: string; suite?: { name: string; suite?: unknown } | undefined }): string {
  return `${task.suite ? fullName(task.suite as typeof task) : ''} ${task.name}`
}

beforeEach(({ task, skip }) => {
  const found = LEFT_OUT.find(
    ([file, name]) => task.file.name.endsWith(`/${file}.test.ts`) && name.test(fullName(task)),
  )
  if (found) skip(found[2])
})
