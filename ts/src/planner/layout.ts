/** Places the boxes of a graph in layers from left to right, so that few edges cross. */
import type { GraphNode, PlanGraph } from './graph.js'

export interface Box {
  node: GraphNode
  x: number
  y: number
  width: number
  height: number
  /** The lines as they are shown, cut to the width of the box. */
  lines: string[]
}

export interface Line {
  /** The position of its edge in the graph. */
  edge: number
  /** Where it passes: its start, a point in each layer in between, and its end. */
  points: [number, number][]
}

export interface Layout {
  boxes: Box[]
  lines: Line[]
  width: number
  height: number
}

export const LINE_HEIGHT = 17
/** The width of a letter of the fixed font, of 12 pixels, that the picture is set in. */
export const LETTER = 7.25
const PADDING = 12
const MARGIN = 16
const GAP = 22
/** Room between layers, with text on the edges and without. */
const BETWEEN = 200
const NARROW = 60
const MOST_LETTERS = 44

/** Something that stands in a layer: a box, or the place where an edge passes it. */
interface Item {
  layer: number
  height: number
  box?: Box
  below: Item[]
  above: Item[]
  y: number
}

export function layOut(graph: PlanGraph): Layout {
  const items = new Map<string, Item>()
  for (const node of graph.nodes) {
    const lines = node.lines.map((line) => shortened(line, MOST_LETTERS))
    const title = shortened(node.title, MOST_LETTERS - 10)
    const letters = Math.max(title.length + (node.kind === 'stage' ? 10 : 2), ...lines.map((line) => line.length))
    const height = PADDING * 2 + LINE_HEIGHT * (lines.length + 1)
    const box = { node, x: 0, y: 0, width: Math.ceil(letters * LETTER) + PADDING * 2, height, lines }
    items.set(node.id, { layer: node.layer, height, box, below: [], above: [], y: 0 })
  }
  const paths = graph.edges.map(({ from, to }, edge) => ({ edge, items: pathOf(items.get(from), items.get(to)) }))
  const layers: Item[][] = []
  for (const item of [...items.values(), ...paths.flatMap((path) => path.items.slice(1, -1))]) {
    ;(layers[item.layer] ??= []).push(item)
  }
  for (let round = 0; round < 8; round++) {
    for (const layer of layers) order(layer, 'below')
    for (const layer of [...layers].reverse()) order(layer, 'above')
  }
  const isTold = (layer: number) => graph.nodes.some((node) => node.layer > layer && node.kind !== 'result')
  const width = place(layers, isTold)
  const height = Math.max(...layers.flat().map((item) => item.y + item.height)) + MARGIN
  const lines = paths.map((path) => ({ edge: path.edge, points: pointsOf(path.items, layers) }))
  return { boxes: [...items.values()].flatMap((item) => item.box ?? []), lines, width, height }
}

/** The items that an edge passes, with a new one in each layer in between. */
function pathOf(from: Item | undefined, to: Item | undefined): Item[] {
  if (!from || !to) return []
  const path = [from]
  for (let layer = from.layer + 1; layer < to.layer; layer++) {
    path.push({ layer, height: LINE_HEIGHT, below: [], above: [], y: 0 })
  }
  path.push(to)
  path.forEach((item, n) => {
    const next = path[n + 1]
    if (next) {
      item.above.push(next)
      next.below.push(item)
    }
  })
  return path
}

/** Sorts a layer by the middle of what its items are joined to in the next one, and stacks it. */
function order(layer: Item[], side: 'below' | 'above'): void {
  const middle = (item: Item) => item.y + item.height / 2
  const wanted = new Map(
    layer.map((item) => {
      const others = item[side]
      const sum = others.reduce((total, other) => total + middle(other), 0)
      return [item, others.length === 0 ? middle(item) : sum / others.length] as const
    }),
  )
  layer.sort((one, other) => (wanted.get(one) ?? 0) - (wanted.get(other) ?? 0))
  let y = MARGIN
  for (const item of layer) {
    item.y = y
    y += item.height + GAP
  }
  // The stack as a whole stands where its items want to be.
  const shift = layer.reduce((total, item) => total + (wanted.get(item) ?? 0) - middle(item), 0) / layer.length
  for (const item of layer) item.y += shift
}

/** Moves everything to where it is drawn, and returns the width. */
function place(layers: Item[][], isTold: (layer: number) => boolean): number {
  const top = Math.min(...layers.flat().map((item) => item.y))
  let x = MARGIN
  let last = 0
  for (const [n, layer] of layers.entries()) {
    const width = Math.max(0, ...layer.map((item) => item.box?.width ?? 0))
    for (const item of layer) {
      item.y += MARGIN - top
      if (item.box) Object.assign(item.box, { x, y: item.y, width })
    }
    last = isTold(n) ? BETWEEN : NARROW
    x += width + last
  }
  return x - last + MARGIN
}

function pointsOf(items: Item[], layers: Item[][]): [number, number][] {
  const left = (layer: number) => layers[layer]?.find((item) => item.box)?.box?.x ?? 0
  const right = (layer: number) => left(layer) + (layers[layer]?.find((item) => item.box)?.box?.width ?? 0)
  return items.flatMap((item, n): [number, number][] => {
    const y = item.y + item.height / 2
    if (n === 0) return [[right(item.layer), portOf(item, items[1], 'above')]]
    if (n === items.length - 1) return [[left(item.layer), portOf(item, items[n - 1], 'below')]]
    return [
      [left(item.layer), y],
      [right(item.layer), y],
    ]
  })
}

/** The height at which an edge meets its box: the edges of a side share it in the order of where they lead. */
function portOf(item: Item, other: Item | undefined, side: 'below' | 'above'): number {
  const sorted = [...item[side]].sort((one, two) => one.y - two.y)
  const place = other ? sorted.indexOf(other) : 0
  return item.y + (item.height * (place + 1)) / (sorted.length + 1)
}

export function shortened(text: string, letters: number): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length <= letters ? line : `${line.slice(0, letters - 1)}…`
}
