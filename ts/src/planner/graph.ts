/** A plan as a graph: tables, the operators of each stage, what it stores, and the stream table. */
import type { StagePlan, StreamTablePlan, Way } from '../types.js'

/** What the pictures show of a plan: of a stream table, or of the planner, whose plan may have no name. */
export type Pictured = Pick<StreamTablePlan, 'stages' | 'way' | 'reason' | 'advice' | 'columns'> & {
  name: string | null
  schema: string | null
}

export interface GraphNode {
  id: string
  kind: 'source' | 'stage' | 'result'
  /** The lines of its box: a title, and details. */
  title: string
  lines: string[]
  way: Way | null
  /** Its column in the picture: 0 for tables, and one more than what it reads for everything else. */
  layer: number
}

export interface GraphEdge {
  from: string
  to: string
  way: Way
  /** The cost class of a change that comes this way. */
  cost: string
  /** How many statements an insert, an update and a delete run. */
  statements: [inserts: number, updates: number, deletes: number]
}

export interface PlanGraph {
  nodes: GraphNode[]
  edges: GraphEdge[]
}

/** The graph, tables first and then stages from the bottom. */
export function graphOf(plan: Pictured): PlanGraph {
  const nodes: GraphNode[] = []
  const edges: GraphEdge[] = []
  const ids = new Map<string, string>()
  const layers = new Map<string, number>()
  plan.stages.forEach((stage, n) => ids.set(stage.name, `stage${n + 1}`))
  for (const { name } of plan.stages.flatMap((stage) => stage.sources)) {
    if (ids.has(name)) continue
    const id = `source${ids.size - plan.stages.length + 1}`
    ids.set(name, id)
    nodes.push({ id, kind: 'source', title: plain(name), lines: [], way: null, layer: 0 })
    layers.set(id, 0)
  }
  for (const stage of plan.stages) {
    const id = ids.get(stage.name) ?? stage.name
    for (const { name, way, cost, insert, update, delete: gone } of stage.sources) {
      const statements: GraphEdge['statements'] = [insert.length, update.length, gone.length]
      edges.push({ from: ids.get(name) ?? name, to: id, way, cost, statements })
    }
    const below = stage.sources.map(({ name }) => layers.get(ids.get(name) ?? '') ?? 0)
    const layer = 1 + Math.max(0, ...below)
    layers.set(id, layer)
    nodes.push({ id, kind: 'stage', title: plain(stage.name), lines: linesOf(stage), way: stage.way, layer })
  }
  const top = plan.stages.at(-1)
  if (top) {
    const layer = 1 + Math.max(...nodes.map((node) => node.layer))
    const name = plan.name === null ? 'the query' : plan.schema === null ? plan.name : `${plan.schema}.${plan.name}`
    nodes.push({ id: 'result', kind: 'result', title: name, lines: [columnsOf(plan.columns)], way: plan.way, layer })
    edges.push({ from: ids.get(top.name) ?? '', to: 'result', way: top.way, cost: '', statements: [0, 0, 0] })
  }
  for (const node of nodes.filter(({ kind }) => kind === 'source')) {
    const reached = reachOf(node.id, edges)
    node.lines.push(`a change runs ${reached} ${reached === 1 ? 'stage' : 'stages'}`)
  }
  return { nodes, edges }
}

/** How many stages a change of a table runs. */
function reachOf(id: string, edges: GraphEdge[]): number {
  const reached = new Set<string>()
  const visit = (from: string): void => {
    for (const { to } of edges.filter((edge) => edge.from === from && edge.to !== 'result')) {
      if (reached.has(to)) continue
      reached.add(to)
      visit(to)
    }
  }
  visit(id)
  return reached.size
}

/** The operators that the stage has itself: what it reads is drawn beside it. */
function linesOf(stage: StagePlan): string[] {
  const operators = stage.operators.map(readable).filter((line) => !line.startsWith('scan '))
  const shown = operators.slice(0, MOST_OPERATORS)
  if (operators.length > shown.length) shown.push(`and ${operators.length - shown.length} more operators`)
  const stored = stage.key.length === 0 ? 'stores rows, which can repeat' : `stores rows by ${stage.key.join(', ')}`
  return [...shown, stored, ...(stage.reason === null ? [] : [`because of: ${stage.reason}`])]
}

/** Expressions are written so that they mean the same everywhere; people know where an operator is from. */
const readable = (text: string): string =>
  text
    .trim()
    .replace(/OPERATOR\(pg_catalog\.([^)]+)\)/g, '$1')
    .replace(/(::|\b)pg_catalog\./g, '$1')

const MOST_OPERATORS = 4

const columnsOf = (columns: string[]): string => (columns.length === 0 ? 'no columns' : columns.join(', '))

/** A qualified name without the schemas that say nothing. */
const plain = (name: string): string => name.replace(/^(?:public|pgtrickle)\./, '')
