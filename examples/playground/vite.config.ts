import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { flightsData } from './data.mjs'

export default defineConfig({
  // Any folder of any host serves it.
  base: './',
  plugins: [react(), flightsData()],
  // PGlite and the plugin find their files by `new URL(..., import.meta.url)`, which the dependency optimizer breaks.
  optimizeDeps: { exclude: ['@electric-sql/pglite', '@pgtrickle/pglite'] },
  build: { target: 'es2022', chunkSizeWarningLimit: 1500 },
})
