/** What of Cloudflare's types is used here. A project of its own would take @cloudflare/workers-types. */
declare module 'cloudflare:workers' {
  export class DurableObject {
    readonly ctx: { storage: { sql: { exec(query: string, ...values: unknown[]): Iterable<Record<string, unknown>> } } }
    fetch(request: Request): Promise<Response>
  }
}

declare module '*.html' {
  const text: string
  export default text
}

interface DurableObjectNamespace {
  idFromName(name: string): object
  get(id: object): { fetch(request: Request): Promise<Response> }
}

declare class WebSocketPair {
  readonly 0: WebSocket
  readonly 1: WebSocket
}

interface WebSocket {
  accept(): void
}

interface ResponseInit {
  webSocket?: WebSocket
}
