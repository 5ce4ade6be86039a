import type { StreamTablePlan } from '@pgtrickle/pglite'
import { renderPlan } from '@pgtrickle/pglite/planner'
import { useMemo } from 'react'
import type { CSSProperties } from 'react'
import { RESULT } from '../database'

/** It gets no smaller than can be read. On a narrow screen it scrolls. */
const SMALLEST = 0.75

/** The stages of a plan, from the tables to the result. */
export function PlanPicture({ plan }: { plan: StreamTablePlan }) {
  // The picture is the package's own, and has no text in it that is not escaped.
  const svg = useMemo(() => renderPlan({ ...plan, name: RESULT }), [plan])
  const [, width] = /width="(\d+)"/.exec(svg) ?? []
  const least = { '--least': `${Number(width) * SMALLEST}px` } as CSSProperties
  return (
    <div className="picture" style={least} tabIndex={0} role="group" aria-label="Picture of the plan">
      <div dangerouslySetInnerHTML={{ __html: svg }} />
    </div>
  )
}
