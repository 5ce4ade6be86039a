import { defineConfig } from 'vite'

/** PGlite consists of several chunks, which a worker in the default format cannot load. */
export default defineConfig({ worker: { format: 'es' } })
