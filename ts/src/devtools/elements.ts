/** Builds elements. Text is always text: nothing that comes from the database is parsed as HTML. */

type Child = Node | string | undefined

/** An element with attributes, listeners (`onclick`) and children. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string | boolean | (() => void) | undefined> = {},
  ...children: (Child | Child[])[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value)
    else if (value === true) element.setAttribute(name, '')
    else if (value !== undefined && value !== false) element.setAttribute(name, value)
  }
  element.append(...children.flat().filter((child) => child !== undefined))
  return element
}

/** Replaces what an element holds, unless it is the same text already. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

const whole = new Intl.NumberFormat('en')
export const number = (value: number): string => whole.format(value)

export const bytes = (value: number): string =>
  value < 2 ** 20
    ? `${number(Math.round(value / 2 ** 10))} KB`
    : value < 2 ** 30
      ? `${(value / 2 ** 20).toFixed(1)} MB`
      : `${(value / 2 ** 30).toFixed(1)} GB`

export const milliseconds = (value: number): string =>
  value < 10 ? `${value.toFixed(2)} ms` : value < 1000 ? `${value.toFixed(0)} ms` : `${(value / 1000).toFixed(1)} s`

export const time = (date: Date): string => date.toLocaleTimeString('en-GB')
