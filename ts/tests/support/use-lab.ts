/** Hooks that open a database under the oracle for the tests of a file, or of the `describe` block around them. */
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { Lab } from './lab.js'

/** SQL that sets a database up, or a function that does. */
type Setup = string | string[] | (() => Promise<unknown>)

/** Opens a database and sets it up before the tests, and closes it after them. */
export function useLab(setup: Setup = []): Lab {
  const lab = new Lab()
  beforeAll(async () => {
    await lab.open()
    await run(lab, setup)
  })
  afterAll(() => lab.close())
  return lab
}

/** The same, but empties the schema `test` and sets the database up before each test. */
export function useFreshLab(setup: Setup = []): Lab {
  const lab = useLab()
  beforeEach(async () => {
    await lab.reset()
    await run(lab, setup)
  })
  return lab
}

async function run(lab: Lab, setup: Setup): Promise<void> {
  if (typeof setup === 'function') await setup()
  else for (const sql of [setup].flat()) await lab.exec(sql)
}
