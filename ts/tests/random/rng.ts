/** Random choices that are determined by a seed. */
export class Rng {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A number in [0, 1): mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let x = this.#state
    x = Math.imul(x ^ (x >>> 15), x | 1)
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61)
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }

  /** An integer from `low` to `high`, inclusive. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.int(0, items.length - 1)]
    if (item === undefined) throw new Error('there is nothing to choose from')
    return item
  }

  /** Makes this number of items. */
  times<T>(low: number, high: number, make: (index: number) => T): T[] {
    return Array.from({ length: this.int(low, high) }, (_, index) => make(index))
  }
}

/**
 * The first seed of a random test: the environment variable SEED; or in CI always the same, so that a result depends only
 * on the change under test; or else a random one.
 */
export function firstSeed(): number {
  const { SEED, CI } = process.env
  if (SEED !== undefined) return Number(SEED)
  return CI ? 20_261_121 : Math.floor(Math.random() * 2 ** 31)
}
