import type { Client } from 'pg'

export class Server {
  readonly port: number
  static start(major: 17 | 18, settings?: string[]): Promise<Server>
  connect(user?: string, database?: string): Promise<Client>
  stop(): Promise<void>
}
