/** What the command line says when it is used wrongly, and what it shows: the compiled program, as a newcomer meets it. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { displayWidth } from '../src/cli/columns.js';
import { AutoModel, AutoModelForMaskedLM, AutoModelForPreTraining } from '../src/index.node.js';
import { pretrainingSchema } from '../src/pretraining/settings.js';
import { describeSettings } from '../src/settings/describeSettings.js';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const FOLDER = mkdtempSync(join(tmpdir(), 'pleiad-messages-'));
afterAll(() => rmSync(FOLDER, { recursive: true }));
const at = (...names: string[]) => join(FOLDER, ...names);

function run(script: string, words: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(DIST, script), ...words], {
    encoding: 'utf8',
    input,
    cwd: FOLDER,
    env: { ...process.env, NO_COLOR: '1', npm_lifecycle_event: '', PLEIAD_MODELS: at('box') },
  });
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  return { code: status, stdout, stderr, json: last.startsWith('{') ? JSON.parse(last) : undefined };
}
const pleiad = (...words: string[]) => run('src/cli/main.js', words);
const piped = (input: string, ...words: string[]) => run('src/cli/main.js', words, input);

const SENTENCE = 'You are expected to know the laws of your country';
const TEXT_COMMANDS = ['mask', 'detect', 'fill-mask', 'fill-span', 'score-span', 'corrupt'] as const;
/** A text that the command is content with. */
const TEXTS: Readonly<Record<string, string>> = {
  'fill-mask': 'the chef [MASK] the meal',
  'fill-span': 'the chef [MASK] the meal',
  'score-span': 'the chef [[cooked]] the meal',
};
const textOf = (command: string) => TEXTS[command] ?? 'the chef cooked the meal';
/** What it needs beside the text. Only SpanBERT scores spans. */
const modelOf = (command: string) =>
  command === 'mask' ? [] : ['--model', command === 'score-span' || command === 'fill-span' ? 'span-run' : 'run'];

const TINY = 'hiddenSize=16,numHiddenLayers=1,numAttentionHeads=1,intermediateSize=16,embeddingSize=16';

beforeAll(() => {
  // A box without models: what is said where none is given and none is there.
  mkdirSync(at('box'));
  writeFileSync(at('box', 'index.json'), JSON.stringify({ format: 'pleiad-models', version: 1, models: [] }));
  const chefs = Array.from({ length: 80 }, (_, i) => `the chef number ${i} cooked the meal, and 요리사가 밥을 지었다.`);
  mkdirSync(at('corpus'));
  writeFileSync(at('corpus', 'a.txt'), chefs.join('\n\n'));
  writeFileSync(at('notes.txt'), 'the chef cooked the meal');
  const train = [
    'pretrain',
    '--data',
    'shards',
    '--model',
    TINY,
    '--length',
    '16',
    '--batch-size',
    '4',
    '--steps',
    '2',
  ];
  const steps = [
    ['vocab', 'corpus', '--size', '150', '--out', 'vocab'],
    ['prepare', 'corpus', '--tokenizer', 'vocab', '--out', 'shards', '--held-out-fraction', '0.2'],
    [...train, '--out', 'run', '--size', 'tiny', '--threads', '1'],
    [...train, '--out', 'span-run', '--size', 'tiny', '--threads', '1', '--objective', 'spanbert'],
    ['convert', 'run', 'encoder', '--task', 'encoder'],
  ];
  for (const words of steps) {
    const { code, stderr } = pleiad(...words);
    expect(code, `${words.join(' ')}: ${stderr}`).toBe(0);
  }
}, 120_000);

/** Commands that a message proposes, each on a line of its own. */
const proposed = (message: string) =>
  message.split('\n').flatMap((line) => (/^ {2}pleiad /.test(line) ? [line.trim().split(' ').slice(1)] : []));
/** Words as a shell gives them to the program; the ones here have no quotes but around a text. */
const asShell = (words: readonly string[]) =>
  [...words.join(' ').matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare);

describe('the name of a file given as the text', () => {
  it.each(TEXT_COMMANDS)(
    'is refused by %s, with the command that reads it and the one that takes the name',
    (command) => {
      writeFileSync(at(`${command}.txt`), textOf(command));
      const { code, stderr, json } = pleiad(command, ...modelOf(command), `${command}.txt`, '--json');
      expect(code).toBe(2);
      expect(json.error.name).toBe('SettingsError');
      const [read, take] = proposed(stderr);
      expect(read).toEqual(expect.arrayContaining([command, '--file', `${command}.txt`]));
      expect(take).toEqual(expect.arrayContaining([command, '--text', `${command}.txt`]));
      const reading = pleiad(...read);
      expect(reading.code, reading.stderr).toBe(0);
    },
  );

  it.each([
    ['a folder', 'corpus', /corpus is the name of a folder, and a text is expected/],
    ['a missing file', 'note.txt', /note\.txt looks like the name of a file, and there is none of that name here/],
    ['a path', './notes.txt', /\.\/notes\.txt is the name of a file/],
    ['several files', 'notes.txt notes.txt', /cat notes\.txt notes\.txt \| pleiad mask/],
  ])('is refused also of %s', (_, names, message) => {
    const { code, stderr } = pleiad('mask', ...names.split(' '));
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    const [command] = proposed(stderr);
    if (command) expect(pleiad(...command).code).toBe(0);
  });

  it('is a text with --text, and on standard input', () => {
    expect(pleiad('mask', '--text', 'notes.txt', '--json').json.tokens).toContain('notes');
    expect(piped('notes.txt', 'mask', '--json').json.tokens).toContain('notes');
    expect(pleiad('mask', '--text', '-x and y', '--json').code).toBe(0);
  });

  it('is none where a text only contains one', () => {
    expect(pleiad('mask', 'see notes.txt').code).toBe(0);
    expect(pleiad('mask', 'a'.repeat(5000)).code).toBe(0);
  });
});

describe('a text', () => {
  it.each(TEXT_COMMANDS)('without quotes is refused by %s, which shows it quoted', (command) => {
    const { code, stderr } = pleiad(command, ...textOf(command).split(' '), ...modelOf(command));
    expect(code).toBe(2);
    expect(stderr).toMatch(/the text came as \d words; put it between quotes/);
    const [quoted] = proposed(stderr);
    const again = pleiad(...asShell(quoted));
    expect(again.code, again.stderr).toBe(0);
  });

  it('is put together in order when a word comes twice, or is also the value of an option', () => {
    const { stderr } = pleiad('detect', 'the', 'run', 'ate', 'the', 'run', '--model', 'run');
    expect(stderr).toContain('pleiad detect "the run ate the run" --model run\n');
  });

  it('given in two ways is refused, naming them', () => {
    expect(pleiad('mask', 'a b', '--text', 'c').stderr).toContain('a text and --text are both given; give one');
    expect(pleiad('mask', 'a b', '--file', 'notes.txt').stderr).toContain('a text and --file are both given; give one');
  });

  it('given as the name of a file is shown without --file', () => {
    for (const words of [['--file', 'the chef'], ['--file=the chef']]) {
      const { code, stderr } = pleiad('mask', ...words);
      expect(code).toBe(2);
      expect(proposed(stderr)).toEqual([['mask', '"the', 'chef"']]);
    }
  });

  it('is asked about together with what else is missing', () => {
    const { code, json } = pleiad('detect', 'notes.txt', '--json');
    expect(code).toBe(2);
    expect(json.error.problems).toEqual([
      expect.stringContaining('--model is missing'),
      expect.stringContaining('notes.txt is the name of a file'),
    ]);
  });

  it('of no word is refused, wherever it comes from, since nothing would come of it', () => {
    writeFileSync(at('blank.txt'), ' \n\u3000\n');
    for (const [words, source] of [
      [['--model', 'run'], 'standard input'],
      [['--model', 'run', ''], 'the text'],
      [['--model', 'run', '--file', 'blank.txt'], '--file blank.txt'],
    ] as const) {
      const { code, stderr } = pleiad('detect', ...words);
      expect(code).toBe(1);
      expect(stderr).toContain(`${source} is empty`);
    }
  });

  it('is read from a gzipped file, and a file that is none is named', () => {
    writeFileSync(at('notes.txt.gz'), gzipSync('the chef cooked the meal'));
    expect(pleiad('mask', '--file', 'notes.txt.gz', '--json').json.tokens).toContain('cooked');
    expect(pleiad('mask', '--file', 'nowhere.txt')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--file nowhere.txt does not exist'),
    });
    expect(pleiad('mask', '--file', 'corpus').stderr).toContain('--file corpus is a folder');
  });
});

/** Every flag of a command, as its whole help shows them. */
const helps = new Map<string, string>();
function flagsOf(command: string): string[] {
  if (!helps.has(command)) helps.set(command, pleiad(command, '--help-all').stdout);
  return [...helps.get(command)!.matchAll(/(?<![\w-])--[a-z][a-z0-9-]*/g)].map(([flag]) => flag);
}

describe('messages', () => {
  const settings = describeSettings(pretrainingSchema).map(({ name }) => name);
  const camelCase = settings.filter((name) => /[A-Z]/.test(name));

  it.each([
    ['pretrain'],
    ['pretrain --resume --out nowhere'],
    ['pretrain --data shards --out run --steps 3'],
    ['pretrain --data shards --out shards --steps 3'],
    ['pretrain --data shards --out run --resume --seed 3'],
    ['pretrain --data shards --out new --steps 3 --learning-rate x --mask-prob 2 --size huge --model hiddenSiz=3'],
    ['pretrain --data shards --out new --steps 3 --warmup-steps 9 --power 2 --random-tokens uniform'],
    ['pretrain --data shards --out new --steps 3 --mlm-weight 0 --disc-weight 0 --geometric-p 0.1'],
    ['pretrain --data shards --out new --steps 3 --objective mlm --generator-kind uniform --temperature 2'],
    ['pretrain --data shards --out new --steps 3 --objective two-stage --sharing encoder --generator-kind unigram'],
    [
      'pretrain --data shards --out new --steps 3 --objective spanbert --no-sbo --sbo-weight 2 --segments single --next-sentence',
    ],
    ['pretrain --data shards --out new --steps 3 --model hiddenSize=30,numAttentionHeads=4 --length 1024'],
    ['pretrain --data shards --out new --steps 3 --new-head --revision x --generator-revision y'],
    ['pretrain --data shards --out new --steps 3 --generator somewhere/else'],
    ['pretrain --data shards --out new --steps 3 --from run --size base --generator numHiddenLayers=7'],
    ['pretrain --data shards --out new --steps 3 --from span-run'],
    ['pretrain --data shards --out new --steps 3 --from run --objective spanbert'],
    [
      'pretrain --data shards --out new --steps 3 --from run/checkpoints/step-00000002/discriminator --new-generator --objective two-stage',
    ],
    ['pretrain --data shards --out new --steps 3 --from run/checkpoints/step-00000002/generator'],
    [
      'pretrain --data shards --out new --steps 3 --from run/checkpoints/step-00000002/generator --generator run/checkpoints/step-00000002/discriminator',
    ],
    ['pretrain --data shards --out new --steps 3 --masking entity'],
    ['pretrain --data shards --out new --steps 3 --engine onednn --device cuda'],
    ['pretrain --data shards --out new --steps 3 --precision bf16 --engine onnxruntime'],
    ['pretrain --data corpus --out new --steps 3'],
    ['pretrain --data notes.txt --out new --steps 3'],
    ['pretrain --data vocab --out new --steps 3'],
    ['pretrain --data run --out new --steps 3'],
    ['evaluate'],
    ['evaluate --model run --data corpus'],
    ['evaluate --model vocab --data shards'],
    ['detect text'],
    ['detect --model span-run text'],
    ['detect --model encoder text'],
    ['fill-mask --model encoder [MASK]'],
    ['pretrain --data shards --out new --steps 3 --from encoder --new-generator'],
    ['fill-mask --model run text --top-k 0'],
    ['fill-mask --model run [MASK] --top-k 9999'],
    ['fill-span --model run [MASK]'],
    ['fill-span --model span-run [MASK] --pieces 99'],
    ['fill-span --model span-run [MASK] --by you --pieces 4-1 --top-k x'],
    ['score-span --model run [[text]]'],
    ['score-span --model span-run text'],
    ['score-span --model span-run [[text]]'],
    ['mask --scheme entity text'],
    ['mask --scheme spam --mask-prob 7 --length 2 --seed -1 text'],
    ['mask --stats --epochs 0 --file notes.txt'],
    ['corrupt text'],
    ['corrupt --generator run text'],
    ['corrupt --model run --mask-prob 2 --temperature 0 --seed x text'],
    ['corrupt --model span-run text'],
    ['vocab corpus --size 3 --out new'],
    ['vocab corpus --cased --uncased --alphabet-limit x'],
    ['prepare'],
    ['prepare corpus --tokenizer corpus --out new'],
    ['prepare --merge --out new --field x corpus'],
    ['export run --out run'],
    ['export run --out new --quantize --tolerance x'],
    ['convert run vocab'],
    ['convert run'],
    ['info nowhere'],
    ['download'],
  ])('of "pleiad %s" name settings by flags that there are', (line) => {
    const [command, ...words] = line.split(' ');
    const { code, stderr } = pleiad(command, ...words);
    expect([1, 2], stderr).toContain(code);
    expect(stderr).not.toContain('unexpected error');
    for (const name of camelCase) expect(` ${stderr} `).not.toMatch(new RegExp(`[^\\w.]${name}[^\\w=]`));
    // A flag belongs to the command itself, or to the one that the sentence proposes before it.
    for (const sentence of stderr.split(/\n|; |\. /)) {
      const [, other = command] = /pleiad ([a-z-]+) /.exec(sentence) ?? [];
      for (const [flag] of sentence.matchAll(/(?<![\w-])--[a-z][a-z0-9-]*/g)) {
        expect([...flagsOf(other), ...flagsOf(command)], sentence).toContain(flag);
      }
    }
  });

  it('of a settings file name its settings as they stand there', () => {
    writeFileSync(at('bad.yaml'), 'learningRate: -1\nmaskProb: 3\n');
    const { code, stderr } = pleiad('pretrain', '--config', 'bad.yaml', '--mask-prob', '2', '--out', 'new');
    expect(code).toBe(2);
    expect(stderr).toContain('learningRate (bad.yaml) is -1');
    expect(stderr).toContain('--mask-prob is 2');
  });

  it('say what a folder is that was given for token shards', () => {
    const refusal = (data: string) => pleiad('pretrain', '--data', data, '--out', 'new', '--steps', '1').stderr;
    expect(refusal('corpus')).toContain(
      'corpus holds text, not token shards. Prepare it first: pleiad prepare corpus ',
    );
    expect(refusal('run')).toContain('run is the folder of a run, not of token shards');
    expect(refusal('vocab')).toContain('vocab is the folder of a tokenizer, not of token shards');
    expect(refusal('.')).toContain('Give shards');
    mkdirSync(at('half'));
    writeFileSync(at('half', 'progress.jsonl'), '');
    expect(refusal('half')).toContain('preparing was interrupted');
  });

  it('of an unknown option name the nearest, also one that help leaves out', () => {
    expect(pleiad('pretrain', '--lerning-rate', '1').stderr).toContain('--learning-rate');
    expect(pleiad('pretrain', '--lerning-rate', '1').stderr).toContain('pleiad pretrain --help');
  });

  it('of words too many show how the command is used', () => {
    const { code, stderr } = pleiad('evaluate', 'run', 'shards');
    expect(code).toBe(2);
    expect(stderr).toContain('"run", "shards" are too much');
    expect(stderr).toContain('pleiad evaluate --model run/ --data shards/');
  });
});

describe('help', () => {
  it('of pretrain shows the settings of a first run on a screen, and all of them in groups when asked', () => {
    const short = pleiad('pretrain', '--help').stdout;
    expect(short.split('\n').length).toBeLessThan(60);
    for (const flag of ['--data', '--out', '--size', '--time', '--resume']) expect(short).toContain(`  ${flag}`);
    expect(short).toContain('All options: pleiad pretrain --help-all');
    const all = pleiad('pretrain', '--help-all').stdout;
    for (const heading of ['Masking:', 'Optimizer:', 'SpanBERT:', 'Engine:']) expect(all).toContain(`\n${heading}\n`);
    expect(all).not.toContain('Other settings:');
    expect(all).toContain('--no-sbo');
    expect(all).not.toContain('--no-resume');
  });

  it('names settings by their flags', () => {
    const all = pleiad('pretrain', '--help-all').stdout;
    const names = describeSettings(pretrainingSchema).filter(({ name }) => /[A-Z]/.test(name));
    for (const { name } of names) expect(all, name).not.toMatch(new RegExp(`[^\\w"]${name}[^\\w=:]`));
  });

  it('of mask shows what a first look needs, and the rest when asked', () => {
    const short = pleiad('mask', '--help').stdout;
    expect(short).toContain('--scheme');
    expect(short).not.toContain('--tag-fallback');
    expect(pleiad('mask', '--help-all').stdout).toContain('\nFurther settings of masking:\n');
  });

  it('of the quickstart is no stack trace, nor is an unknown flag', () => {
    const help = run('examples/quickstart.js', ['--help']);
    expect([help.code, help.stderr]).toEqual([0, '']);
    expect(help.stdout).toContain('npm run quickstart -- --time 20s');
    for (const words of [['--nonsense'], ['--time'], ['--time', 'x'], ['word']]) {
      const wrong = run('examples/quickstart.js', words);
      expect(wrong.code).toBe(2);
      expect(wrong.stderr).toMatch(/^quickstart: /);
      expect(wrong.stderr).not.toContain('    at ');
    }
  });
});

describe('pleiad mask', () => {
  it("shows the README's sentence with a span that has text on both sides, and says by which seed", () => {
    const { stdout, json } = pleiad('mask', '--scheme', 'span', SENTENCE, '--json');
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(json.masked.some(({ spanPosition }: { spanPosition?: number }) => spanPosition === 2)).toBe(true);
    const shown = pleiad('mask', '--scheme', 'span', SENTENCE).stdout;
    expect(shown).toMatch(/from R\d, R\d and P1/);
    expect(shown).toContain(`Drawn with --seed ${json.seed}`);
    const again = pleiad('mask', '--scheme', 'span', '--seed', String(json.seed), SENTENCE, '--json').json;
    expect(again).toEqual(json);
  });

  it('gives the reason where a boundary target is missing', () => {
    expect(pleiad('mask', '--seed', '0', SENTENCE).stdout).toContain('no boundary target: [SEP] beside its span');
    const long = pleiad(
      'mask',
      '--mask-prob',
      '0.95',
      '--seed',
      '1',
      Array.from({ length: 60 }, (_, i) => `w${i}`).join(' '),
    );
    expect(long.stdout).toMatch(/no boundary target: (beyond the first \d+ tokens of its span|\[)/);
  });
});

describe('pleiad corrupt', () => {
  it('shows four lines: original, masked, corrupted, doubt', () => {
    const { code, stdout, stderr } = pleiad('corrupt', '--model', 'run', 'The chef cooked the meal');
    expect(code, stderr).toBe(0);
    const [original, masked, corrupted, doubt] = stdout.split('\n');
    expect(original).toBe('original   The chef cooked the meal');
    expect(masked).toMatch(/^masked {5}.*\[MASK\]/);
    expect(corrupted).toMatch(/^corrupted {2}\S/);
    expect(doubt).toMatch(/^doubt {6}(\S+ 0\.\d\d {2})+\S+ 0\.\d\d$/);
    expect(stdout).toContain('--seed 0');
  });

  it('counts a draw of the original as original, over many seeds, and repeats itself for one', () => {
    const { json } = pleiad('corrupt', '--model', 'run', '--mask-prob', '1', '--json', 'the chef cooked the meal');
    expect(json).toMatchObject({ seed: 0, maskProb: 1, temperature: 1, original: 'the chef cooked the meal' });
    for (const { drawn, original, isReplaced, start, end } of json.places) {
      expect(isReplaced).toBe(drawn !== original);
      expect(json.corrupted.slice(start, end)).toBe(drawn);
    }
    const words = ['corrupt', '--generator', 'run', '--discriminator', 'run', '--mask-prob', '1', '--json'];
    expect(pleiad(...words, 'the chef cooked the meal').json).toEqual(json);
    expect(pleiad(...words, '--seed', '5', 'the chef cooked the meal').json.corrupted).not.toBe(json.corrupted);
  });

  it('says how both halves are given when one of them is given for both', () => {
    const half = 'run/checkpoints/step-00000002/discriminator';
    const { code, stderr } = pleiad('corrupt', '--model', half, 'the chef cooked the meal');
    expect(code).toBe(1);
    const [, generator, discriminator] = /Give both halves: --generator (\S+) --discriminator (\S+)/.exec(stderr)!;
    const words = ['--generator', generator, '--discriminator', discriminator];
    expect(pleiad('corrupt', ...words, 'the chef cooked the meal').code).toBe(0);
  });

  it('takes lines, and a text in which nothing can be masked', () => {
    const { json } = piped('the chef\n\nthe meal\n', 'corrupt', '--model', 'run', '--lines', '--json');
    expect(json.texts.map(({ original }: { original: string }) => original)).toEqual(['the chef', 'the meal']);
    expect(pleiad('corrupt', '--model', 'run', '🍕').stdout).toContain('nothing could be masked');
  });
});

describe('pleiad detect', () => {
  it('prints a table whose columns stand under their titles, Hangul and Latin alike', () => {
    const { stdout } = pleiad('detect', '--model', 'run', '요리사가 the meal');
    const [titles, ...rows] = stdout.split('\n\n')[0].split('\n');
    const column = titles.indexOf('token');
    expect(titles).toBe('replaced  start  end  token');
    for (const row of rows) expect(row.slice(0, column)).toMatch(/^ +0\.\d{3} +\d+ +\d+ {2}$/);
    expect(rows.some((row) => displayWidth(row) > row.length)).toBe(true);
    expect(stdout).toContain('replaced: how probable it is that the token is not the original');
  });
});

describe('a run', () => {
  it('is evaluated without a task, and with the only one that there is', () => {
    const bare = pleiad('evaluate', '--model', 'run', '--data', 'shards', '--json');
    expect(bare.code, bare.stderr).toBe(0);
    const named = pleiad('evaluate', '--task', 'pretraining', '--model', 'run', '--data', 'shards', '--json');
    expect(named.json.heldOut).toEqual(bare.json.heldOut);
  });

  it('is its generator as a masked LM, its discriminator as anything else', async () => {
    const classes = [];
    for (const Class of [AutoModelForMaskedLM, AutoModelForPreTraining, AutoModel]) {
      const model = await Class.fromPretrained(at('run'));
      classes.push(model.description.architecture);
      await model.release();
    }
    expect(classes).toEqual(['ElectraForMaskedLM', 'ElectraForPreTraining', 'ElectraModel']);
  });

  it('converts to the half that the task is of', () => {
    for (const [task, architecture] of [
      ['masked-lm', 'ElectraForMaskedLM'],
      ['pre-training', 'ElectraForPreTraining'],
    ]) {
      const { code, stderr } = pleiad('convert', 'run', `as-${task}`, '--task', task);
      expect(code, stderr).toBe(0);
      const config = JSON.parse(readFileSync(at(`as-${task}`, 'config.json'), 'utf8'));
      expect(config.architectures).toEqual([architecture]);
    }
  });
});

describe('pleiad vocab', () => {
  it('says that --no-preserve-hangul does nothing where accents stay', () => {
    cpSync(at('corpus'), at('more'), { recursive: true });
    expect(readdirSync(at('more'))).toEqual(['a.txt']);
    const words = ['vocab', 'more', '--size', '150', '--out', 'vocab-cased', '--cased'];
    const idle = /^--no-preserve-hangul changed nothing: only removing accents tears Hangul/m;
    expect(pleiad(...words, '--no-preserve-hangul').stdout).toMatch(idle);
    expect(pleiad(...words, '--overwrite').stdout).not.toMatch(idle);
  });
});
