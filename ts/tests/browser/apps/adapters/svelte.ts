import { mount as mountComponent, unmount } from 'svelte'
import { fromStore, writable } from 'svelte/store'
import List from './List.svelte'
import type { Mount } from './list.js'

export const mount: Mount = (target, first, options) => {
  const name = writable(first)
  const current = fromStore(name)
  const list = mountComponent(List, { target, props: { name: () => current.current, options } })
  return { show: (next) => name.set(next), unmount: () => void unmount(list) }
}
