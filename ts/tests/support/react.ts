/** React in a document: mounts components, and collects the results of a hook. */
import './dom.js'
import { act, createElement, StrictMode } from 'react'
import type { ReactNode } from 'react'
import { createRoot } from 'react-dom/client'

/** Waits until pending work has been rendered. */
export const settle = () => act(() => new Promise<void>((done) => setTimeout(done, 40)))

/** Waits until the database has answered the pending queries, which may follow from each other, and React has rendered. */
export async function settleAfter(pg: { query(sql: string): Promise<unknown> }): Promise<void> {
  for (let i = 0; i < 10; i++) await act(() => pg.query('SELECT 1'))
  await settle()
}

export interface Mounted {
  container: HTMLElement
  render(node: ReactNode): Promise<void>
  unmount(): Promise<void>
}

/** Mounts a component as an app would, by default under StrictMode. */
export async function mount(node: ReactNode, { strict = true } = {}): Promise<Mounted> {
  const container = document.body.appendChild(document.createElement('div'))
  const root = createRoot(container)
  const render = async (content: ReactNode) => {
    await act(async () => root.render(strict ? createElement(StrictMode, null, content) : content))
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

export interface MountedHook<Result, Input> extends Mounted {
  /** The result of the hook in each rendering. */
  results: Result[]
  readonly last: Result
  rerender(input: Input): Promise<void>
}

/** Mounts a component that calls a hook. */
export async function mountHook<Result, Input>(
  use: (input: Input) => Result,
  input: Input,
  options: { strict?: boolean; wrap?: (node: ReactNode) => ReactNode } = {},
): Promise<MountedHook<Result, Input>> {
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
