/** What happens while files are fetched, for a progress line or a log. */
export type HubEvent =
  | { readonly type: 'start'; readonly file: string; readonly bytes?: number; readonly resumedFrom: number }
  /** At most ten a second. */
  | { readonly type: 'progress'; readonly file: string; readonly received: number; readonly bytes?: number }
  /** The whole file is there and its hash is taken. */
  | { readonly type: 'checking'; readonly file: string; readonly bytes: number }
  | { readonly type: 'done'; readonly file: string; readonly bytes: number; readonly elapsedMs: number }
  /** A request failed in a way that passes. */
  | { readonly type: 'retry'; readonly file: string; readonly reason: string; readonly waitMs: number }
  /** Another process is fetching the same file. */
  | { readonly type: 'waiting'; readonly file: string }
  /** The hub could not be asked; what the cache holds is used. */
  | { readonly type: 'cached'; readonly repository: string; readonly commit: string; readonly reason: string }
  | { readonly type: 'note'; readonly text: string };

export type HubListener = (event: HubEvent) => void;
