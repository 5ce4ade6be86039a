import type { ChildProcess } from 'node:child_process'
import type { Bundle } from './build.mjs'
export interface Workerd {
  url: string
  process: ChildProcess
  stop(signal?: NodeJS.Signals): Promise<void>
}
export function startWorkerd(options: {
  bundle: Bundle
  folder: string
  port?: number
  durableObject?: string
}): Promise<Workerd>
