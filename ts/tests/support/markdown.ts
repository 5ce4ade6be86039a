/** What is in a Markdown text: fenced blocks and tables. */

/** A fenced block. One that stands in a comment is not shown, but runs like the others: it makes what they need. */
export interface Block {
  language: string
  code: string
  line: number
  /** It has a title, and is a file or the end of one. */
  isFile: boolean
  /** What a comment above it says: that it does not run and why, or which test runs it. */
  notRun?: string
  runBy?: string
}

/** All fenced blocks, in order. */
export function blocksIn(text: string): Block[] {
  const fence = /^(?: *<!-- (not run:|run by) (.+?) -->\n+)?^( *)```(\w+)( title=)?[^\n]*\n(.*?)^ *```$/gms
  return [...text.matchAll(fence)].map(
    ({ index, 1: mark, 2: why, 3: indent = '', 4: language = '', 5: title, 6: code = '' }) => ({
      language,
      isFile: title !== undefined,
      code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      line: text.slice(0, index).split('\n').length,
      ...(mark === 'not run:' && why !== undefined && { notRun: why }),
      ...(mark === 'run by' && why !== undefined && { runBy: why }),
    }),
  )
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
