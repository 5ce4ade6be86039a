/** Finds or installs Chromium, once for all test files. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    chromium: string
  }
}

const SCRIPT = fileURLToPath(new URL('../../../../ci/chromium.sh', import.meta.url))

export default function setup(project: TestProject): void {
  const found = execFileSync('bash', [SCRIPT], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  project.provide('chromium', found.trim())
}
