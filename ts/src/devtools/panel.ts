/** The element: a list of the stream tables with what they do, and one of them in detail. */
import type { Trickle } from '../api.js'
import type { Database, StreamTable, Way } from '../types.js'
import { quoted } from '../quoted.js'
import { Counters } from './counters.js'
import type { Activity, Reading } from './counters.js'
import { Details, messageOf } from './details.js'
import { bytes, h, milliseconds, number, setText, time } from './elements.js'
import { STYLE } from './style.js'

/** A PGlite with the plugin, or a tab of its worker. */
export interface DevtoolsDatabase extends Database {
  readonly trickle: Pick<
    Trickle,
    'listStreamTables' | 'explainStreamTable' | 'verifyStreamTable' | 'memory' | 'subscribe'
  >
}

/** Milliseconds between two readings of the counters. */
const EVERY = 1000

/** Rows are counted for at most this share of the time. */
const SHARE = 0.05

/** A stream table in the list. */
interface Line {
  query: string
  row: HTMLTableRowElement
  rows: HTMLTableCellElement
  written: HTMLTableCellElement
  last: HTMLTableCellElement
  changedAt: Date | undefined
  /** When its rows were counted, and how long that took. */
  counted: { at: number; took: number } | undefined
  isStale: boolean
}

/** Shows the stream tables of a database, and reads its counters for as long as it is open. */
export class Panel {
  readonly #db: DevtoolsDatabase
  readonly #counters: Counters
  readonly #details: Details
  #lines = new Map<string, Line>()
  readonly #body = h('tbody')
  readonly #total = h('span', { class: 'quiet numbers' })
  readonly #memory = h('span', { class: 'quiet numbers' })
  readonly #failure = h('p', { class: 'bad', role: 'alert', hidden: true })
  #known = ''
  #selected: string | undefined
  #isOpen = true
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(root: ShadowRoot, db: DevtoolsDatabase, onClose: (() => void) | undefined) {
    this.#db = db
    this.#counters = new Counters(db)
    this.#details = new Details(db)
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(STYLE)
    root.adoptedStyleSheets = [sheet]
    const head = (text: string, kind?: string) => h('th', { scope: 'col', class: kind }, text)
    root.replaceChildren(
      h(
        'div',
        { class: 'head' },
        h('h2', {}, 'Stream tables'),
        this.#total,
        h('span', { class: 'space' }),
        this.#memory,
        onClose && h('button', { type: 'button', onclick: onClose }, 'Close'),
      ),
      this.#failure,
      h(
        'div',
        { class: 'panes' },
        h(
          'div',
          { tabindex: '0', role: 'region', 'aria-label': 'List of stream tables' },
          h(
            'table',
            {},
            h(
              'thead',
              {},
              h(
                'tr',
                {},
                head('Name'),
                head('Way'),
                head('Rows', 'number'),
                head('Written', 'number wide'),
                head('Last change', 'number'),
              ),
            ),
            this.#body,
          ),
        ),
        this.#details.element,
      ),
    )
    void this.#run()
  }

  /** Stops counting and following. */
  async close(): Promise<void> {
    this.#isOpen = false
    clearTimeout(this.#timer)
    await this.#details.close()
    await this.#counters.close()
  }

  async #run(): Promise<void> {
    try {
      const reading = await this.#counters.read()
      if (!this.#isOpen) return void this.#counters.close()
      await this.#list()
      this.#show(reading)
      await this.#countRows()
      const { used, limit } = await this.#db.trickle.memory()
      setText(this.#memory, `Memory ${bytes(used)} of ${bytes(limit)}`)
      this.#failure.hidden = true
    } catch (error) {
      // A transaction of the app has failed, for example. It is tried again.
      this.#failure.hidden = false
      setText(this.#failure, messageOf(error))
    }
    if (this.#isOpen) this.#timer = setTimeout(() => void this.#run(), EVERY)
  }

  /** Makes the list again when stream tables have come or gone, or got another query. */
  async #list(): Promise<void> {
    const found = await this.#db.trickle.listStreamTables()
    const known = JSON.stringify(found.map(({ schema, name, query }) => [schema, name, query]))
    if (known === this.#known) return
    const lines = new Map<string, Line>()
    for (const streamTable of found) {
      const name = quoted(streamTable.schema, streamTable.name)
      const line = this.#lines.get(name)
      if (line?.query === streamTable.query) lines.set(name, line)
      else lines.set(name, this.#line(name, streamTable, (await this.#db.trickle.explainStreamTable(name)).way))
    }
    if (this.#selected !== undefined && lines.get(this.#selected) !== this.#lines.get(this.#selected)) {
      this.#selected = undefined
      await this.#details.clear()
    }
    this.#lines = lines
    this.#body.replaceChildren(...[...lines.values()].map(({ row }) => row))
    if (found.length === 0)
      this.#body.append(h('tr', {}, h('td', { colspan: '5', class: 'quiet' }, 'There are none yet.')))
    this.#known = known
  }

  #line(name: string, streamTable: StreamTable, way: Way): Line {
    const label = streamTable.schema === 'public' ? streamTable.name : `${streamTable.schema}.${streamTable.name}`
    const select = () => {
      this.#selected = name
      for (const [each, line] of this.#lines) line.row.setAttribute('aria-selected', String(each === this.#selected))
      void this.#details.show(name, label, streamTable)
    }
    const rows = h('td', { class: 'number' }, '…')
    const written = h('td', { class: 'number wide' })
    const last = h('td', { class: 'number' })
    const row = h(
      'tr',
      { 'aria-selected': 'false' },
      h('td', {}, h('button', { type: 'button', class: 'name', onclick: select }, label)),
      h('td', {}, h('span', { class: `way ${way}` }, way)),
      rows,
      written,
      last,
    )
    return {
      query: streamTable.query,
      row,
      rows,
      written,
      last,
      changedAt: undefined,
      counted: undefined,
      isStale: true,
    }
  }

  #show({ streamTables, maintenance, lastMaintenance }: Reading): void {
    for (const activity of streamTables) {
      const line = this.#lines.get(quoted(activity.schema, activity.name))
      if (line) this.#showActivity(line, activity)
    }
    if (maintenance === undefined) setText(this.#total, 'Only superusers may measure times')
    else if (maintenance === 0) setText(this.#total, 'No change since this was opened')
    else {
      const latest = lastMaintenance ? `, ${milliseconds(lastMaintenance)} since the last reading` : ''
      setText(this.#total, `Maintenance took ${milliseconds(maintenance)}${latest}`)
    }
  }

  #showActivity(line: Line, { inserted, updated, deleted, last, changedAt }: Activity): void {
    setText(line.written, counts({ inserted, updated, deleted }))
    if (changedAt === undefined || changedAt === line.changedAt) return
    line.changedAt = changedAt
    line.isStale = true
    setText(line.last, `${time(changedAt)} ${counts(last)}`)
    line.last.classList.remove('changed')
    void line.last.offsetWidth // starts the animation again
    line.last.classList.add('changed')
  }

  /** Counts the rows of those that have changed, unless that takes too much of the time. */
  async #countRows(): Promise<void> {
    for (const [name, line] of this.#lines) {
      const now = performance.now()
      const { at, took } = line.counted ?? { at: -Infinity, took: 0 }
      if (!line.isStale || !this.#isOpen || now - at < took / SHARE) continue
      const { rows } = await this.#db.query<{ n: unknown }>(
        `SELECT pg_catalog.count(*)::pg_catalog.text AS n FROM ${name}`,
      )
      line.counted = { at: performance.now(), took: performance.now() - now }
      line.isStale = false
      setText(line.rows, number(Number(rows[0]?.n)))
    }
  }
}

const counts = ({ inserted, updated, deleted }: { inserted: number; updated: number; deleted: number }): string =>
  [
    ['+', inserted],
    ['~', updated],
    ['−', deleted],
  ]
    .filter(([, count]) => count !== 0)
    .map(([sign, count]) => `${sign}${number(Number(count))}`)
    .join(' ')
