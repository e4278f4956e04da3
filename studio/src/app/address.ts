/**
 * The address holds which screen is open and all of its state, so that any view can be sent to a friend:
 * `#/electra?text=The+chef&masked=1`. `lang` belongs to every screen.
 */
import { useCallback, useEffect, useState } from 'preact/hooks';

/** A screen's state as it stands in the address. */
export type ScreenState = Readonly<Record<string, string>>;

export interface Address {
  readonly screen: string;
  readonly state: ScreenState;
}

export function parseAddress(hash: string): Address {
  const [, screen = '', query = ''] = /^#?\/?([^?]*)\??(.*)$/s.exec(hash) ?? [];
  return { screen, state: Object.fromEntries(new URLSearchParams(query)) };
}

/** @returns what follows the page's own address, from `#` on */
export function addressOf({ screen, state }: Address): string {
  const query = new URLSearchParams(state).toString();
  return query ? `#/${screen}?${query}` : `#/${screen}`;
}

/** A key that is undefined leaves the address. */
export type StateChanges = Readonly<Record<string, string | undefined>>;

export function changedState(state: ScreenState, changes: StateChanges): ScreenState {
  const entries = Object.entries({ ...state, ...changes });
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

export interface AddressBar extends Address {
  /** Changes parts of the state without a new entry in the history. */
  change(changes: StateChanges): void;
  /** Opens a screen, as a link does. */
  open(screen: string, state?: ScreenState): void;
}

export function useAddress(): AddressBar {
  const [address, setAddress] = useState(() => parseAddress(location.hash));
  useEffect(() => {
    const read = () => setAddress(parseAddress(location.hash));
    addEventListener('hashchange', read);
    return () => removeEventListener('hashchange', read);
  }, []);
  const change = useCallback((changes: StateChanges) => {
    const { screen, state } = parseAddress(location.hash);
    const changed = { screen, state: changedState(state, changes) };
    history.replaceState(null, '', addressOf(changed));
    setAddress(changed);
  }, []);
  const open = useCallback((screen: string, state: ScreenState = {}) => {
    location.hash = addressOf({ screen, state });
  }, []);
  return { ...address, change, open };
}
