// What the plots have in common: they follow the reader's light or dark colour scheme.

const STYLE = `
svg { background: #fff } text { fill: #333 } .quiet { fill: #666 } .grid { stroke: #ddd }
@media (prefers-color-scheme: dark) {
  svg { background: #151515 } text { fill: #ddd } .quiet { fill: #999 } .grid { stroke: #3a3a3a }
}`

export const escapeXml = (content) => String(content).replaceAll('&', '&amp;').replaceAll('<', '&lt;')
export const round = (number) => Math.round(number * 10) / 10

/** A text at a place. */
export const text = (x, y, content, attributes = '') =>
  `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escapeXml(content)}</text>`

/** The text of an SVG of these parts. `style` are further rules. */
export function svg({ width, height, title, parts, style = '' }) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" \
font-family="system-ui, sans-serif" font-size="12">
<title>${escapeXml(title)}</title>
<style>${STYLE}${style}
</style>
${parts.join('\n')}
</svg>
`
}
