/** A server that speaks as much of Electric's HTTP protocol for shapes as a client needs: rows first, then changes as they come. */
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Row = Record<string, string | null>

interface Change {
  operation: 'insert' | 'update' | 'delete'
  row: Row
}

export interface ShapeServer {
  url: string
  /** Makes changes on the server, in one transaction. */
  change(...changes: Change[]): void
  close(): void
}

/** Serves a shape with these columns, whose first one is the key. All values are text, as on the wire. */
export async function serveShape(columns: Record<string, { type: string }>, rows: Row[]): Promise<ShapeServer> {
  const [key = ''] = Object.keys(columns)
  let lsn = 0
  const batches: unknown[][] = []
  const waiting: { from: number; answer: () => void }[] = []

  const add = (changes: Change[]) => {
    lsn++
    batches.push([
      ...changes.map(({ operation, row }, n) => ({
        key: `"public"."shape"/"${row[key]}"`,
        value: row,
        headers: { operation, lsn: String(lsn), op_position: n, last: n === changes.length - 1, txids: [lsn] },
      })),
      { headers: { control: 'up-to-date', global_last_seen_lsn: String(lsn) } },
    ])
    for (const { answer } of waiting.splice(0)) answer()
  }
  add(rows.map((row) => ({ operation: 'insert', row })))

  const answer = (response: ServerResponse, from: number) => {
    response.writeHead(200, {
      'content-type': 'application/json',
      'electric-handle': 'shape-1',
      'electric-offset': `${batches.length}_0`,
      'electric-cursor': String(batches.length),
      'electric-schema': JSON.stringify(columns),
      'electric-up-to-date': '',
    })
    response.end(JSON.stringify(batches.slice(from).flat()))
  }

  const server = createServer((request, response) => {
    const parameters = new URL(request.url ?? '/', 'http://localhost').searchParams
    const offset = parameters.get('offset') ?? '-1'
    const from = offset === '-1' ? 0 : Number(offset.split('_')[0])
    if (from < batches.length || parameters.get('live') !== 'true') answer(response, from)
    else waiting.push({ from, answer: () => answer(response, from) })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  server.unref()
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/shape`,
    change: (...changes) => add(changes),
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
