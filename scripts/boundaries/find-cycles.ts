export type Edges = ReadonlyMap<string, readonly string[]>

/** One shortest cycle for every knot of files that reach each other, as the list of files from the first back to it. */
export function findCycles(edges: Edges): string[][] {
  const inReportedKnot = new Set<string>()
  const cycles: string[][] = []
  for (const start of [...edges.keys()].sort()) {
    if (inReportedKnot.has(start)) continue
    const cycle = shortestWay(edges, start, start)
    if (!cycle) continue
    cycles.push(cycle)
    for (const file of reachableFrom(edges, start)) {
      if (reachableFrom(edges, file).has(start)) inReportedKnot.add(file)
    }
  }
  return cycles
}

function shortestWay(edges: Edges, start: string, goal: string): string[] | undefined {
  const ways = [[start]]
  const seen = new Set<string>()
  for (let way = ways.shift(); way; way = ways.shift()) {
    for (const next of edges.get(way.at(-1) ?? start) ?? []) {
      if (next === goal) return [...way, next]
      if (seen.has(next)) continue
      seen.add(next)
      ways.push([...way, next])
    }
  }
  return undefined
}

function reachableFrom(edges: Edges, start: string): Set<string> {
  const reached = new Set<string>()
  const open = [...(edges.get(start) ?? [])]
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (reached.has(file)) continue
    reached.add(file)
    open.push(...(edges.get(file) ?? []))
  }
  return reached
}
