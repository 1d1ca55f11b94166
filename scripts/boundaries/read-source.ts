import ts from 'typescript'
import { impureInCore } from './rules.ts'

export type SourceFile = { path: string; text: string }
export type Import = { specifier: string; line: number; names: readonly string[] | 'everything' }
export type Use = { what: string; line: number }

/** What one file imports, in any of TypeScript's ways, and which impure things it uses. Comments and strings do not count. */
export function readSource(file: SourceFile): { imports: Import[]; impure: Use[] } {
  const source = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true)
  const imports: Import[] = []
  const impure: Use[] = []
  const lineOf = (node: ts.Node) => source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1
  const visit = (node: ts.Node): void => {
    const found = importOf(node)
    if (found) imports.push({ ...found, line: lineOf(node) })
    const what = impureUse(node)
    if (what) impure.push({ what, line: lineOf(node) })
    ts.forEachChild(node, visit)
  }
  visit(source)
  return { imports, impure }
}

function importOf(node: ts.Node): Omit<Import, 'line'> | undefined {
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
    return { specifier: node.moduleSpecifier.text, names: importedNames(node.importClause) }
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
    const { exportClause } = node
    const names =
      exportClause && ts.isNamedExports(exportClause) ? exportClause.elements.map(originalName) : 'everything'
    return { specifier: node.moduleSpecifier.text, names }
  }
  if (ts.isCallExpression(node)) {
    const isImport = node.expression.kind === ts.SyntaxKind.ImportKeyword
    const isRequire = ts.isIdentifier(node.expression) && node.expression.text === 'require'
    const [target] = node.arguments
    if ((isImport || isRequire) && target && ts.isStringLiteralLike(target)) {
      return { specifier: target.text, names: 'everything' }
    }
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
    return { specifier: node.argument.literal.text, names: [] }
  }
  return undefined
}

function importedNames(clause: ts.ImportClause | undefined): readonly string[] | 'everything' {
  if (!clause) return []
  if (clause.name || !clause.namedBindings || ts.isNamespaceImport(clause.namedBindings)) return 'everything'
  return clause.namedBindings.elements.map(originalName)
}

function originalName(element: ts.ImportSpecifier | ts.ExportSpecifier): string {
  return (element.propertyName ?? element.name).text
}

function impureUse(node: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) return impureMember(node)
  if (ts.isNewExpression(node) && isGlobal(node.expression, 'Date') && !node.arguments?.length) return 'new Date()'
  if (ts.isCallExpression(node)) {
    if (isGlobal(node.expression, 'Date')) return 'Date()'
    const call = impureInCore.calls.find(name => isGlobal(node.expression, name))
    return call && `${call}(`
  }
  return undefined
}

function impureMember(node: ts.PropertyAccessExpression | ts.ElementAccessExpression): string | undefined {
  const object = impureInCore.globals.find(name => isGlobal(node.expression, name))
  if (object) return `${object}.`
  const member = memberName(node)
  return impureInCore.members.find(name => {
    const [owner = '', property] = name.split('.')
    return member === property && isGlobal(node.expression, owner)
  })
}

function memberName(node: ts.PropertyAccessExpression | ts.ElementAccessExpression): string | undefined {
  if (ts.isPropertyAccessExpression(node)) return node.name.text
  return ts.isStringLiteralLike(node.argumentExpression) ? node.argumentExpression.text : undefined
}

/** `name`, or `globalThis.name`. A local variable of that name counts too: in core it would only mislead. */
function isGlobal(node: ts.Expression, name: string): boolean {
  if (ts.isIdentifier(node)) return node.text === name
  return (
    ts.isPropertyAccessExpression(node) &&
    ts.isIdentifier(node.expression) &&
    node.expression.text === 'globalThis' &&
    node.name.text === name
  )
}
