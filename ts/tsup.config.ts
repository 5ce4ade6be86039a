import { defineConfig } from 'tsup'

export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm', 'cjs'],
  dts: true,
  shims: true,
  target: 'es2022',
  sourcemap: true,
  // The bundles are put into dist by another step, and must outlive this one.
  clean: ['!*.tar.gz'],
})
