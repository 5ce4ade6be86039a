/** A panel for developers: what the stream tables of a page are and do. A web component, without a framework. */
import { Panel } from './panel.js'
import type { DevtoolsDatabase } from './panel.js'

export { Counters } from './counters.js'
export type { Activity, Reading, RowCounts } from './counters.js'
export type { DevtoolsDatabase } from './panel.js'

/** The element `<pgtrickle-devtools>`. It shows a database from when `db` is set until it leaves the page. */
export interface DevtoolsElement extends HTMLElement {
  db: DevtoolsDatabase | undefined
}

const TAG = 'pgtrickle-devtools'

/** Defines the element, once. */
export function defineDevtools(): void {
  if (customElements.get(TAG)) return
  // Inside a function, because servers have no HTMLElement.
  class Devtools extends HTMLElement implements DevtoolsElement {
    #db: DevtoolsDatabase | undefined
    #panel: Panel | undefined

    get db(): DevtoolsDatabase | undefined {
      return this.#db
    }

    set db(db: DevtoolsDatabase | undefined) {
      if (db === this.#db) return
      this.#stop()
      this.#db = db
      this.#start()
    }

    connectedCallback(): void {
      this.#start()
    }

    disconnectedCallback(): void {
      this.#stop()
    }

    #start(): void {
      if (!this.isConnected || this.#db === undefined || this.#panel) return
      const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' })
      const onClose = this.hasAttribute('docked') ? () => this.remove() : undefined
      this.#panel = new Panel(root, this.#db, onClose)
    }

    #stop(): void {
      // The database may be closed already.
      this.#panel?.close().catch(() => undefined)
      this.#panel = undefined
    }
  }
  customElements.define(TAG, Devtools)
}

/** Opens the panel at the lower edge of the page. Remove the element to close it. */
export function openDevtools(db: DevtoolsDatabase): DevtoolsElement {
  defineDevtools()
  const element = document.createElement(TAG) as DevtoolsElement
  element.setAttribute('docked', '')
  element.setAttribute('role', 'complementary')
  element.setAttribute('aria-label', 'Stream tables')
  element.db = db
  document.body.append(element)
  return element
}
