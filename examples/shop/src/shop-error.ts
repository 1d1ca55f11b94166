/** What the shop itself refuses, with the HTTP status that it answers. */
export const shopErrorStatus = {
  SHOP_REQUEST_INVALID: 400,
  SHOP_SIGNATURE_INVALID: 401,
  SHOP_FOREIGN_ORIGIN: 403,
  SHOP_NOT_FOUND: 404,
  SHOP_BODY_TOO_LARGE: 413,
  SHOP_NOT_JSON: 415,
} as const

export type ShopErrorCode = keyof typeof shopErrorStatus

export class ShopError extends Error {
  override readonly name = 'ShopError'
  readonly code: ShopErrorCode

  constructor(code: ShopErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
