export const EXAMPLE: string
export function prepareModules(): void
