/** By how much everything may take longer than on a server without tools: the environment variable PATIENCE. */
export const PATIENCE = Number(process.env.PATIENCE ?? 1)
