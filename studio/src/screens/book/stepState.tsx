/** What stands for a figure whose model is not there yet, or not at all. */
import type { ComponentChildren } from 'preact';
import { addressOf } from '../../app/address.js';
import { useWords } from '../../app/words.js';
import type { Pending } from '../../backend/useCall.js';
import { EmptyState, ErrorState, LoadingState } from '../../components/states.js';
import { BOOK_WORDS } from './words.js';

export function Waiting<Value>({
  of,
  hasModel,
  children,
}: {
  readonly of: Pending<Value>;
  readonly hasModel: boolean;
  readonly children: (value: Value) => ComponentChildren;
}) {
  const t = useWords(BOOK_WORDS);
  if (of.value !== undefined) return <>{children(of.value)}</>;
  if (of.error) return <ErrorState error={of.error} retry={of.retry} />;
  if (hasModel) return <LoadingState progress={of.progress} />;
  return (
    <EmptyState title={t.noModel}>
      <p>
        <a href={addressOf({ screen: 'train', state: {} })}>{t.toTrain}</a>
      </p>
    </EmptyState>
  );
}
