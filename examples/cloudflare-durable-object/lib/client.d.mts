type Row = Record<string, unknown>
interface Change {
  op: 'insert' | 'update' | 'delete'
  id: string
  row: Row
}
export interface Client {
  known: { life: string; n: number }
  tables: Record<string, Record<string, Row>>
  messages: { n: number; table: string; changes: Change[] }[]
  snapshots: number
  until<T>(condition: (client: Client) => T): Promise<T>
  close(): Promise<void>
}
export function watch(url: string, client?: Client): Promise<Client>
export function order(url: string, body: object): Promise<{ status: number; answer: object }>
