/** What the page does, for tests and figures. */
import WebSocket from 'ws'

/**
 * Watches the board until `close`. Given a client that was closed, it goes on from what that knew. Resolves when it is
 * connected; the first rows come after that.
 */
export async function watch(url, before) {
  const client = {
    known: { life: '', n: -1 },
    tables: {},
    ...before,
    /** The messages with changes since this connection. */
    messages: [],
    /** How often all rows were sent. */
    snapshots: 0,
  }
  const socket = new WebSocket(`${url.replace('http', 'ws')}/watch?${new URLSearchParams(client.known)}`)
  const waiting = new Set()
  socket.on('message', (data) => {
    const message = JSON.parse(data.toString())
    if (message.rows) {
      client.known = { life: message.life, n: message.n }
      client.tables = message.rows
      client.snapshots += 1
    } else {
      client.known.n = message.n
      client.messages.push(message)
      for (const { op, id, row } of message.changes) {
        if (op === 'delete') delete client.tables[message.table][id]
        else client.tables[message.table][id] = row
      }
    }
    for (const check of waiting) check()
  })
  const closed = new Promise((done) => socket.once('close', done))
  /** Resolves to what `condition` returns, once that is true. */
  client.until = (condition) =>
    new Promise((done, fail) => {
      const timer = setTimeout(() => {
        waiting.delete(check)
        fail(new Error(`no such message came: ${condition}`))
      }, 20_000)
      const check = () => {
        const result = condition(client)
        if (!result) return
        clearTimeout(timer)
        waiting.delete(check)
        done(result)
      }
      waiting.add(check)
      check()
    })
  client.close = () => {
    socket.close()
    return closed
  }
  await new Promise((done, fail) => socket.once('open', done).once('error', fail))
  // A server that is killed resets the connection.
  socket.on('error', () => {})
  return client
}

export async function order(url, body) {
  const response = await fetch(`${url}/orders`, { method: 'POST', body: JSON.stringify(body) })
  return { status: response.status, answer: await response.json() }
}
