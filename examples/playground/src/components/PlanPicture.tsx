import type { StreamTablePlan } from '@pgtrickle/pglite'

/** The stages, from the tables to the result. */
export function PlanPicture({ plan }: { plan: StreamTablePlan }) {
  return (
    <ol className="stages">
      {plan.stages.map((stage) => (
        <li key={stage.name}>
          <p>
            <span className={`way ${stage.way}`}>{stage.way}</span>
          </p>
          <pre tabIndex={0}>{stage.operators.join('\n')}</pre>
          {stage.sources.map(({ name, cost }) => (
            <p key={name} className="quiet">
              A change of <code>{name}</code> costs {cost}.
            </p>
          ))}
          {stage.reason && <p className="quiet">Reason: {stage.reason}</p>}
        </li>
      ))}
    </ol>
  )
}
