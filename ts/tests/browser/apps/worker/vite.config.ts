import { defineConfig } from 'vite'

/** PGlite's own need: it comes in several chunks, which a worker of the default format cannot load. */
export default defineConfig({ worker: { format: 'es' } })
