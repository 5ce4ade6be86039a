import { defineConfig } from 'tsup'
import type { Options } from 'tsup'

const library: Options = {
  entry: {
    index: 'src/index.ts',
    react: 'src/react/index.ts',
    tanstack: 'src/tanstack/index.ts',
    vue: 'src/vue/index.ts',
    svelte: 'src/svelte/index.ts',
    solid: 'src/solid/index.ts',
    static: 'src/static/index.ts',
    devtools: 'src/devtools/index.ts',
    serve: 'src/serve.ts',
    planner: 'src/planner.ts',
  },
  format: ['esm', 'cjs'],
  dts: true,
  shims: true,
  target: 'es2022',
  sourcemap: true,
  // The entry points need no shared state, so each file contains only its own code.
  splitting: false,
  // In CommonJS an `import()` becomes a `require`.
  esbuildOptions(options, { format }) {
    if (format === 'cjs') options.supported = { ...options.supported, 'dynamic-import': false }
  },
  // Another step puts the bundles into dist, and the tool below is built at the same time: this must not delete them.
  clean: ['!*.gz', '!pgtrickle-static.*', '!prepare.*', '!pgtrickle.js', '!planner-glue.js'],
}

/** Run in Node alone, when a Worker is built: the command, and what it does, which tests also call in their own process. */
const tool: Options = {
  entry: { 'pgtrickle-static': 'src/static/prepare/cli.ts' },
  external: ['./prepare.js'],
  format: ['esm'],
  platform: 'node',
  target: 'es2022',
}

const prepare: Options = { ...tool, entry: { prepare: 'src/static/prepare/prepare.ts' }, external: [], sourcemap: true }

/** The command `pgtrickle`, in Node as well. It uses the library as an app does. */
const command: Options = {
  ...tool,
  entry: { pgtrickle: 'src/command.ts' },
  external: ['./index.js', './serve.js', './planner.js'],
}

export default defineConfig([library, tool, prepare, command])
