import { act, createElement, type FunctionComponent, type ReactNode, StrictMode } from 'react'
import { createRoot } from 'react-dom/client'

/**
 * Runs components as a browser does, effects and StrictMode and all, as long as they render nothing: React asks little of a
 * page then, and no DOM is needed. What they see they tell by other ways.
 */
export async function renderNothing(node: ReactNode): Promise<{ unmount(): Promise<void> }> {
  const page = new EventTarget()
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true, window: { HTMLIFrameElement: class {} } })
  const ownerDocument = Object.assign(page, { nodeType: 9, activeElement: null, body: null, defaultView: null })
  const container = Object.assign(new EventTarget(), { nodeType: 1, tagName: 'MAIN', namespaceURI: '', ownerDocument })
  const root = createRoot(container as unknown as Element)
  await act(async () => root.render(createElement(StrictMode, null, node)))
  return { unmount: () => act(async () => root.unmount()) }
}

/** A component that renders nothing and tells what a hook gave. */
export function probe<T>(useHook: () => T, seen: (value: T) => void): FunctionComponent {
  return () => {
    seen(useHook())
    return null
  }
}
