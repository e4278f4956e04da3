/** The task file of a run, for its model folder: `pleiad finetune` makes the same of it again. */
import { stringify } from 'yaml';
import { VERSION } from '../../version.js';
import { baseName, type RunOfCard } from './runOfCard.js';

export const TASK_FILE = 'task.yaml';

/** Settings that are of one sitting, not of the task. */
const OF_A_SITTING: readonly string[] = ['resume', 'moreSteps'];
/** What stands under `data`, or is spelled out. */
const ELSEWHERE: readonly string[] = ['task', 'from', 'revision', 'train', 'dev', 'columns', 'out'];

export function taskFileText({ settings, given, hub }: RunOfCard): string {
  const { task, from, train, dev, columns, out } = settings;
  const cut = new Set<string>();
  const portable = (path: string) => {
    if (!isAbsolute(path)) return path;
    cut.add(baseName(path));
    return baseName(path);
  };
  const files = (paths: readonly string[]) => (paths.length === 1 ? portable(paths[0]) : paths.map(portable));
  const others = Object.entries(given).filter(
    ([name, value]) => value !== undefined && ![...OF_A_SITTING, ...ELSEWHERE].includes(name),
  );
  const content = {
    task,
    from: hub ? from : portable(from),
    ...(hub && { revision: hub.commit }),
    data: {
      train: files(train),
      ...(dev && { dev: files(dev) }),
      ...(Object.keys(columns).length > 0 && { columns }),
    },
    out: isAbsolute(out) ? baseName(out) : out,
    ...Object.fromEntries(
      others.map(([name, value]) => [name, name === 'tokenizer' ? portable(String(value)) : value]),
    ),
  };
  const where = cut.size > 0 ? `# Run it in the folder that has ${[...cut].join(', ')}.\n` : '';
  return `# What this model was fine-tuned on and how, with Pleiad ${VERSION}: pleiad finetune ${TASK_FILE} --out again/\n${where}${stringify(content, { lineWidth: 0 })}`;
}

const isAbsolute = (path: string) => /^([\\/~]|[a-z]:)/i.test(path);
