import { asyncResultRows } from './catalogue/async-result.ts'
import { b2cRows } from './catalogue/b2c.ts'
import { c2bRows } from './catalogue/c2b.ts'
import { httpErrorRows } from './catalogue/http-error.ts'
import { organisationOperationsRows } from './catalogue/organisation-operations.ts'
import { otherProductsRows } from './catalogue/other-products.ts'
import { ownCodeRows } from './catalogue/own-codes.ts'
import type { CatalogueRow } from './catalogue/row.ts'
import { stkCallbackRows } from './catalogue/stk-callback.ts'
import { stkPushRows } from './catalogue/stk-push.ts'
import { stkQueryRows } from './catalogue/stk-query.ts'

/** Every answer code of Daraja that we know, one row per (api, code, match). */
export const catalogue: readonly CatalogueRow[] = [
  ...stkPushRows,
  ...stkCallbackRows,
  ...stkQueryRows,
  ...c2bRows,
  ...b2cRows,
  ...organisationOperationsRows,
  ...asyncResultRows,
  ...otherProductsRows,
  ...httpErrorRows,
  ...ownCodeRows,
]
