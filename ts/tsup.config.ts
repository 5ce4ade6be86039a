import { defineConfig } from 'tsup'

export default defineConfig({
  entry: { index: 'src/index.ts', react: 'src/react/index.ts', tanstack: 'src/tanstack/index.ts' },
  format: ['esm', 'cjs'],
  dts: true,
  shims: true,
  target: 'es2022',
  sourcemap: true,
  // The entry points need no shared state, so each file contains only its own code.
  splitting: false,
  // CommonJS must load @electric-sql/pglite-react with `require`, because `import()` would load a second copy of it.
  esbuildOptions(options, { format }) {
    if (format === 'cjs') options.supported = { ...options.supported, 'dynamic-import': false }
  },
  // Another step puts the bundles and their modules into dist, so this one must not delete them.
  clean: ['!*.tar.gz', '!*.wasm'],
})
