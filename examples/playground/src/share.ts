/** What the page shows, in the fragment of its address: JSON, deflated, in the letters of base64 that addresses allow. */
import { DATASETS, isDataset } from './datasets'
import type { DatasetName } from './datasets'

export interface Shared {
  dataset: DatasetName
  query: string
  change: string
}

/** The start of a data set: its first query and change. */
export const startOf = (dataset: DatasetName): Shared => ({
  dataset,
  query: DATASETS[dataset].queries[0].sql,
  change: DATASETS[dataset].changes[0].sql,
})

export async function toFragment({ dataset, query, change }: Shared): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify([dataset, query, change]))
  const deflated = await through(bytes, new CompressionStream('deflate-raw'))
  const letters = btoa(Array.from(deflated, (byte) => String.fromCharCode(byte)).join(''))
  return `#${letters.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`
}

/** Undefined for a fragment that this page has not made. */
export async function fromFragment(fragment: string): Promise<Shared | undefined> {
  try {
    const letters = fragment.slice(1).replaceAll('-', '+').replaceAll('_', '/')
    const bytes = Uint8Array.from(atob(letters), (letter) => letter.charCodeAt(0))
    const inflated = await through(bytes, new DecompressionStream('deflate-raw'))
    const [dataset, query, change] = JSON.parse(new TextDecoder().decode(inflated)) as unknown[]
    if (!isDataset(dataset) || typeof query !== 'string' || typeof change !== 'string') return undefined
    return { dataset, query, change }
  } catch {
    return undefined
  }
}

async function through(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array> {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer())
}
