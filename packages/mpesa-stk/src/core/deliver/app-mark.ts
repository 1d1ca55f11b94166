import { sha256 } from '../sha256.ts'

/** How logs name an app: its id is the way to its hook, and whoever reads a log must not be able to post there. */
export function appMark(appId: string): string {
  return sha256(appId).slice(0, 8)
}
