import { useEffect, useSyncExternalStore } from 'react'
import { ChangeCard } from './components/ChangeCard'
import { CostCard } from './components/CostCard'
import { Header } from './components/Header'
import { PlanCard } from './components/PlanCard'
import { QueryCard } from './components/QueryCard'
import { ResultCard } from './components/ResultCard'
import { Session } from './session'

const session = new Session()

export function App() {
  const state = useSyncExternalStore(session.subscribe, session.state)
  useEffect(() => session.start(), [])
  if (state.failure !== undefined) {
    return (
      <main className="failed" role="alert">
        <h1>Something went wrong</h1>
        <p>{state.failure}</p>
        <button type="button" className="main" onClick={() => location.reload()}>
          Start again
        </button>
      </main>
    )
  }
  return (
    <div className="page" data-waiting={state.waitsFor !== undefined}>
      <Header session={session} state={state} />
      <main>
        <div className="column">
          <QueryCard session={session} state={state} />
          <ChangeCard session={session} state={state} />
        </div>
        <div className="column">
          <CostCard state={state} />
          <ResultCard state={state} />
        </div>
        <PlanCard state={state} />
      </main>
    </div>
  )
}
