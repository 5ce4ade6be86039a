import { defineConfig } from 'vitest/config'
import { PATIENCE } from './tests/support/patience.js'

/** The oldest and the newest PGlite for each PostgreSQL version. These are aliases in package.json. */
const OLDEST = { pg17: 'pglite-0.4.0', pg18: 'pglite-0.5.0' }
const NEWEST = { pg17: 'pglite-0.4', pg18: 'pglite-0.5' }

/**
 * What cannot run on a native server: it is about PGlite (its files, memory, module, subscriptions), or sets the clock, which only
 * PGlite takes from JavaScript. Single tests are in `tests/support/left-out.ts`.
 */
const NOT_NATIVE = [
  ...['subscribe*', 'memory*', 'reopen', 'react', 'dump', 'host-options', 'life-cycle', 'upgrade', 'fallback'],
  ...['documents', 'roundtrip', 'advance', 'clock', 'feed-dump', 'plan-command'],
].map((name) => `tests/${name}.test.ts`)

function project(name: string, pglite: string, include: string[]) {
  return {
    extends: true as const,
    test: {
      name,
      include,
      exclude: ['tests/unit/**', 'tests/browser/**', 'tests/package/**', 'tests/native/**'],
      env: { PGLITE: pglite },
      globalSetup: ['tests/support/data-dir.ts'],
    },
  }
}

/** On a native server, where it can run what the tests use: `NATIVE=1 npx vitest run --project 'native*'`. */
function onServer(name: string, pglite: string) {
  const { test, ...rest } = project(name, pglite, ['tests/**/*.test.ts'])
  return {
    ...rest,
    test: {
      ...test,
      exclude: [
        'tests/unit/**',
        'tests/browser/**',
        'tests/package/**',
        ...NOT_NATIVE,
        'tests/{static,faults,endurance,serve}/**',
      ],
      env: { ...test.env, NATIVE: '1' },
      globalSetup: [],
      setupFiles: ['tests/support/left-out.ts'],
    },
  }
}

/** Tests in a browser: see `tests/browser/README.md`. */
function inChromium(name: string, include: string[], globalSetup: string[]) {
  return {
    extends: true as const,
    test: {
      name,
      include,
      globalSetup: ['tests/browser/support/setup.ts', ...globalSetup],
      testTimeout: 180_000,
      hookTimeout: 180_000,
    },
  }
}

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['tests/unit/**/*.test.ts'],
          typecheck: { enabled: true, include: ['tests/unit/**/*.test-d.ts'] },
        },
      },
      project('pg17', NEWEST.pg17, ['tests/**/*.test.ts']),
      project('pg18', NEWEST.pg18, ['tests/**/*.test.ts']),
      project('pg17-oldest', OLDEST.pg17, ['tests/smoke.test.ts']),
      project('pg18-oldest', OLDEST.pg18, ['tests/smoke.test.ts']),
      inChromium('browser', ['tests/browser/**/*.test.ts'], []),
      inChromium('package', ['tests/package/*.test.ts'], ['tests/package/support/setup.ts']),
      ...(process.env.NATIVE ? [onServer('native17', NEWEST.pg17), onServer('native18', NEWEST.pg18)] : []),
      // Downloads half a gigabyte and takes minutes, so it only runs with `just test-next`.
      inChromium('next', ['tests/package/next/*.test.ts'], ['tests/package/support/setup.ts']),
    ],
    // Each file runs in its own process with its own PGlite, so that a database that hangs does not affect others.
    pool: 'forks',
    poolOptions: { forks: { maxForks: 2, minForks: 1 } },
    // Far more than any test takes alone: a machine that does other things besides is no failure.
    testTimeout: 180_000 * PATIENCE,
    hookTimeout: 180_000 * PATIENCE,
    // Most tests run the built package, whose source map leads back to the sources.
    coverage: {
      include: ['src/**', 'dist/*.js'],
      exclude: [
        ...['src/index.ts', '**/types.ts', 'src/subscribe/database.ts'], // no code to run
        // Commands, which tests run as processes of their own.
        ...['src/static/prepare/cli.ts', 'src/command.ts', 'src/plan-command.ts', 'dist/pgtrickle{,-static}.js'],
        ...['**/*.d.ts', 'dist/planner-glue.js'], // wasm-bindgen writes it
      ],
      reporter: ['text'],
      reportsDirectory: '../build/coverage',
      thresholds: { lines: 95 },
    },
  },
})
