import type { DevtoolsElement } from '@pgtrickle/pglite/devtools'
import { useRef, useState } from 'react'
import { DATASETS } from '../datasets'
import type { DatasetName } from '../datasets'
import type { Session, State } from '../session'

export function Header({ session, state }: { session: Session; state: State }) {
  const [said, setSaid] = useState('')
  const panel = useRef<DevtoolsElement>(undefined)

  const share = async () => {
    const address = await session.share()
    try {
      await navigator.clipboard.writeText(address)
      setSaid('Link copied')
    } catch {
      setSaid('The address is now a link to this')
    }
    setTimeout(() => setSaid(''), 4000)
  }

  const toggleTools = async () => {
    if (panel.current?.isConnected) return panel.current.remove()
    const { openDevtools } = await import('@pgtrickle/pglite/devtools')
    if (state.db) panel.current = openDevtools(state.db)
  }

  return (
    <header>
      <div className="title">
        <h1>Stream table playground</h1>
        <p className="quiet">Type a query. Its table always equals it, whatever you change.</p>
      </div>
      <div className="tools">
        <span role="status" className="quiet">
          {said}
        </span>
        <button type="button" onClick={() => void share()} disabled={!state.db}>
          Share
        </button>
        <button type="button" onClick={() => void toggleTools()} disabled={!state.db}>
          Developer tools
        </button>
      </div>
      <nav className="datasets" aria-label="Data">
        {Object.entries(DATASETS).map(([name, { title }]) => (
          <button
            key={name}
            type="button"
            aria-pressed={name === state.dataset}
            disabled={state.waitsFor !== undefined}
            onClick={() => session.chooseDataset(name as DatasetName)}
          >
            {title}
          </button>
        ))}
      </nav>
      <p className="waiting" role="status">
        {state.waitsFor !== undefined && `${state.waitsFor} …`}
      </p>
    </header>
  )
}
