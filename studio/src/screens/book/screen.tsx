/** Screen "The book". */
import { EmptyState } from '../../components/states.js';
import type { ScreenProps } from '../screen.js';

export function Screen(_: ScreenProps) {
  return <EmptyState />;
}
