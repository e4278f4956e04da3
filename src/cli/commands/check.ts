import { checkTask, type TaskCheck } from '../../tasks/checkTask.node.js';
import type { RepeatedRows, SetInspection } from '../../tasks/inspection.js';
import { tableLines } from '../columns.js';
import type { CommandDefinition } from '../command.js';
import { hubView } from '../hubView.js';
import { duration, grouped, megabytes } from '../numbers.js';
import type { Output } from '../output.js';
import { TASK_FILE_ARGUMENT, TASK_OPTIONS, taskOfUser } from '../taskFile.js';

export const check: CommandDefinition = {
  name: 'check',
  summary: 'Shows what a fine-tuning would learn from and what it would cost, before anything is trained.',
  arguments: [TASK_FILE_ARGUMENT],
  options: TASK_OPTIONS,
  examples: [
    'pleiad check reviews.yaml',
    'pleiad check --task text-classification --from google/electra-small-discriminator --train train.csv --columns text=Review,label=Stars',
  ],

  async run([word], options, { output }) {
    const { settings, trials } = taskOfUser(word, options);
    const found = await checkTask(settings, { hub: { onHubEvent: hubView(output) } });
    show(found, trials, output);
    const { settings: resolved, ...rest } = found;
    const { model: _, ...given } = resolved;
    return { json: { ...rest, trials, warnings: warningsOf(found), settings: given } };
  },
};

const MOST_LABELS = 20;
/** From this share of [UNK] on, a vocabulary does not know the language or the script of the texts. */
const MANY_UNKNOWN = 0.03;
/** A label with less than this share of the most frequent one's rows is hard to learn. */
const RARE = 0.05;

function show(found: TaskCheck, trials: number, output: Output): void {
  const { train, dev, examples, lengths, settings, estimate, numParameters, engine } = found;
  const heading = (text: string) => output.line(output.style(text, 'bold'));
  output.line(`${settings.task}: ${grouped(train.rows)} rows to learn from, ${grouped(dev.rows)} to evaluate on`);
  output.line();
  heading('labels');
  for (const line of labelLines(train, dev)) output.line(line);
  output.line();
  heading('as the model sees them');
  for (const { place, pieces, target } of examples) {
    output.line(`${place}: ${target}`);
    output.line(`  ${pieces.join(' ')}`);
  }
  output.line();
  heading('lengths, in tokens');
  const { median, percentile95, longest, truncated } = lengths;
  const cut = `${grouped(truncated)} longer than --length ${settings.length}`;
  output.line(`half up to ${median}, 95 % up to ${percentile95}, the longest ${grouped(longest)}; ${cut}`);
  if (found.padding !== undefined) output.line(paddingLine(found.padding, settings));
  output.line();
  heading('cost');
  const { steps, stepMs, totalMs, peakMemoryBytes, evaluations } = estimate;
  output.line(`${grouped(numParameters)} parameters; ${engine}`);
  const forAll = trials > 1 ? ` for all ${trials} trials` : '';
  output.line(
    `${grouped(steps)} steps of ${stepMs.toFixed(0)} ms and ${evaluations} evaluations: about ${duration(totalMs * trials)}${forAll}`,
  );
  output.line(`memory: about ${megabytes(peakMemoryBytes)}`);
  for (const warning of warningsOf(found)) output.line(output.style(`warning: ${warning}`, 'yellow'));
}

/** What is computed for nothing, and what would be less. */
function paddingLine(padding: number, { batchTokens, batchSize, groupByLength }: TaskCheck['settings']): string {
  const batches = batchTokens === undefined ? `${grouped(batchSize)} rows` : `up to ${grouped(batchTokens)} tokens`;
  const kind = groupByLength ? 'of similar length' : 'of any length; --group-by-length pads less';
  return `padding: ${(100 * padding).toFixed(1)} % of the tokens, in batches of ${batches} ${kind}`;
}

function labelLines(train: SetInspection, dev: SetInspection): string[] {
  const inDev = new Map(dev.labels.map(({ label, count }) => [label, count]));
  const share = (count: number, { labels }: SetInspection) => {
    const all = labels.reduce((sum, entry) => sum + entry.count, 0);
    return all === 0 ? '' : `${((100 * count) / all).toFixed(1)} %`;
  };
  const rows = train.labels.slice(0, MOST_LABELS).map(({ label, count }) => {
    const others = inDev.get(label) ?? 0;
    return [label, grouped(count), share(count, train), grouped(others), share(others, dev)];
  });
  const columns = [
    { title: 'label' },
    { title: 'train', align: 'right' },
    { title: '', align: 'right' },
    { title: 'dev', align: 'right' },
    { title: '', align: 'right' },
  ] as const;
  const more = train.labels.length - rows.length;
  return [...tableLines(columns, rows), ...(more > 0 ? [`… and ${grouped(more)} more`] : [])];
}

function warningsOf({ train, dev, overlap, contradictions, unknownShare, notices }: TaskCheck): string[] {
  const most = train.labels[0]?.count ?? 0;
  // Most words of a text have no tag, in any data.
  const areOfRows = train.labels.reduce((sum, { count }) => sum + count, 0) <= train.rows;
  const rare = !areOfRows
    ? []
    : train.labels.filter(({ count }) => count < RARE * most).map(({ label, count }) => `${label} (${count})`);
  const known = new Set(dev.labels.map(({ label }) => label));
  const unseen = train.labels.filter(({ label }) => !known.has(label)).map(({ label }) => label);
  return [
    ...repeatedWarning(
      overlap,
      `of ${grouped(dev.rows)} dev rows have a text that is trained on, too`,
      'Leave them out of one of the files: what they score says little.',
    ),
    ...repeatedWarning(
      contradictions,
      'training rows have the text of an earlier row and another label',
      'Decide which label is right.',
    ),
    ...(unknownShare > MANY_UNKNOWN
      ? [
          `${(100 * unknownShare).toFixed(1)} % of the pieces are [UNK]: the vocabulary does not know these texts. Start from a model of their language (--from).`,
        ]
      : []),
    ...(rare.length > 0
      ? [
          `few rows for ${rare.slice(0, MOST_LABELS).join(', ')} beside ${grouped(most)} of ${train.labels[0].label}. --metric macroF1 judges all labels alike, where the task has it.`,
        ]
      : []),
    ...(unseen.length > 0
      ? [`no dev row has ${unseen.slice(0, MOST_LABELS).join(', ')}. The score says nothing of it.`]
      : []),
    ...notices.map(({ message, advice }) => `${message}. ${advice}`),
  ];
}

function repeatedWarning({ rows, places }: RepeatedRows, what: string, advice: string): string[] {
  if (rows === 0) return [];
  return [
    `${grouped(rows)} ${what}, such as ${places.map(([row, twin]) => `${row} and ${twin}`).join('; ')}. ${advice}`,
  ];
}
