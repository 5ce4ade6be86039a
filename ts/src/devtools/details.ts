/** One stream table: its query, its plan as a picture, whether it is right, and its changes as they come. */
import type { Change, Unsubscribe } from '../subscribe/types.js'
import { renderPlan } from '../planner/picture.js'
import type { StreamTable, StreamTablePlan } from '../types.js'
import { h, milliseconds, number, time } from './elements.js'
import type { DevtoolsDatabase } from './panel.js'

/** How many transactions the list of changes keeps, and how many rows it shows of each. */
const KEPT = 50
const SHOWN = 5

const WAITING = 'Waiting for changes. The plugin keeps the rows in memory meanwhile.'

export class Details {
  readonly element = h('section', { 'aria-live': 'polite' })
  readonly #db: DevtoolsDatabase
  readonly #log = h('ol', { class: 'log' })
  readonly #answer = h('span', { role: 'status' })
  readonly #follow = h(
    'button',
    { type: 'button', 'aria-pressed': 'false', onclick: () => void this.#toggle() },
    'Follow changes',
  )
  #name = ''
  #unsubscribe: Promise<Unsubscribe> | undefined

  constructor(db: DevtoolsDatabase) {
    this.#db = db
    void this.clear()
  }

  /** Shows none. */
  async clear(): Promise<void> {
    this.element.replaceChildren(h('p', { class: 'quiet' }, 'Choose a stream table.'))
    await this.close()
  }

  /** Shows a stream table. `name` is its name as SQL. */
  async show(name: string, label: string, { query }: StreamTable): Promise<void> {
    await this.close()
    this.#name = name
    this.#answer.textContent = ''
    this.#log.replaceChildren()
    const plan = h('div', {}, h('p', { class: 'quiet' }, 'Reading the plan …'))
    this.element.replaceChildren(
      h('h2', {}, label),
      h(
        'div',
        { class: 'buttons' },
        this.#button('Verify', () => this.#verify()),
        this.#follow,
        this.#answer,
      ),
      this.#log,
      h('h3', {}, 'Query'),
      h('pre', { tabindex: '0' }, query.trim()),
      h('h3', {}, 'Plan'),
      plan,
    )
    try {
      plan.replaceChildren(...picture(await this.#db.trickle.explainStreamTable(name)))
    } catch (error) {
      plan.replaceChildren(h('p', { class: 'bad' }, messageOf(error)))
    }
  }

  /** Ends what it follows. */
  async close(): Promise<void> {
    const unsubscribe = this.#unsubscribe
    this.#unsubscribe = undefined
    this.#follow.setAttribute('aria-pressed', 'false')
    await unsubscribe?.then(
      (end) => end(),
      () => undefined,
    )
  }

  #button(text: string, act: () => Promise<void>): HTMLButtonElement {
    return h('button', { type: 'button', onclick: () => void act() }, text)
  }

  async #verify(): Promise<void> {
    const name = this.#name
    this.#say('Comparing with the query …')
    const start = performance.now()
    try {
      const { ok, missing, extra } = await this.#db.trickle.verifyStreamTable(name)
      const took = milliseconds(performance.now() - start)
      if (name !== this.#name) return
      if (ok) this.#say(`It equals its query (${took}).`)
      else this.#say(`It differs: ${number(missing)} rows are missing, ${number(extra)} too many (${took}).`, true)
    } catch (error) {
      if (name === this.#name) this.#say(messageOf(error), true)
    }
  }

  #say(text: string, isBad = false): void {
    this.#answer.className = isBad ? 'bad' : 'quiet'
    this.#answer.textContent = text
  }

  async #toggle(): Promise<void> {
    if (this.#unsubscribe) return this.close()
    this.#follow.setAttribute('aria-pressed', 'true')
    this.#log.replaceChildren()
    const receive = (changes: Change[]) => this.#add(changes)
    const onError = (error: unknown) => this.#say(messageOf(error), true)
    this.#unsubscribe = this.#db.trickle.subscribe(this.#name, receive, { initial: false, onError })
    try {
      await this.#unsubscribe
      if (this.#log.children.length === 0) this.#log.append(h('li', { class: 'quiet' }, WAITING))
    } catch (error) {
      this.#say(messageOf(error), true)
      await this.close()
    }
  }

  #add(changes: Change[]): void {
    const lines = changes.slice(0, SHOWN).map(lineOf)
    if (changes.length > SHOWN) lines.push(`and ${number(changes.length - SHOWN)} more rows`)
    const entry = h('li', { class: 'changed' }, h('span', { class: 'quiet numbers' }, time(new Date())))
    entry.append(h('span', {}, ...lines.map((line) => h('div', {}, h('code', {}, line)))))
    this.#log.querySelector(':scope > .quiet')?.remove()
    this.#log.prepend(entry)
    while (this.#log.children.length > KEPT) this.#log.lastElementChild?.remove()
  }
}

/** An update shows only what is different, after the key. */
function lineOf({ op, row, old, key }: Change): string {
  const text = (value: unknown) =>
    value instanceof Date ? value.toISOString() : (JSON.stringify(value, plain) ?? 'null')
  if (op !== 'update') {
    return `${op === 'insert' ? '+' : '−'} ${Object.entries(row)
      .map(([name, value]) => `${name} ${text(value)}`)
      .join(', ')}`
  }
  const entries = Object.entries(row).map(([name, value]) => ({ name, before: text(old[name]), after: text(value) }))
  const changed = entries.filter(({ before, after }) => before !== after)
  const same = entries.filter(({ before, after }) => before === after)
  // Without a visible key, the first columns that are the same say best which row it is.
  const named = same.some(({ name }) => name in key) ? same.filter(({ name }) => name in key) : same.slice(0, 2)
  const identity = named.map(({ name, after }) => `${name} ${after}`)
  return `~ ${[...identity, ...changed.map(({ name, before, after }) => `${name} ${before} → ${after}`)].join(', ')}`
}

/** JSON has no bigints. */
const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)

/** The stages, from the one that reads the sources to the one that is shown, and the advice. */
function picture(plan: StreamTablePlan): Node[] {
  const { stages, advice, reason, asOf } = plan
  const boxes = stages.flatMap((stage, n) => [
    ...(n > 0 ? [h('li', { class: 'arrow', 'aria-hidden': 'true' }, '↓')] : []),
    h(
      'li',
      {},
      h('div', {}, h('span', { class: `way ${stage.way}` }, stage.way), ' ', h('code', {}, stage.name)),
      stage.reason === null ? undefined : h('div', { class: 'quiet' }, `Reason: ${stage.reason}`),
      stage.operators.length === 0 ? undefined : h('pre', {}, stage.operators.join('\n')),
      ...stage.sources.map(({ name, cost }) => h('div', {}, 'A change of ', h('code', {}, name), ` costs ${cost}.`)),
      stage.key.length === 0 ? undefined : h('div', { class: 'quiet' }, `Key: ${stage.key.join(', ')}`),
    ),
  ])
  return [
    reason === null ? undefined : h('p', { class: 'bad' }, `Not incremental: ${reason}`),
    asOf === null ? undefined : h('p', { class: 'quiet' }, `Exact as of ${asOf.toISOString()}`),
    drawing(plan),
    h('ol', { class: 'plan' }, boxes),
    advice.length === 0 ? undefined : h('h3', {}, 'Advice'),
    advice.length === 0 ? undefined : h('ul', {}, ...advice.map((line) => h('li', {}, h('pre', {}, line)))),
  ].filter((node) => node !== undefined)
}

/** As an image, so that the style of the page does not reach it. The list below it says the same in words. */
function drawing(plan: StreamTablePlan): Node {
  const source = `data:image/svg+xml,${encodeURIComponent(renderPlan(plan))}`
  const image = h('img', { src: source, alt: `The stages of ${plan.name}` })
  return h('div', { class: 'drawing', tabindex: '0' }, image)
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
