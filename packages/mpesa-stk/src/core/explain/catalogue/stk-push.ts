import type { CatalogueRow } from './row.ts'
import { sources } from './sources.ts'

// The synchronous ResponseCode of an STK push that was answered with HTTP 200. Any other status: http-error.ts.
export const stkPushRows = [
  {
    api: 'stk-push',
    code: '0',
    meaning: 'Request queued for the handset; says nothing about payment.',
    category: 'in-progress',
    terminal: false,
    retryable: false,
    fixableBy: 'customer',
    confidence: 'documented',
    sources: [sources.portalMpesaExpressSimulate],
  },
  // A wildcard: never matched by an errorCode or by one of our HTTP_…/HTML_… codes, see lookUpCode.
  {
    api: 'stk-push',
    code: '*',
    meaning: 'Any other ResponseCode inside HTTP 200: request refused, nothing queued.',
    note: 'Wildcard entry for the synchronous ResponseCode.',
    category: 'unknown',
    terminal: true,
    retryable: false,
    fixableBy: 'developer',
    refusal: true,
    confidence: 'documented',
    sources: [sources.portalMpesaExpressSimulate],
  },
] as const satisfies readonly CatalogueRow[]
