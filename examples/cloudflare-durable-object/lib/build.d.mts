export interface Bundle {
  script: Uint8Array
  files: { name: string; path: string }[]
}
export function bundleWorker(entry: string, options?: { aliases?: Record<string, string> }): Promise<Bundle>
