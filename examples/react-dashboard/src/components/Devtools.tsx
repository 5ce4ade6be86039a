import type { DevtoolsElement } from '@pgtrickle/pglite/devtools'
import { useEffect, useRef, useState } from 'react'
import type { Database } from '../database/open'

/** A button that opens the panel for developers, which is loaded when it is first wanted. */
export function Devtools({ db }: { db: Database }) {
  const panel = useRef<DevtoolsElement>(undefined)
  const [failure, setFailure] = useState('')
  useEffect(() => () => panel.current?.remove(), [])

  const toggle = async () => {
    if (panel.current?.isConnected) return panel.current.remove()
    try {
      const { openDevtools } = await import('@pgtrickle/pglite/devtools')
      panel.current = openDevtools(db)
      setFailure('')
    } catch (error) {
      setFailure((error as Error).message)
    }
  }

  return (
    <p>
      <button type="button" className="plain" onClick={() => void toggle()}>
        Developer tools
      </button>
      {failure && <span role="alert"> {failure}</span>}
    </p>
  )
}
