/** A plan as the text of a Mermaid flowchart. */
import { graphOf } from './graph.js'
import type { GraphNode, Pictured } from './graph.js'

const COLOURS = {
  fold: 'fill:#d1fae5,stroke:#047857,color:#064e3b',
  rekey: 'fill:#fef3c7,stroke:#92600a,color:#5c3d06',
  rebuild: 'fill:#fee2e2,stroke:#b91c1c,color:#7f1d1d',
}

/** The stage graph of a plan as Mermaid text, for documents that draw it. */
export function renderMermaid(plan: Pictured): string {
  const { nodes, edges } = graphOf(plan)
  const lines = ['flowchart LR', ...nodes.map((node) => `  ${boxOf(node)}`)]
  for (const { from, to, cost } of edges) {
    lines.push(cost === '' ? `  ${from} --> ${to}` : `  ${from} -->|"${escaped(cost)}"| ${to}`)
  }
  for (const [way, style] of Object.entries(COLOURS)) {
    const members = nodes.filter((node) => node.way === way).map((node) => node.id)
    if (members.length > 0) lines.push(`  classDef ${way} ${style}`, `  class ${members.join(',')} ${way}`)
  }
  return `${lines.join('\n')}\n`
}

function boxOf({ id, kind, title, lines, way }: GraphNode): string {
  const text = [title, ...(kind === 'stage' && way !== null ? [way] : []), ...lines].map(escaped).join('<br>')
  return kind === 'source' ? `${id}[("${text}")]` : kind === 'result' ? `${id}(["${text}"])` : `${id}["${text}"]`
}

/** Mermaid reads entities in quoted text, and markup. */
const escaped = (text: string): string =>
  text.replace(/[&"<>#`|{}[\]\\]/g, (letter) => `#${letter.codePointAt(0)};`).replace(/\s+/g, ' ')
