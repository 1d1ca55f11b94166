import { darajaHosts } from '../core/config.ts'
import type { LibrarySettings } from './library-settings.ts'

/** Where Daraja is by the settings; null where they do not say. */
export function resolveBaseUrl({
  baseUrl,
  darajaEnvironment,
}: Pick<LibrarySettings, 'baseUrl' | 'darajaEnvironment'>): string | null {
  if (baseUrl !== null) return URL.canParse(baseUrl) ? baseUrl.replace(/\/+$/, '') : null
  return Object.entries(darajaHosts).find(([name]) => name === darajaEnvironment)?.[1] ?? null
}
