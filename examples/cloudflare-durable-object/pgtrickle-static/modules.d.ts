import type { Bytes, Manifest } from '@pgtrickle/pglite/static'
export declare const manifest: Manifest
export declare const pglite: WebAssembly.Module
export declare const data: Bytes
export declare const dataDir: Bytes
export declare const trampolines: Record<number, WebAssembly.Module>
export declare const libraries: Record<string, WebAssembly.Module>
export declare const extensions: Record<string, Bytes>
