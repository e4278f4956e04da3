/** Screen "Models": what is inside a model. */
import { useEffect, useState } from 'preact/hooks';
import type { StudioInspection } from '../../../../src/studio/inspection.js';
import { STUDIO_ROLES, type StudioModelSummary, type StudioRole } from '../../../../src/studio/studioCall.js';
import { useWords } from '../../app/words.js';
import { useBackend } from '../../backend/backend.js';
import { useCall, usePending } from '../../backend/useCall.js';
import { Choice } from '../../components/choice.js';
import { ErrorState, LoadingState } from '../../components/states.js';
import type { ScreenProps } from '../screen.js';
import { type DroppedFiles, type DroppedModel, readDropped } from './droppedFolder.js';
import { DropZone } from './dropZone.js';
import { Parts, shortCount } from './parts.js';
import { Probe } from './probe.js';
import { Report } from './report.js';
import { Take } from './take.js';
import { WORDS } from './words.js';
import './models.css';

export function Screen({ state, change, did }: ScreenProps) {
  const t = useWords(WORDS);
  const backend = useBackend();
  const [added, setAdded] = useState(0);
  const models = usePending(`models ${added}`, () => backend.models());
  const [dropped, setDropped] = useState<DroppedModel>();
  const [isReading, setReading] = useState(false);
  const [error, setError] = useState<Error>();
  const listed = models.value ?? [];
  // What was dropped and lacks a part is shown, and is no model to choose.
  const partial = dropped?.model ? undefined : dropped;
  const chosen = partial ? undefined : (listed.find(({ id }) => id === state.model) ?? listed.at(0));

  const read = async (files: DroppedFiles) => {
    setReading(true);
    setError(undefined);
    try {
      const found = await readDropped(files);
      setDropped(found);
      if (found.model) {
        await backend.addModel?.(found.model);
        setAdded((count) => count + 1);
        change({ model: found.id, role: undefined, part: undefined });
      }
      did('dropped');
    } catch (problem) {
      setError(problem as Error);
    } finally {
      setReading(false);
    }
  };
  const choose = (model: StudioModelSummary) => {
    setDropped(undefined);
    setError(undefined);
    change({ model: model.id, role: undefined, part: undefined });
    did('chosen');
  };
  const remove = async (id: string) => {
    await backend.removeModel?.(id);
    setDropped(undefined);
    setAdded((count) => count + 1);
    change({ model: undefined, role: undefined, part: undefined });
  };

  return (
    <>
      <h1 class="visually-hidden">{t.model}</h1>
      <DropZone read={(files) => void read(files)} />
      {models.error && <ErrorState error={models.error} retry={models.retry} />}
      {listed.length > 0 && <ModelList models={listed} chosen={chosen?.id} choose={choose} />}
      {models.value && listed.length === 0 && !partial && <p class="models-status">{t.nothing}</p>}
      {isReading && <p role="status">{t.reading}</p>}
      {error && <ErrorState error={error} />}
      {partial && <Dropped dropped={partial} part={state.part} choosePart={(part) => change({ part })} />}
      {chosen && (
        <Chosen
          key={chosen.id}
          model={chosen}
          state={state}
          change={change}
          did={did}
          remove={() => void remove(chosen.id)}
        />
      )}
    </>
  );
}

function ModelList(props: {
  readonly models: readonly StudioModelSummary[];
  readonly chosen: string | undefined;
  choose(model: StudioModelSummary): void;
}) {
  const t = useWords(WORDS);
  return (
    <nav class="models-list" aria-label={t.or} data-tour="list">
      <p>{t.or}</p>
      <ul>
        {props.models.map((model) => (
          <li key={model.id}>
            <button
              type="button"
              aria-current={model.id === props.chosen ? 'true' : undefined}
              onClick={() => props.choose(model)}
            >
              {model.id}
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** A model that the page may ask. */
function Chosen(props: ScreenProps & { readonly model: StudioModelSummary; remove(): void }) {
  const { model, state, change, did, remove } = props;
  const t = useWords(WORDS);
  const backend = useBackend();
  const roles = STUDIO_ROLES.filter((role) => model.roles[role] !== undefined);
  const role = roles.find((each) => each === state.role) ?? roles.find((each) => each === 'discriminator') ?? roles[0];
  const { value, error, isLoading, progress, retry } = useCall('inspect-model', { model: model.id, role });
  const [isOwn, setOwn] = useState<boolean>();
  useEffect(() => {
    void Promise.resolve(backend.ownModel?.(model.id)).then((own) => setOwn(own !== undefined));
  }, [backend, model.id]);
  if (error) return <ErrorState error={error} retry={retry} />;
  if (!value || (isLoading && value.architecture !== model.roles[role])) return <LoadingState progress={progress} />;
  return (
    <article class="models-shown">
      <Head id={model.id} inspection={value} />
      {roles.length > 1 && (
        <RoleChoice roles={roles} role={role} choose={(next) => change({ role: next, part: undefined })} />
      )}
      <Parts
        inspection={value}
        id={model.id}
        chosen={state.part}
        choose={(part) => {
          change({ part });
          did('part');
        }}
      />
      {value.tokenizer && (
        <Probe
          id={model.id}
          role={role}
          language={model.language}
          text={state.text}
          setText={(text) => {
            change({ text });
            did('typed');
          }}
        />
      )}
      {value.report && <Report report={value.report} />}
      <Take id={model.id} role={role} isOfServer={backend.server !== undefined && isOwn === false} did={did} />
      {isOwn && (
        <button type="button" class="quiet models-remove" onClick={remove}>
          {t.remove}
        </button>
      )}
    </article>
  );
}

/** What was dropped and cannot run yet. */
function Dropped(props: {
  readonly dropped: DroppedModel;
  readonly part: string | undefined;
  choosePart(part: string | undefined): void;
}) {
  const { dropped, part, choosePart } = props;
  return (
    <>
      {[...dropped.roles].map(([role, { inspection }]) => (
        <article key={role} class="models-shown">
          <Head id={role === 'model' ? dropped.id : `${dropped.id} · ${role}`} inspection={inspection} />
          <Parts inspection={inspection} id={dropped.id} chosen={part} choose={choosePart} />
          {inspection.report && <Report report={inspection.report} />}
        </article>
      ))}
    </>
  );
}

function Head({ id, inspection }: { readonly id: string; readonly inspection: StudioInspection }) {
  const t = useWords(WORDS);
  const { architecture, parameters, config, tokenizer, report } = inspection;
  const missing = report?.missing.map(({ name }) => name) ?? [];
  const shown = missing.length > 3 ? `${missing.slice(0, 3).join(', ')}, …` : missing.join(', ');
  const facts = [
    architecture,
    t.parameters(shortCount(parameters)),
    t.layers(Number(config.num_hidden_layers)),
    tokenizer ? t.pieces(tokenizer.tokens.toLocaleString('en-US')) : t.noTokenizer,
    tokenizer && (tokenizer.lowercase ? t.uncased : t.cased),
  ].filter(Boolean);
  return (
    <header class="models-head">
      <h2>{id}</h2>
      <p>{facts.join(' · ')}</p>
      {missing.length > 0 ? (
        <p class="models-missing" role="alert">
          {t.missing(shown)} <span>{t.missingAdvice}</span>
        </p>
      ) : (
        <p class="models-whole">✓ {t.whole}</p>
      )}
    </header>
  );
}

function RoleChoice(props: {
  readonly roles: readonly StudioRole[];
  readonly role: StudioRole;
  choose(role: StudioRole): void;
}) {
  const t = useWords(WORDS);
  const names: Record<StudioRole, string> = { generator: t.generator, discriminator: t.discriminator, model: t.model };
  return (
    <div class="models-roles">
      <Choice
        legend={t.role}
        isLegendHidden
        name="role"
        options={props.roles.map((role) => [role, names[role]] as const)}
        value={props.role}
        choose={props.choose}
      />
    </div>
  );
}
