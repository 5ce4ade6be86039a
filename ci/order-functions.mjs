// order-functions.mjs IN OUT: the module IN, with new names of its functions: the places where they compress best, from
// 00000 on. `wasm-opt --reorder-functions-by-name` then puts them there.
//
// gzip finds again what it has seen at most 32 KB before, so functions that share code belong close together. Each place
// goes to the function that has most of its code in common with those placed last.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { functions, interfaceOf, sections } from './gates/wasm.mjs'

/** How far back gzip looks, less a little: what is at the very edge is lost once some bytes stand between. */
const WINDOW = 30000
/** The length of the pieces of code that are compared. Of 4 to 10 bytes, 6 gave the smallest planner. */
const PIECE = 6
/** Part of every function's length, so that a tiny one is not taken for one piece in common. */
const LENGTH_FLOOR = 20
/**
 * What a function's bytes in common are divided by: its length would prefer the tiny ones, 1 the large ones. Between the two is
 * best, and square roots are the same on every machine, as other powers are not.
 */
const divisor = (length) => Math.sqrt(length * Math.sqrt(length))

/** The pieces of each function, as numbers, without those that occur in one function only. */
function piecesOf(bodies) {
  const holders = new Map()
  bodies.forEach((body, index) => {
    for (let at = 0; at + PIECE <= body.length; at++) {
      const piece = body.readUIntBE(at, PIECE)
      const held = holders.get(piece)
      if (!held) holders.set(piece, [index])
      else if (held.at(-1) !== index) held.push(index)
    }
  })
  const pieces = bodies.map(() => [])
  for (const held of holders.values()) {
    if (held.length < 2) continue
    // What many functions have is near anyway.
    const piece = { held, weight: 1 / Math.sqrt(held.length), near: 0 }
    for (const index of held) pieces[index].push(piece)
  }
  return pieces
}

/** How many of the most often called functions keep a number that takes one byte in each call. 64 gave the smallest planner. */
const SHORT = 64

/** The indices of the bodies, in the order in which they compress best, after the first `kept` of them. */
export function bestOrder(bodies, kept = 0) {
  const pieces = piecesOf(bodies)
  const divisors = bodies.map((body) => divisor(body.length + LENGTH_FLOOR))
  /** The weight of the pieces that each function has in common with the window. */
  const common = new Float64Array(bodies.length)
  const change = (piece, sign) => {
    for (const index of piece.held) common[index] += sign * piece.weight
  }
  const left = new Set(bodies.keys())
  const order = []
  let oldest = 0
  let size = 0
  for (let next = 0; left.size;) {
    left.delete(next)
    order.push(next)
    for (const piece of pieces[next]) if (piece.near++ === 0) change(piece, 1)
    size += bodies[next].length
    for (; size > WINDOW; oldest++) {
      for (const piece of pieces[order[oldest]]) if (--piece.near === 0) change(piece, -1)
      size -= bodies[order[oldest]].length
    }
    let best = -1
    for (const index of left) {
      if (order.length < kept && index >= kept) break
      const share = common[index] / divisors[index]
      if (share > best) [next, best] = [index, share]
    }
  }
  return order
}

/** An unsigned LEB128 number. */
function number(value) {
  const bytes = []
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80)
  return Buffer.from([...bytes, value])
}

/** Bytes with their length before them. */
const sized = (...parts) => {
  const bytes = Buffer.concat(parts)
  return Buffer.concat([number(bytes.length), bytes])
}

/** The module with these names of its own functions, and no other names. */
export function renamed(module, names) {
  const { importedFunctions } = interfaceOf(module)
  const kept = sections(module).filter((each) => each.name !== 'custom name')
  const entries = names.map((name, index) => [number(importedFunctions + index), sized(Buffer.from(name))])
  const functionNames = [Buffer.from([1]), sized(number(names.length), ...entries.flat())]
  return Buffer.concat([
    module.subarray(0, 8),
    ...kept.map(({ start, size, whole }) => module.subarray(start + size - whole, start + size)),
    Buffer.from([0]),
    sized(sized(Buffer.from('name')), ...functionNames),
  ])
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [from, to] = process.argv.slice(2)
  const module = readFileSync(from)
  const bodies = functions(module).map(({ start, size }) => module.subarray(start, start + size))
  const order = bestOrder(bodies, SHORT - interfaceOf(module).importedFunctions)
  const names = []
  order.forEach((index, place) => (names[index] = String(place).padStart(5, '0')))
  writeFileSync(to, renamed(module, names))
}
