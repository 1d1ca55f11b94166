/** What stands on the shelf. Prices are whole Kenya shillings. */
export const products = [
  { id: 'coffee', price: 850, en: 'Nyeri AA coffee', sw: 'Kahawa ya Nyeri', detail: '250 g' },
  { id: 'shuka', price: 1500, en: 'Maasai shuka', sw: 'Shuka ya Kimaasai', detail: '1.5 × 2 m' },
  { id: 'kiondo', price: 2400, en: 'Kiondo basket', sw: 'Kikapu cha kiondo', detail: '32 cm' },
  { id: 'chai', price: 320, en: 'Kericho tea', sw: 'Chai ya Kericho', detail: '500 g' },
] as const

export type Product = (typeof products)[number]

export function findProduct(id: string): Product | null {
  return products.find(product => product.id === id) ?? null
}
