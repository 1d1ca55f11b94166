/** The shop's sign, as the tab's icon and in the page's head. */
export const favicon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='8' fill='%230a6b38'/%3E%3Cpath d='M5 13l2-6h18l2 6a3.6 3.6 0 0 1-7.3 0 3.6 3.6 0 0 1-7.4 0A3.6 3.6 0 0 1 5 13z' fill='%23f4c95d'/%3E%3Cpath d='M8 18v8h16v-8' fill='none' stroke='%23fff' stroke-width='3'/%3E%3C/svg%3E"

export const brand = `<svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false"><rect width="32" height="32" rx="9" fill="#0a6b38"/><path d="M5 13l2-6h18l2 6a3.6 3.6 0 0 1-7.3 0 3.6 3.6 0 0 1-7.4 0A3.6 3.6 0 0 1 5 13z" fill="#f4c95d"/><path d="M8 18v8h16v-8" fill="none" stroke="#fff" stroke-width="2.6"/></svg>`
