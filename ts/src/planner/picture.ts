/** A plan as a picture: an SVG without scripts and without anything from elsewhere. */
import { graphOf } from './graph.js'
import type { GraphEdge, Pictured } from './graph.js'
import { layOut, LETTER, LINE_HEIGHT, shortened } from './layout.js'
import type { Box, Line } from './layout.js'

/** Options of `renderPlan`. */
export interface PictureOptions {
  /** `auto`, the default, follows what the reader prefers. */
  theme?: 'auto' | 'light' | 'dark'
  /** The title that is read out; the name of the stream table unless given. */
  title?: string
}

const LIGHT =
  '--page:#ffffff;--box:#f3f5f8;--text:#14181f;--quiet:#4b5565;--line:#8b95a5;--fold:#047857;--rekey:#92600a;--rebuild:#b91c1c'
const DARK =
  '--page:#12161d;--box:#1f2631;--text:#e8ebf0;--quiet:#aab3c2;--line:#6b7686;--fold:#34d399;--rekey:#fbbf24;--rebuild:#f87171'

const WAYS = {
  fold: 'the change is folded in',
  rekey: 'touched keys are computed again',
  rebuild: 'the query runs again',
}

/** The stage graph of a plan as SVG: tables on the left, the stream table on the right, one colour for each way. */
export function renderPlan(plan: Pictured, options: PictureOptions = {}): string {
  const { theme = 'auto', title } = options ?? {}
  const graph = graphOf(plan)
  const layout = layOut(graph)
  const { name } = plan
  const heading = title ?? (name === null ? 'Plan of a query' : `Plan of ${name}`)
  const legend = Object.entries(WAYS)
  const entries = legend.map(([way, text]) => `${way}: ${text}`)
  const starts = entries.map((_, n) => entries.slice(0, n).reduce((x, entry) => x + entry.length * LETTER + 50, 0))
  const width = Math.max(layout.width, (starts.at(-1) ?? 0) + (entries.at(-1) ?? '').length * LETTER + 58)
  const height = layout.height + LINE_HEIGHT * 2
  const id = `p${hash(JSON.stringify([heading, graph]))}`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${Math.ceil(width)} ${Math.ceil(height)}" width="${Math.ceil(width)}" ` +
      `height="${Math.ceil(height)}" role="img" aria-labelledby="${id}t ${id}d" class="pgtrickle-plan">`,
    `<title id="${id}t">${escaped(heading)}</title>`,
    `<desc id="${id}d">${escaped(described(plan, graph.edges, (node) => titleOf(graph, node)))}</desc>`,
    `<style>${styleOf(theme)}</style>`,
    `<defs>${legend.map(([way]) => arrowOf(id, way)).join('')}</defs>`,
    `<rect class="page" width="100%" height="100%"/>`,
    ...layout.lines.map((line) => pathOf(line, graph.edges[line.edge], id)),
    ...layout.boxes.map(drawn),
    ...labelsOf(layout.lines, graph.edges).map(drawnLabel),
    `<g class="legend" transform="translate(16 ${Math.ceil(layout.height + 14)})">`,
    ...legend.map(
      ([way], n) =>
        `<g transform="translate(${at(starts[n] ?? 0)} 0)"><rect class="${way}" y="-9" width="18" height="10" rx="2"/>` +
        `<text x="25">${entries[n]}</text></g>`,
    ),
    `</g></svg>`,
  ].join('\n')
}

const titleOf = ({ nodes }: ReturnType<typeof graphOf>, id: string): string =>
  nodes.find((node) => node.id === id)?.title ?? id

/** The picture in words. */
function described({ stages, way, reason }: Pictured, edges: GraphEdge[], title: (id: string) => string): string {
  const changes = edges
    .filter(({ cost }) => cost !== '')
    .map(({ from, to, way, cost }) => `A change of ${title(from)} reaches ${title(to)} by ${way}; its cost is ${cost}.`)
  const count = stages.length === 1 ? 'One stage' : `${stages.length} stages`
  return [`${count}, maintained by ${way}${reason === null ? '' : ` because of ${reason}`}.`, ...changes].join(' ')
}

function styleOf(theme: NonNullable<PictureOptions['theme']>): string {
  const root = '.pgtrickle-plan'
  const variables =
    theme === 'auto'
      ? `${root}{${LIGHT}}@media (prefers-color-scheme:dark){${root}{${DARK}}}`
      : `${root}{${theme === 'dark' ? DARK : LIGHT}}`
  const ways = Object.keys(WAYS).map(
    (way) =>
      `${root} .edge.${way},${root} .box.${way}{stroke:var(--${way})}${root} rect.${way}:not(.box),${root} path.${way}:not(.edge),${root} text.${way}{fill:var(--${way})}`,
  )
  return [
    variables,
    `${root}{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}`,
    `${root} .page{fill:var(--page)}${root} text{fill:var(--text)}${root} .quiet,${root} .legend text{fill:var(--quiet)}`,
    `${root} .box{fill:var(--box);stroke:var(--line);stroke-width:1.5}${root} .title{font-weight:600}`,
    `${root} .edge{fill:none;stroke-width:1.5}`,
    `${root} .halo{stroke:var(--page);stroke-width:4;paint-order:stroke;font-size:11px}`,
    ...ways,
  ].join('')
}

const arrowOf = (id: string, way: string): string =>
  `<marker id="${id}${way}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">` +
  `<path class="${way}" d="M0 0L8 4L0 8z"/></marker>`

function pathOf({ points }: Line, edge: GraphEdge | undefined, id: string): string {
  const way = edge?.way ?? 'fold'
  const steps = points.map(([x, y], n) => {
    const before = points[n - 1]
    if (before === undefined) return `M${at(x)} ${at(y)}`
    const bend = (x - before[0]) / 2
    return `C${at(before[0] + bend)} ${at(before[1])} ${at(x - bend)} ${at(y)} ${at(x)} ${at(y)}`
  })
  return `<path class="edge ${way}" d="${steps.join('')}" marker-end="url(#${id}${way})"/>`
}

interface Label {
  x: number
  y: number
  lines: string[]
  edge: GraphEdge
}

const LABEL_HEIGHT = 15

/** What a change that comes each way costs, in the middle of the edge's first piece, one below the other. */
function labelsOf(lines: Line[], edges: GraphEdge[]): Label[] {
  const labels = lines.flatMap(({ points: [start, end], edge: n }): Label[] => {
    const edge = edges[n]
    if (edge === undefined || edge.cost === '' || start === undefined || end === undefined) return []
    return [{ x: (start[0] + end[0]) / 2, y: (start[1] + end[1]) / 2 - 4, lines: wrapped(edge.cost), edge }]
  })
  labels.sort((one, other) => one.x - other.x || one.y - other.y)
  labels.forEach((label, n) => {
    const above = labels[n - 1]
    if (above && above.x === label.x) label.y = Math.max(label.y, above.y + above.lines.length * LABEL_HEIGHT + 3)
  })
  return labels
}

/** What it runs shows when it is pointed at. */
function drawnLabel({ x, y, lines, edge }: Label): string {
  const [inserted, updated, deleted] = edge.statements
  const runs = `INSERT runs ${inserted} statements, UPDATE ${updated}, DELETE ${deleted}`
  const spans = lines.map((line, n) => `<tspan x="${at(x)}" y="${at(y + n * LABEL_HEIGHT)}">${escaped(line)}</tspan>`)
  return (
    `<text class="halo ${edge.way}" text-anchor="middle">${spans.join('')}` +
    `<title>${escaped(`${edge.cost}; ${runs}`)}</title></text>`
  )
}

/** Above and below an edge there is room for this many letters each. */
const EDGE_LETTERS = 26

/** Two lines at most. */
function wrapped(text: string): string[] {
  if (text.length <= EDGE_LETTERS) return [text]
  const end = text.lastIndexOf(' ', EDGE_LETTERS)
  const cut = end > 0 ? end : EDGE_LETTERS
  return [text.slice(0, cut), shortened(text.slice(cut).trim(), EDGE_LETTERS)]
}

function drawn({ node, x, y, width, height, lines }: Box): string {
  const { kind, way, title } = node
  const round = kind === 'result' ? 18 : kind === 'source' ? 2 : 7
  const colour = kind === 'source' ? '' : ` ${way ?? ''}`
  const rows = lines.map(
    (line, n) => `<text class="quiet" x="12" y="${16 + LINE_HEIGHT * (n + 1)}">${escaped(line)}</text>`,
  )
  return (
    `<g transform="translate(${at(x)} ${at(y + 4)})"><title>${escaped([title, ...node.lines].join('\n'))}</title>` +
    `<rect class="box${colour}" y="-4" width="${width}" height="${height}" rx="${round}"/>` +
    `<text class="title" x="12" y="16">${escaped(shortened(title, 34))}</text>` +
    (kind === 'stage' && way !== null
      ? `<text class="title ${way}" x="${width - 12}" y="16" text-anchor="end">${way}</text>`
      : '') +
    `${rows.join('')}</g>`
  )
}

const at = (number: number): string => String(Math.round(number * 10) / 10)

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** XML takes no control characters, not even as entities. */
const escaped = (text: string): string =>
  text.replace(/(?![\t\n])[\p{Cc}\ufffe\uffff]/gu, '\ufffd').replace(/[&<>"]/g, (letter) => ENTITIES[letter] ?? '')

/** Names of parts that differ between two pictures on one page. */
function hash(text: string): string {
  let sum = 5381
  for (let n = 0; n < text.length; n++) sum = (Math.imul(sum, 33) ^ text.charCodeAt(n)) >>> 0
  return sum.toString(36)
}
