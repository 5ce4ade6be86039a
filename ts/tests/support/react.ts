/** React in a document: components are mounted, and a hook's results are looked at. */
import './dom.js'
import { act, createElement, StrictMode } from 'react'
import type { ReactNode } from 'react'
import { createRoot } from 'react-dom/client'

/** Waits until what was started has been shown. */
export const settle = () => act(() => new Promise<void>((done) => setTimeout(done, 40)))

/** Waits until the database has done what was asked of it, one question after the other, and it has been shown. */
export async function settleAfter(pg: { query(sql: string): Promise<unknown> }): Promise<void> {
  for (let questions = 0; questions < 10; questions++) await act(() => pg.query('SELECT 1'))
  await settle()
}

export interface Mounted {
  container: HTMLElement
  render(node: ReactNode): Promise<void>
  unmount(): Promise<void>
}

/** Mounts something as an app would, by default under StrictMode. */
export async function mount(node: ReactNode, { strict = true } = {}): Promise<Mounted> {
  const container = document.body.appendChild(document.createElement('div'))
  const root = createRoot(container)
  const render = async (shown: ReactNode) => {
    await act(async () => root.render(strict ? createElement(StrictMode, null, shown) : shown))
  }
  await render(node)
  return {
    container,
    render,
    async unmount() {
      await act(async () => root.unmount())
      container.remove()
    },
  }
}

export interface Hooked<Result, Input> extends Mounted {
  /** What the hook gave in each rendering that was shown. */
  results: Result[]
  readonly last: Result
  rerender(input: Input): Promise<void>
}

/** Calls a hook in a component. */
export async function hook<Result, Input>(
  use: (input: Input) => Result,
  input: Input,
  options: { strict?: boolean; wrap?: (node: ReactNode) => ReactNode } = {},
): Promise<Hooked<Result, Input>> {
  const results: Result[] = []
  const Component = ({ input }: { input: Input }) => {
    results.push(use(input))
    return null
  }
  const { wrap = (node) => node } = options
  const node = (value: Input) => wrap(createElement(Component, { input: value }))
  const mounted = await mount(node(input), options)
  return {
    ...mounted,
    results,
    get last() {
      return results.at(-1) as Result
    },
    rerender: (value) => mounted.render(node(value)),
  }
}
