/** The content of a README: its snippets, the output that it promises for them, and its tables. */
import { inspect } from 'node:util'

/** The fenced blocks of a language, in order. */
export function blocksOf(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map((match) => match[1] ?? '')
}

/** The cells of the table below a heading, without the table's header. */
export function tableIn(text: string, heading: string): string[][] {
  const section = text.split(/^#+ /m).find((part) => part.startsWith(`${heading}\n`)) ?? ''
  const rows = section.split('\n').filter((line) => line.startsWith('|'))
  return rows.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

/** The output that comments after and below `console.log` promise, in order. */
export function printedAccordingTo(code: string): string[] {
  return [...code.matchAll(/console\.log\([^\n]*\n?\/\/ (.*)$|console\.log\([^\n]*\) \/\/ (.*)$/gm)].map(
    (match) => match[2] ?? match[1] ?? '',
  )
}

function shown(values: unknown[]): string {
  return values
    .map((value) => (typeof value === 'string' ? value : inspect(value, { breakLength: Infinity, depth: null })))
    .join(' ')
}

/** Runs code with `given` in place of its imports, and returns what it prints. */
export async function runSnippets(code: string, given: Record<string, unknown>): Promise<string[]> {
  const printed: string[] = []
  const body = code.replace(/^import .*\n/gm, '')
  const names = { ...given, console: { log: (...values: unknown[]) => printed.push(shown(values)) } }
  const run = new Function(...Object.keys(names), `return (async () => {\n${body}\n})()`) as (
    ...values: unknown[]
  ) => Promise<void>
  await run(...Object.values(names))
  return printed
}
