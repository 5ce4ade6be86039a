/** PGlite and its extensions where no WebAssembly can be compiled at run time, as in Cloudflare Workers. */
export { createStatic } from './create.js'
export type { StaticNamespace, StaticOptions } from './create.js'
export type { Bytes, Manifest, StaticModules } from './modules.js'
