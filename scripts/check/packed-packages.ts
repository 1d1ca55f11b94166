import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installPacked, namesExportedTo, pack, strayFiles } from './pack.ts'
import { exportedSubpaths, publishedPackages, type Workspace } from './workspaces.ts'

// Outside of the repository and without our private condition, every subpath must load by import and by require, and
// both must offer the same names. What e2e/package.test.ts asks of a fresh build, this asks of the dist folders here.

function inspect(workspace: Workspace, folder: string): string[] {
  const { manifest } = workspace
  try {
    const packed = pack(workspace, folder)
    installPacked([packed], folder)
    const subpaths = exportedSubpaths(manifest)
    const imported = namesExportedTo(folder, subpaths, 'import')
    const required = namesExportedTo(folder, subpaths, 'require')
    const differing = subpaths.flatMap((subpath, index) =>
      describeDifference(subpath, imported[index], required[index]),
    )
    console.log(`${manifest.name}: ${packed.files.length} files, ${subpaths.length} subpaths by import and by require`)
    return [
      ...strayFiles(packed.files).map(file => `${manifest.name}: ${file} does not belong into the package`),
      ...differing,
    ]
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
}

function describeDifference(subpath: string, imported: string[] = [], required: string[] = []): string[] {
  if (String(imported) === String(required)) return []
  return [
    `${subpath}: import offers ${imported.join(', ') || 'nothing'}; require offers ${required.join(', ') || 'nothing'}`,
  ]
}

const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-packed-'))
try {
  const problems = publishedPackages().flatMap(workspace => inspect(workspace, folder))
  for (const problem of problems) console.error(problem)
  process.exitCode = problems.length > 0 ? 1 : 0
} finally {
  rmSync(folder, { recursive: true })
}
