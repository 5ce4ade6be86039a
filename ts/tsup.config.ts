import { defineConfig } from 'tsup'

export default defineConfig({
  entry: { index: 'src/index.ts', react: 'src/react/index.ts', tanstack: 'src/tanstack/index.ts' },
  format: ['esm', 'cjs'],
  dts: true,
  shims: true,
  target: 'es2022',
  sourcemap: true,
  // Entries share no code that would have to be: each is what it is for, and nothing of the others.
  splitting: false,
  // In CommonJS the ecosystem's provider must come by `require`: by `import()` it would be another copy of it.
  esbuildOptions(options, { format }) {
    if (format === 'cjs') options.supported = { ...options.supported, 'dynamic-import': false }
  },
  // The bundles and their modules are put into dist by another step, and must outlive this one.
  clean: ['!*.tar.gz', '!*.wasm'],
})
