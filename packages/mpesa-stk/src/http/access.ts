import type { Context } from 'hono'
import type { OpenedApp } from '../relay/app-book.ts'
import type { Relay } from '../relay/relay.ts'
import { isAdmin, isMerchant, type RelayEnv } from './auth.ts'
import { changesNeedSecret, noSuchApp, unauthorised } from './problem.ts'

/** Who may see and do what: the operator everything, and whoever has an app's signing secret what is of this app. */
export type Access = {
  isOperator(context: Context<RelayEnv>): boolean
  /** The app, if whoever asks may know it; else the answer. */
  openApp(context: Context<RelayEnv>, appId: string): Promise<OpenedApp | Response>
  /** The same, but never by the loopback socket alone: whoever may change a target sees every payment. */
  openAppBySecret(context: Context<RelayEnv>, appId: string): Promise<OpenedApp | Response>
  /** Null when whoever asks may see what is of this app, be that deleted; else the answer. */
  refuse(context: Context<RelayEnv>, appId: string): Promise<Response | null>
}

export function createAccess(relay: Relay, adminToken: string | null): Access {
  const isOperator = (context: Context<RelayEnv>): boolean => isAdmin(context, adminToken)

  async function open(context: Context<RelayEnv>, appId: string, isAllowed: boolean): Promise<OpenedApp | Response> {
    const opened = await relay.apps.open(appId)
    if (opened !== null && isMerchant(context, opened.secrets)) return opened
    if (!isAllowed) return unauthorised(context)
    return opened ?? noSuchApp(context)
  }

  return {
    isOperator,
    openApp: (context, appId) => open(context, appId, isOperator(context)),
    async openAppBySecret(context, appId) {
      const opened = await open(context, appId, adminToken !== null && isOperator(context))
      return opened instanceof Response && isOperator(context) && adminToken === null
        ? changesNeedSecret(context)
        : opened
    },
    async refuse(context, appId) {
      if (isOperator(context)) return null
      const opened = await relay.apps.open(appId)
      return opened !== null && isMerchant(context, opened.secrets) ? null : unauthorised(context)
    },
  }
}
