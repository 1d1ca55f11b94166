import type { Product } from '../products.ts'

const frame = (inside: string) => `<svg viewBox="0 0 96 72" aria-hidden="true" focusable="false">${inside}</svg>`

/** Drawn here, so that the page needs nothing from anywhere. */
export const pictures: Readonly<Record<Product['id'], string>> = {
  coffee: frame(
    `<path d="M32 14h32l4 48a4 4 0 0 1-4 4H32a4 4 0 0 1-4-4z" fill="#6b3f22"/><path d="M32 14h32l1 10H31z" fill="#4d2c17"/>
     <rect x="34" y="32" width="28" height="24" rx="3" fill="#f6e7cf"/><ellipse cx="48" cy="44" rx="7" ry="9" transform="rotate(28 48 44)" fill="#6b3f22"/>
     <path d="M44 37q8 6 8 14" fill="none" stroke="#f6e7cf" stroke-width="2"/><path d="M31 10h34" stroke="#c98b4b" stroke-width="4" stroke-linecap="round"/>`,
  ),
  shuka: frame(
    `<path d="M18 18q30-10 60 0v42q-30 10-60 0z" fill="#c3272b"/><g fill="none" stroke="#1d1a3a" stroke-width="3" opacity=".85"><path d="M30 14.6v47.8M48 13v50M66 14.6v47.8M18 30q30-10 60 0M18 46q30-10 60 0"/></g>
     <g fill="none" stroke="#f4c95d" stroke-width="1"><path d="M39 13.6v49.6M57 13.6v49.6M18 38q30-10 60 0M18 54q30-10 60 0"/></g><path d="M18 60q30 10 60 0" fill="none" stroke="#8e171c" stroke-width="3"/>`,
  ),
  kiondo: frame(
    `<path d="M32 32C32 4 64 4 64 32" fill="none" stroke="#7b4a22" stroke-width="4"/><path d="M22 30h52l-6 32a6 6 0 0 1-6 4H34a6 6 0 0 1-6-4z" fill="#d9a55b"/>
     <path d="M23.5 38h49l-1.4 7h-46.2z" fill="#0f6b45"/><path d="M25.8 50h44.4l-1 6H26.8z" fill="#a63c1e"/><path d="M22 30h52" stroke="#b07c35" stroke-width="5" stroke-linecap="round"/>
     <g stroke="#f6e7cf" stroke-width="1.6"><path d="M30 38l4 7 4-7 4 7 4-7 4 7 4-7 4 7 4-7 4 7" fill="none"/></g>`,
  ),
  chai: frame(
    `<path d="M24 34h42v14a18 18 0 0 1-18 18h-6a18 18 0 0 1-18-18z" fill="#0f6b45"/><path d="M66 38h6a8 8 0 0 1 0 16h-8" fill="none" stroke="#0f6b45" stroke-width="5"/>
     <ellipse cx="45" cy="34" rx="21" ry="5" fill="#b5652a"/><g fill="none" stroke="#c98b4b" stroke-width="3" stroke-linecap="round"><path d="M36 24q-4-6 0-12M46 24q-4-6 0-12M56 24q-4-6 0-12"/></g>
     <path d="M45 44c8 0 10 6 10 12-8 0-12-4-10-12z" fill="#9fd68a"/>`,
  ),
}
