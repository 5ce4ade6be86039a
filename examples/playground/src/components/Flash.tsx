import { useState } from 'react'
import type { ReactNode } from 'react'

/** Highlights its content when it changes. */
export function Flash({ children }: { children: ReactNode }) {
  const [first] = useState(children)
  return (
    <span key={String(children)} className={children === first ? undefined : 'flash'}>
      {children}
    </span>
  )
}
