/** The Worker: the page, and the way to the one board that there is. */
import page from './page.html'

export { Board } from './board.js'

interface Env {
  BOARD: DurableObjectNamespace
}

export default {
  fetch(request: Request, env: Env): Response | Promise<Response> {
    if (new URL(request.url).pathname === '/') {
      return new Response(page, { headers: { 'Content-Type': 'text/html; charset=utf-8' } })
    }
    return env.BOARD.get(env.BOARD.idFromName('the board')).fetch(request)
  },
}
