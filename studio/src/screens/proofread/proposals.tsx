/** What could stand at a word: the generator's proposals, each with the doubt that it would meet. */
import { useEffect, useRef } from 'preact/hooks';
import type { DoubtedWord } from '../../../../src/studio/calls/doubtWords.js';
import { SHELL_WORDS } from '../../app/shellWords.js';
import { useWords } from '../../app/words.js';
import { useCall } from '../../backend/useCall.js';
import { shortProbability } from '../../components/tokens.js';
import { PROOFREAD_WORDS } from './words.js';

interface ProposalsProps {
  readonly model: string;
  readonly text: string;
  readonly word: DoubtedWord;
  /** Where the box stands, in pixels of its parent. */
  readonly left: number;
  readonly top: number;
  onChoose(word: string): void;
  onClose(): void;
}

export function Proposals({ model, text, word, left, top, onChoose, onClose }: ProposalsProps) {
  const t = useWords(PROOFREAD_WORDS);
  const shell = useWords(SHELL_WORDS);
  const box = useRef<HTMLDivElement>(null);
  const { start, end, proposals } = word;
  // Those of the pipeline where it has some, else what the generator says.
  const given = proposals.length > 0 ? proposals : undefined;
  const { value, error, isLoading } = useCall('proposals', {
    model,
    text,
    start,
    end,
    topK: 6,
    ...(given && { given }),
  });
  const isThere = value !== undefined && !isLoading;
  const original = text.slice(start, end);

  // Where the keyboard is, the words to choose from are next.
  useEffect(() => {
    if (isThere) box.current?.querySelector<HTMLButtonElement>('.proof-proposal')?.focus();
    else box.current?.focus();
  }, [isThere]);

  useEffect(() => {
    const leave = (event: PointerEvent) => {
      if (event.target instanceof Node && !box.current?.contains(event.target)) onClose();
    };
    document.addEventListener('pointerdown', leave);
    return () => document.removeEventListener('pointerdown', leave);
  }, [onClose]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') onClose();
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const all = [...(box.current?.querySelectorAll<HTMLElement>('.proof-proposal') ?? [])];
    const at = all.indexOf(document.activeElement as HTMLElement);
    all[Math.max(0, Math.min(at + step, all.length - 1))]?.focus();
  };

  return (
    <div
      ref={box}
      class="proof-box"
      role="dialog"
      aria-label={t.instead(original)}
      tabIndex={-1}
      style={{ left: `${left}px`, top: `${top}px` }}
      onKeyDown={onKeyDown}
    >
      <header>
        <b>{original}</b>
        <span>{t.doubtNow(shortProbability(word.doubt))}</span>
        <button type="button" class="quiet" aria-label={t.close} onClick={onClose}>
          ×
        </button>
      </header>
      {isLoading && <p role="status">{shell.loading}</p>}
      {error && <p role="alert">{error.message}</p>}
      {isThere && (
        <>
          <p class="proof-columns" aria-hidden="true">
            <span>{t.columns[0]}</span>
            {value.some(({ doubt }) => doubt !== undefined) && <span>{t.columns[1]}</span>}
          </p>
          {value.map(({ text: proposal, score, doubt }) => (
            <button key={proposal} type="button" class="proof-proposal" onClick={() => onChoose(proposal)}>
              <span>{proposal || <em>{t.remove}</em>}</span>
              <i style={{ '--share': score }} />
              <small>{shortProbability(score)}</small>
              {doubt !== undefined && (
                <small class="proof-then" style={{ '--heat-share': doubt }}>
                  {shortProbability(doubt)}
                </small>
              )}
            </button>
          ))}
        </>
      )}
    </div>
  );
}
