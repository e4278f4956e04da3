/** The engine of a run: as its settings wish, on resuming the one that the run was begun with, the same on all ranks. */
import { fromFirst, together } from '../collective/agreement.js';
import type { Collective } from '../collective/collective.js';
import { chooseEngine, type EngineChoice, type EngineChoiceOptions } from '../engine/chooseEngine.node.js';
import type { Engine } from '../engine/engine.js';
import { type EngineIdentity, engineIdentity } from '../engine/engineIdentity.js';
import type { EngineWish } from '../engine/engineNames.js';
import { OneDnnMissing } from '../engine/onednn/engine.node.js';
import { OnnxRuntimeMissing } from '../engine/onnxruntime/loadRuntime.node.js';
import { WEB_ENGINE } from '../engine/onnxruntime/webEngine.js';
import { settingName, settingWith } from '../settings/settingNames.js';
import type { TrainingEvent, WarningEvent } from './events.js';

/** Something to tell with the next event. */
export type EngineNotice = Pick<WarningEvent, 'code' | 'message' | 'advice'>;

export interface TrainingEngine {
  readonly engine: Engine;
  /** What there is to tell; more comes while the engine works. */
  readonly notices: EngineNotice[];
}

export interface EngineStart {
  /** The run that is resumed. */
  readonly begun?: { readonly engine?: EngineIdentity };
  /** Makes the engine instead. */
  readonly create?: (wish: EngineWish) => Promise<Engine>;
}

/**
 * Starts the engine of each rank. Rank 0 chooses, and the others take the same: ranks whose engines round differently
 * would drift apart.
 * @throws EngineError when an engine that is asked for is not there; PeerError when another rank's is not
 */
export async function startEngineOfRanks(
  wish: EngineWish,
  start: EngineStart,
  collective: Collective,
): Promise<TrainingEngine> {
  const isFirst = collective.rank === 0;
  const first = await together(collective, () => (isFirst ? startTrainingEngine(wish, start) : undefined));
  try {
    const chosen = await fromFirst(collective, first && engineIdentity(first.engine));
    const same: EngineWish = isFirst ? wish : { ...wish, ...wishFor(chosen!) };
    return await together(collective, () => first ?? startTrainingEngine(same, { create: start.create }));
  } catch (error) {
    await first?.engine.close();
    throw error;
  }
}

/** Engines by what a run file calls them; what is not said was onnxruntime, before there was another. */
const BEGUN_WITH: EngineIdentity = { name: 'onnxruntime-node', precision: 'fp32' };

/** What to wish for to get an engine like another. */
function wishFor({ name, precision }: EngineIdentity): Pick<EngineWish, 'engine' | 'precision'> {
  if (name === 'onednn') return { engine: 'onednn', precision };
  // WebAssembly stood in for what was not installed; it is no engine that is asked for by name.
  return { engine: name === WEB_ENGINE ? 'auto' : 'onnxruntime', precision: 'fp32' };
}

/**
 * Starts the engine of a run.
 * @throws EngineError when an engine that is asked for is not there
 */
export async function startTrainingEngine(wish: EngineWish, { begun, create }: EngineStart): Promise<TrainingEngine> {
  if (create) return { engine: await create(wish), notices: [] };
  const notices: EngineNotice[] = [];
  const onWarning = (message: string) =>
    notices.push({
      code: 'engine',
      message,
      advice: `The results are right; ${settingWith('engine', 'onnxruntime')} does without it.`,
    });
  const before = begun && (begun.engine ?? BEGUN_WITH);
  const { engine, advice } = await chooseAgain({ ...wish, onWarning }, before);
  if (advice) notices.push({ code: 'engine', message: `The engine is ${engine.description}`, advice: `${advice}.` });
  const changed = before && describeChange(before, engineIdentity(engine));
  if (changed) notices.push(changed);
  return { engine, notices };
}

/** With nothing asked for, a resumed run stays with its engine, if that is still there. */
async function chooseAgain(wish: EngineChoiceOptions, before: EngineIdentity | undefined): Promise<EngineChoice> {
  const { engine = 'auto', device = 'cpu', precision = 'auto' } = wish;
  if (!before || engine !== 'auto' || device !== 'cpu') return chooseEngine(wish);
  const again = wishFor(before);
  if (precision !== 'auto' && precision !== again.precision) return chooseEngine(wish);
  try {
    return await chooseEngine({ ...wish, ...again });
  } catch (error) {
    const gone = error instanceof OneDnnMissing || error instanceof OnnxRuntimeMissing;
    if (!gone || precision === 'bf16') throw error;
    return chooseEngine(wish);
  }
}

function describeChange(before: EngineIdentity, now: EngineIdentity): EngineNotice | undefined {
  const describe = ({ name, precision, threads }: EngineIdentity) => {
    const counted = name === 'onednn' && threads !== undefined;
    return `${name} in ${precision}${counted ? ` with ${threads} ${threads === 1 ? 'thread' : 'threads'}` : ''}`;
  };
  if (describe(before) === describe(now)) return undefined;
  return {
    code: 'engine-changed',
    message: `The run was begun on ${describe(before)} and goes on on ${describe(now)}`,
    advice: `It goes on as well, but its weights will not be, bit for bit, those of a run that was left alone; ${settingName('engine')}, ${settingName('precision')} and ${settingName('threads')} choose what it was begun with.`,
  };
}

/** A run's events, each followed by what the engine has had to tell since. */
export async function* withNotices(
  events: AsyncGenerator<TrainingEvent>,
  notices: EngineNotice[],
): AsyncGenerator<TrainingEvent> {
  for await (const event of events) {
    yield event;
    for (const notice of notices.splice(0)) yield { type: 'warning', step: event.step, ...notice };
  }
}
