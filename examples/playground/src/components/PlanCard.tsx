import type { State } from '../session'
import { PlanPicture } from './PlanPicture'

export function PlanCard({ state: { plan, wrong } }: { state: State }) {
  return (
    <section className="card plan" aria-labelledby="plan" data-stale={wrong !== undefined}>
      <h2 id="plan">Plan</h2>
      {plan ? <PlanPicture plan={plan} /> : <p className="quiet">The plan of the query appears here while you type.</p>}
      {plan && plan.advice.length > 0 && (
        <div className="advice">
          <h3>What would make a change cheaper</h3>
          {plan.advice.map((line) => (
            <pre key={line} tabIndex={0}>
              {line}
            </pre>
          ))}
        </div>
      )}
    </section>
  )
}
