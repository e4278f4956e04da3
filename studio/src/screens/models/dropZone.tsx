/** Where a folder is dropped, or chosen. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { useWords } from '../../app/words.js';
import { type DroppedFiles, filesOfDrop, filesOfInput } from './droppedFolder.js';
import { WORDS } from './words.js';

export function DropZone({ read }: { read(files: DroppedFiles): void }) {
  const t = useWords(WORDS);
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  // Folders are chosen by an attribute that JSX does not know.
  useEffect(() => input.current?.setAttribute('webkitdirectory', ''), []);
  return (
    <section
      class="models-drop"
      data-over={isOver || undefined}
      data-tour="drop"
      aria-label={t.choose}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        if (event.dataTransfer) void filesOfDrop(event.dataTransfer).then(read);
      }}
    >
      <p class="lead">{isOver ? t.drop : t.lead}</p>
      <button type="button" class="primary" onClick={() => input.current?.click()}>
        {t.choose}
      </button>
      <input
        ref={input}
        class="visually-hidden"
        type="file"
        tabIndex={-1}
        aria-label={t.choose}
        onChange={({ currentTarget }) => {
          if (currentTarget.files?.length) read(filesOfInput(currentTarget.files));
          currentTarget.value = '';
        }}
      />
    </section>
  );
}
