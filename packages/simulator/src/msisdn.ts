/**
 * A phone number as people write it (`0712 345 678`, `+254 712-345-678`, a number) in the form that payments carry
 * (`254712345678`). What is no Kenyan number is only freed of its spaces and signs.
 */
export function normaliseMsisdn(written: string | number): string {
  const digits = String(written).replaceAll(/[\s+-]/g, '')
  return /^0\d{9}$/.test(digits) ? `254${digits.slice(1)}` : digits
}
