import type { MessagePort } from 'node:worker_threads'

export class LockServer {
  port(): MessagePort
}

export function lockManager(port: MessagePort): Pick<LockManager, 'request'>
