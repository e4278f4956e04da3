/** A model as files: downloaded from the tab, or written by the server into its folder. */
import { useState } from 'preact/hooks';
import type { ModelFormat } from '../../../../src/studio/modelFiles.js';
import type { StudioRole } from '../../../../src/studio/studioCall.js';
import { useWords } from '../../app/words.js';
import { useBackend } from '../../backend/backend.js';
import { saveBlob } from '../../components/saveFigure.js';
import { ErrorState } from '../../components/states.js';
import { folderZip } from '../train/folderZip.js';
import { WORDS } from './words.js';

export function Take(props: {
  readonly id: string;
  readonly role: StudioRole;
  readonly isOfServer: boolean;
  did(what: string): void;
}) {
  const { id, role, isOfServer, did } = props;
  const t = useWords(WORDS);
  const backend = useBackend();
  const [name, setName] = useState('');
  const [isWorking, setWorking] = useState(false);
  const [written, setWritten] = useState<string>();
  const [error, setError] = useState<Error>();
  const own = role === 'model' ? id : `${id}-${role}`;

  const attempt = async (work: () => Promise<void>) => {
    setWorking(true);
    setError(undefined);
    setWritten(undefined);
    await work().then(() => did('took'), setError);
    setWorking(false);
  };
  const download = (format: ModelFormat) =>
    attempt(async () => {
      const files = await backend.modelFiles?.({ id, role, format });
      if (!files) throw new Error('no files');
      saveBlob(`${own}-${format}.zip`, await folderZip({ folders: { [role]: { files } } }, own));
    });
  const write = (as: ModelFormat) =>
    attempt(async () => {
      const folder = await backend.server?.write(id, { role, name: name || `${own}-${as}`, as });
      setWritten(folder?.folder);
    });

  return (
    <section class="models-take" data-tour="take">
      <h2>{t.take}</h2>
      <p class="figure-note">{t.takeNote}</p>
      <div class="models-actions">
        {isOfServer && (
          <label>
            {t.writeName}
            <input
              type="text"
              maxLength={64}
              placeholder={`${own}-safetensors`}
              value={name}
              onInput={({ currentTarget }) => setName(currentTarget.value)}
            />
          </label>
        )}
        {(['safetensors', 'onnx'] as const).map((format) => (
          <button
            key={format}
            type="button"
            class="secondary"
            disabled={isWorking}
            onClick={() => void (isOfServer ? write(format) : download(format))}
          >
            {isOfServer
              ? { safetensors: t.writeSafetensors, onnx: t.writeOnnx }[format]
              : { safetensors: t.safetensors, onnx: t.onnx }[format]}
          </button>
        ))}
      </div>
      <p role="status" class="models-status">
        {isWorking ? t.working : written && t.written(written)}
      </p>
      {error && <ErrorState error={error} />}
    </section>
  );
}
