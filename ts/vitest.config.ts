import { defineConfig } from 'vitest/config'

/** The oldest and the newest PGlite of each PostgreSQL line: the aliases of package.json. */
const OLDEST = { pg17: 'pglite-0.4.0', pg18: 'pglite-0.5.0' }
const NEWEST = { pg17: 'pglite-0.4', pg18: 'pglite-0.5' }

function project(name: string, pglite: string, include: string[]) {
  return {
    extends: true as const,
    test: {
      name,
      include,
      exclude: ['tests/unit/**', 'tests/browser/**'],
      env: { PGLITE: pglite },
      globalSetup: ['tests/support/data-dir.ts'],
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
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['tests/browser/**/*.test.ts'],
          globalSetup: ['tests/browser/support/setup.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
    // Each file has a PGlite of its own, in a process of its own: a wedged database must not take others with it.
    pool: 'forks',
    poolOptions: { forks: { maxForks: 2, minForks: 1 } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
