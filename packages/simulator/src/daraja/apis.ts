import type { DarajaApi } from './daraja-api.ts'
import { oauth } from './oauth.ts'
import { stkPush } from './stk-push.ts'
import { stkQuery } from './stk-query.ts'

/** Every Daraja API that is simulated. C2B, B2C, status, reversal, balance, QR and pull join here. */
export const darajaApis: readonly DarajaApi[] = [oauth, stkPush, stkQuery]
