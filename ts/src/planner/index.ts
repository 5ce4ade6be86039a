/** Plans without a database: what `explainStreamTable` says, from a definition alone, and plans as pictures. */
export type { CatalogAnswer, Definition } from '../definition.js'
export { TrickleError } from '../errors.js'
export type { SourcePlan, StagePlan, StreamTablePlan, Way } from '../types.js'
export { plan } from './plan.js'
export type { Plan, PlannedStorage, PlannerModule, PlanOptions } from './plan.js'
export { renderMermaid } from './mermaid.js'
export { renderPlan } from './picture.js'
export type { PictureOptions } from './picture.js'
