import { afterAll, beforeAll } from 'vitest'
import { serveApp } from './site.js'
import type { Site } from './site.js'

/** Builds and serves an app for the tests of a file, or of the `describe` block around it. */
export function useSite(...app: Parameters<typeof serveApp>): Pick<Site, 'url'> {
  let site: Site | undefined
  beforeAll(async () => {
    site = await serveApp(...app)
  })
  afterAll(() => site?.close())
  return {
    get url() {
      if (site === undefined) throw new Error('the app is not served yet: use its address in a hook or a test')
      return site.url
    },
  }
}
