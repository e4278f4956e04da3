/** `npm run bench -- <benchmark>`: speed, and the paper's comparison, each by one command. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { ENGINE_NAMES, PRECISION_NAMES } from '../src/engine/engineNames.js';
import { PleiadError, SettingsError } from '../src/errors/errors.js';
import { SIZES } from '../src/models/config.js';
import { PRETRAINING_OBJECTIVES } from '../src/pretraining/objectives.js';
import { ABLATION_OBJECTIVES, DEFAULT_LEARNING_RATE, parseLearningRates } from './ablationSettings.js';
import { ARM_NAMES, ARM_TASKS, type ArmName, type ArmTask } from './arms/armSettings.js';
import { FINETUNE_TASKS } from './finetuneTasks.js';
import { parsePeers } from './pretrainPeers.js';
import { say } from './report.js';
import { SPAN_ABLATION_MASKINGS } from './spanAblationTable.js';
import { CORRUPTIONS } from './speedrun/corruptionSettings.js';
import { type CellName, SPEEDRUN_CELLS } from './speedrun/speedrunTable.js';
import { TRANSFER_LEARNING_RATE, TRANSFER_STARTS } from './transferTable.js';
import { TRANSFER_TASKS } from './transferTasks.js';
import { type CountsOfWays, countsOfWays, UNANSWERABLE } from './unanswerable/unanswerableSettings.js';

const BAD_USAGE = 2;
const TRANSFER_RESULTS = 'bench/transferResults.jsonl';

const program = new Command('bench')
  .description('Benchmarks of Pleiad.')
  .showHelpAfterError('Add --help to see the options.')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : BAD_USAGE));

program
  .command('pretrain')
  .description('a pre-training step: tokens/s, where the time goes, and the ratio to the ceiling of the engine')
  .addOption(new Option('--size <size>', 'model size').choices(Object.keys(SIZES)).default('small'))
  .addOption(
    new Option('--objective <objective>', 'training objective; of spanbert, also the step without its boundary head')
      .choices(PRETRAINING_OBJECTIVES)
      .default('electra'),
  )
  .option('--batch <rows>', 'rows a step', positiveInteger, 8)
  .option('--length <tokens>', 'tokens a row', positiveInteger, 128)
  .option('--vocabulary <tokens>', 'size of the vocabulary; as bert-base-uncased by default', vocabularySize)
  .option('--threads <n>', 'threads of the engine and of the peer', positiveInteger, 2)
  .option('--turns <n>', 'turns, each of our steps, the ceiling and the peers', positiveInteger, 6)
  .option('--steps <n>', 'timed steps of each side in a turn', positiveInteger, 3)
  .addOption(new Option('--engine <name>', 'what computes').choices(ENGINE_NAMES).default('auto'))
  .addOption(new Option('--precision <name>', 'of the operands of products').choices(PRECISION_NAMES).default('auto'))
  .option(
    '--against <peers>',
    'alternate with the same step elsewhere: torch, onnxruntime, onednn, each with :fp32 or :bf16, commas between',
    parsePeers,
  )
  .option('--python <path>', 'Python of the peer (default: PLEIAD_PYTHON, or python3)')
  .option('--compile', 'also measure torch under torch.compile', false)
  .option('--json', 'one JSON object on standard output', false)
  .action(async (options) => {
    const { benchPretrain, describePretrain } = await import('./pretrain.js');
    finish(options, await benchPretrain(options), describePretrain);
  });

program
  .command('finetune')
  .description('fine-tuning beside torch: losses and gradients without dropout, accuracy of a classifier with it')
  .addOption(new Option('--task <task>', 'what is learned').choices(FINETUNE_TASKS).default('text-classification'))
  .requiredOption('--from <model>', 'the encoder to start from')
  .requiredOption(
    '--train <files>',
    "rows with the columns sentence or text, and label, or questions in SQuAD's format; several with commas between",
    files,
  )
  .requiredOption('--dev <files>', 'rows to evaluate on', files)
  .option('--steps <n>', 'steps', positiveInteger, 100)
  .option('--batch <rows>', 'rows a step', positiveInteger, 32)
  .option('--length <tokens>', 'longest row in tokens. Default: 128, of questions 384', positiveInteger)
  .option('--dropout <fraction>', 'of hidden states, attention and the classifier, 0 to below 1', Number, 0)
  .option('--learning-rate <rate>', 'peak learning rate. Default: as pleiad finetune', Number)
  .option('--seed <n>', 'of the head, the order of rows and dropout', Number, 0)
  .option('--threads <n>', 'threads of the engine and of the peer', positiveInteger, 2)
  .option('--turn <n>', 'steps of each side in a turn', positiveInteger, 10)
  .option(
    '--most-load <cores>',
    'turns in which other processes kept more cores busy do not count',
    positiveNumber,
    0.1,
  )
  .addOption(new Option('--engine <name>', 'what computes').choices(ENGINE_NAMES).default('auto'))
  .addOption(new Option('--precision <name>', 'of the operands of products').choices(PRECISION_NAMES).default('fp32'))
  .option('--no-peer', 'without torch')
  .option('--python <path>', 'Python of the peer (default: PLEIAD_PYTHON, or python3)')
  .option('--json', 'one JSON object on standard output', false)
  .action(async (options) => {
    const { benchFinetune, describeFinetune } = await import('./finetune.js');
    finish(options, await benchFinetune(options), describeFinetune);
  });

program
  .command('ask')
  .description(
    'questions answered beside transformers.js and torch: one short one, contexts one by one, many in one call, long texts',
  )
  .requiredOption('--model <place>', 'a model with a question answering head')
  .requiredOption('--data <file>', 'questions in the format of SQuAD')
  .option('--questions <n>', 'how many of them', positiveInteger, 200)
  .option('--turns <n>', 'turns that count, each of all sides', positiveInteger, 5)
  .option(
    '--most-load <cores>',
    'turns in which other processes kept more cores busy do not count',
    positiveNumber,
    0.1,
  )
  .option('--minutes <n>', 'of each kind of calls: no turn begins later', positiveNumber, 2)
  .option('--threads <n>', 'threads of each side', positiveInteger, 2)
  .option('--against <peers>', 'transformers.js, torch, or both with a comma between', parseAskPeers, [
    'transformers.js',
  ])
  .option('--words <numbers>', 'words of long texts, commas between', numbers, [1000, 2000, 5000, 10_000])
  .option('--python <path>', 'Python of torch (default: PLEIAD_PYTHON, or python3)')
  .option('--json', 'one JSON object on standard output', false)
  .action(async (options) => {
    const { benchAsk, describeAsk } = await import('./ask.js');
    finish(options, await benchAsk(options), describeAsk);
  });

program
  .command('serve')
  .description('a model behind a port: batches against one text at a time, latency by clients, overload')
  .requiredOption('--model <place>', 'an encoder')
  .option('--texts <file>', "short texts beside random words: lines, or questions in SQuAD's form")
  .option('--seconds <n>', 'of each measurement', positiveNumber, 6)
  .option('--turns <n>', 'turns of batched and unbatched', positiveInteger, 3)
  .option('--threads <n>', 'threads of each side', positiveInteger, 2)
  .addOption(new Option('--engine <name>', 'what computes').choices(ENGINE_NAMES).default('auto'))
  .addOption(new Option('--precision <name>', 'of the operands of products').choices(PRECISION_NAMES).default('auto'))
  .option('--overload <seconds>', 'of overload; 0 for none', Number, 60)
  .option('--troubles <n>', 'requests that are cancelled, oversized and malformed, of each', positiveInteger, 200)
  .option('--no-peer', 'without transformers.js')
  .option('--json', 'one JSON object on standard output', false)
  .action(async (options) => {
    const { benchServe, describeServe } = await import('./serve.js');
    finish(options, await benchServe(options), describeServe);
  });

program
  .command('answers')
  .description('a question answering model on questions that were written down before one was trained')
  .requiredOption('--model <place>', 'a model with a question answering head')
  .option('--json', 'one JSON object on standard output', false)
  .action(async (options) => {
    const { benchAnswers, describeAnswers } = await import('./answers.js');
    finish(options, await benchAnswers(options), describeAnswers);
  });

program
  .command('scaling')
  .description('two ranks under mpirun against one rank with as many threads, and the cost model against both')
  .addOption(new Option('--size <size>', 'model size').choices(Object.keys(SIZES)).default('small'))
  .option('--batch <rows>', 'rows a step, of all ranks together', positiveInteger, 16)
  .option('--length <tokens>', 'tokens a row', positiveInteger, 128)
  .option('--ranks <n>', 'ranks', positiveInteger, 2)
  .option('--threads <n>', 'threads of the one rank, and of all ranks together', positiveInteger, 2)
  .option('--turns <n>', 'turns that count', positiveInteger, 6)
  .option('--steps <n>', 'timed steps of each side in a turn', positiveInteger, 4)
  .option(
    '--most-load <cores>',
    'turns in which other processes kept more cores busy do not count',
    positiveNumber,
    0.1,
  )
  .option('--minutes <n>', 'no turn begins later', positiveNumber, 10)
  .addOption(new Option('--engine <name>', 'what computes').choices(ENGINE_NAMES).default('auto'))
  .addOption(new Option('--precision <name>', 'of the operands of products').choices(PRECISION_NAMES).default('auto'))
  .option('--mpirun <command>', 'launcher of the ranks', 'mpirun')
  .option('--mpirun-flags <flags>', 'flags of the launcher, spaces between', '')
  .option('--json', 'one JSON object on standard output', false)
  .action(async (options) => {
    const { benchScaling, describeScaling } = await import('./scaling.js');
    finish(options, await benchScaling(options), describeScaling);
  });

program
  .command('forecast')
  .description('days and money of the published trainings on several machines, from what `scaling --json` measured')
  .requiredOption('--from <file>', 'the JSON line of scaling')
  .option('--speed <n>', 'of a second kind of machine, as a multiple of the measured one', positiveNumber, 20)
  .option('--dollars <n>', 'an hour of the measured machine', positiveNumber, 0.1)
  .option('--json', 'one JSON object on standard output', false)
  .action(async (options) => {
    const { describeForecasts, forecasts } = await import('./forecast.js');
    const { machineCosts: costs, size, length } = JSON.parse(readFileSync(options.from, 'utf8'));
    const machines = [
      { name: 'as measured', speed: 1, dollarsPerHour: options.dollars },
      { name: `${options.speed} × as fast`, speed: options.speed, dollarsPerHour: options.speed * options.dollars },
    ];
    const list = forecasts({ costs, size, length }, machines);
    finish(options, { name: 'forecast', forecasts: list }, () => describeForecasts(list));
  });

program
  .command('tokenize')
  .description('the tokenizer on one thread, against the tokenizers package')
  .option('--megabytes <n>', 'MB of text a language', positiveInteger)
  .option('--json', 'one JSON object on standard output', false)
  .action(async (options) => {
    const { benchTokenize } = await import('./tokenize.js');
    finish(options, await benchTokenize(options));
  });

program
  .command('prepare')
  .description('preparing text with one worker and with two')
  .option('--input <path>', 'text to prepare')
  .option('--megabytes <n>', 'MB of text', positiveInteger)
  .option('--runs <n>', 'pairs of runs', positiveInteger)
  .option('--json', 'one JSON object on standard output', false)
  .action(async (options) => {
    const { benchPrepare } = await import('./prepare.js');
    finish(options, await benchPrepare(options));
  });

program
  .command('load')
  .description('loading a large checkpoint in each file form: time and peak memory')
  .addOption(new Option('--size <size>', 'model size').choices(Object.keys(SIZES)).default('large'))
  .requiredOption('--folder <folder>', 'where the files are; they are made where they are missing (5.4 GB for large)')
  .option('--runs <n>', 'loads of each file', positiveInteger, 5)
  .addOption(new Option('--against <peer>', 'alternate with the same load in another system').choices(['torch']))
  .option('--python <path>', 'Python with torch and safetensors (default: PLEIAD_PYTHON, or python3)')
  .option('--json', 'one JSON object on standard output', false)
  .action(async (options) => {
    const { benchLoad, describeLoad } = await import('./load.js');
    finish(options, await benchLoad(options), describeLoad);
  });

program
  .command('ablation')
  .description('objectives at equal compute, judged by a linear probe on SST-2 and CoLA; run it again to go on')
  .requiredOption('--data <folder>', 'prepared text, as `pleiad prepare` writes it')
  .requiredOption('--out <folder>', 'runs, results and table.md')
  .option('--glue <folder>', "GLUE's files, with SST-2/ and CoLA/", '../shared/data/glue')
  .addOption(new Option('--size <size>', 'model size').choices(Object.keys(SIZES)).default('tiny'))
  .option('--length <tokens>', 'tokens a row', positiveInteger, 64)
  .option('--batch <rows>', 'rows a step', positiveInteger, 16)
  .option('--objectives <names>', 'objectives, commas between', names, [...ABLATION_OBJECTIVES])
  .option('--seeds <numbers>', 'seeds, commas between', numbers, [1, 2, 3])
  .option('--minutes <n>', 'budget: what electra computes in this time', positiveNumber)
  .option('--flops <n>', 'budget: floating-point operations of a run', positiveNumber)
  .option(
    '--learning-rates <rates>',
    `for instance electra=2e-3,mlm=1e-3; ${DEFAULT_LEARNING_RATE} where not given`,
    parseLearningRates,
    new Map(),
  )
  .option('--sweep <rates>', 'rates, commas between, each tried with the first seed', numbers)
  .option('--jobs <n>', 'runs at a time', positiveInteger, 2)
  .option('--threads <n>', 'threads of each run', positiveInteger, 1)
  .option('--json', 'one JSON object on standard output', false)
  .action(async (options) => {
    const { runAblation } = await import('./ablation.js');
    await interruptible(options, runAblation);
  });

program
  .command('span-ablation')
  .description(
    'SpanBERT: random, whole-word and span masking with and without span boundaries at equal compute, judged by held-out span infilling; run it again to go on',
  )
  .requiredOption('--data <folder>', 'prepared text, as `pleiad prepare` writes it')
  .requiredOption('--out <folder>', 'runs, results and table.md')
  .addOption(new Option('--size <size>', 'model size').choices(Object.keys(SIZES)).default('tiny'))
  .option('--length <tokens>', 'tokens a row', positiveInteger, 64)
  .option('--batch <rows>', 'rows a step', positiveInteger, 32)
  .option('--maskings <names>', 'masking schemes, commas between', maskings, [...SPAN_ABLATION_MASKINGS])
  .option('--seeds <numbers>', 'seeds, commas between', numbers, [1, 2, 3])
  .option('--minutes <n>', 'budget: what spanbert computes in this time', positiveNumber)
  .option('--flops <n>', 'budget: floating-point operations of a run', positiveNumber)
  .option('--learning-rate <rate>', 'of all runs', positiveNumber, DEFAULT_LEARNING_RATE)
  .option('--spans <n>', 'held-out spans of each number of words', positiveInteger, 100)
  .option('--jobs <n>', 'runs at a time', positiveInteger, 2)
  .option('--threads <n>', 'threads of each run', positiveInteger, 1)
  .option('--json', 'one JSON object on standard output', false)
  .action(async (options) => {
    const { runSpanAblation } = await import('./spanAblation.js');
    await interruptible(options, runSpanAblation);
  });

program
  .command('speedrun')
  .description(
    "minutes to a held-out loss: Pleiad and PyTorch, each with the short recipe and with the paper's settings; run it again to go on",
  )
  .option('--data <folder>', 'the data sets, with text-en/ and squad/', '../shared/data')
  .requiredOption('--out <folder>', 'corpus, vocabulary, shards, masks and runs')
  .option('--minutes <n>', 'of training, a cell', positiveNumber, 60)
  .option('--cells <names>', 'cells, commas between', speedrunCells, [...SPEEDRUN_CELLS])
  .option('--seed <n>', 'of weights, order of rows and masks', Number, 0)
  .option('--threads <n>', 'threads of each side', positiveInteger, 2)
  .addOption(new Option('--engine <name>', 'what computes in Pleiad').choices(ENGINE_NAMES).default('auto'))
  .addOption(new Option('--precision <name>', 'of the operands of products').choices(PRECISION_NAMES).default('auto'))
  .addOption(
    new Option('--torch-precision <name>', 'auto times both and takes the faster')
      .choices(PRECISION_NAMES)
      .default('auto'),
  )
  .option('--python <path>', 'Python with torch and transformers (default: PLEIAD_PYTHON, or python3)')
  .option(
    '--results <file>',
    'a JSON line for each measurement; what stands there is not made again (default: in --out)',
  )
  .option('--pictures <folder>', 'draws speedrun.svg there')
  .option('--json', 'one JSON object on standard output', false)
  .action(async (options) => {
    const { runSpeedrun } = await import('./speedrun/speedrun.js');
    await interruptible(options, runSpeedrun);
  });

program
  .command('corruptions')
  .description("the sentences by which speedrun judges discriminators: words replaced by a model's generator")
  .option('--data <folder>', 'the data sets, with text-en/ and squad/', '../shared/data')
  .option('--model <place>', 'an ELECTRA pair', CORRUPTIONS.model)
  .option('--count <n>', 'sentences to read', positiveInteger, CORRUPTIONS.count)
  .option('--seed <n>', 'of masks and draws', Number, CORRUPTIONS.seed)
  .option('--out <file>', 'JSON Lines', 'bench/speedrun/corruptions.jsonl')
  .option('--json', 'one JSON object on standard output', false)
  .action(async (options) => {
    const { makeCorruptions } = await import('./speedrun/makeCorruptions.js');
    finish(options, await makeCorruptions(options), ({ out, sentences, words }) => [
      `${out}: ${sentences} sentences, ${words} replaced words`,
    ]);
  });

program
  .command('unanswerable')
  .description(
    'questions that their text does not answer, made of the ones of SQuAD 1.1, beside the handwritten ones of 2.0',
  )
  .option('--data <folder>', 'the data sets, with squad/', '../shared/data')
  .option('--hold-out <titles>', 'articles of SQuAD 2.0 for the threshold, semicolons between', titles, [
    ...UNANSWERABLE.heldOut,
  ])
  .option('--counts <pairs>', 'questions of each way, as entity=2000,number=500', counts, UNANSWERABLE.counts)
  .option('--answerable <n>', 'questions of SQuAD 1.1 as they are', positiveInteger, UNANSWERABLE.answerable)
  .option('--seed <n>', 'of all draws', Number, UNANSWERABLE.seed)
  .requiredOption('--out <folder>', 'made.json, train.json and held-out.json')
  .option('--json', 'one JSON object on standard output', false)
  .action(async ({ data, holdOut, ...options }) => {
    const { writeUnanswerable } = await import('./unanswerable/makeUnanswerable.js');
    const squad = (name: string) => join(data, 'squad', name);
    const train = UNANSWERABLE.train.map(squad);
    const result = writeUnanswerable({
      ...options,
      train,
      handwritten: squad(UNANSWERABLE.handwritten),
      heldOut: holdOut,
    });
    finish(options, result, ({ name: _, ...files }) =>
      Object.entries(files).map(
        ([file, { questions, withoutAnswer }]) => `${file}: ${questions} questions, ${withoutAnswer} without an answer`,
      ),
    );
  });

program
  .command('arms')
  .description(
    'objectives at equal time by the short recipe, judged by fine-tuning beside random weights and what costs nothing; run it again to go on',
  )
  .option('--data <folder>', 'the data sets, with text-en/, glue/, conll2000/ and squad/', '../shared/data')
  .requiredOption('--out <folder>', 'corpus, vocabulary, shards and runs')
  .option('--minutes <n>', 'of pre-training, an arm', positiveNumber, 30)
  .option('--arms <names>', 'arms, commas between', armNames, [...ARM_NAMES])
  .option('--seeds <numbers>', 'of pre-training, commas between', numbers, [0])
  .option('--finetuning-seeds <numbers>', 'of fine-tuning, commas between', numbers, [0, 1, 2])
  .option('--tasks <names>', 'tasks, commas between', armTasks, [...ARM_TASKS])
  .option('--threads <n>', 'threads', positiveInteger, 2)
  .addOption(new Option('--engine <name>', 'what computes').choices(ENGINE_NAMES).default('auto'))
  .addOption(new Option('--precision <name>', 'of the operands of products').choices(PRECISION_NAMES).default('auto'))
  .option(
    '--results <file>',
    'a JSON line for each training and score; what stands there is not made again (default: in --out)',
  )
  .option('--pictures <folder>', 'draws arms.svg there')
  .option('--json', 'one JSON object on standard output', false)
  .action(async ({ finetuningSeeds: fineTuningSeeds, ...options }) => {
    const { runArms } = await import('./arms/arms.js');
    await interruptible({ ...options, fineTuningSeeds }, runArms);
  });

program
  .command('transfer')
  .description(
    'an encoder fine-tuned beside the same network from random weights, on several tasks and numbers of labels; run it again to go on',
  )
  .requiredOption('--from <model>', 'the encoder: a folder or a name on the hub')
  .option('--data <folder>', 'the data sets, with glue/, conll2000/, squad/ and so on', '../shared/data')
  .requiredOption('--out <folder>', 'runs while they are made')
  .option(
    '--results <file>',
    'what the runs reached, a JSON line each; runs that stand there are not made again',
    TRANSFER_RESULTS,
  )
  .option(
    '--tasks <names>',
    'tasks, commas between',
    transferTasks,
    TRANSFER_TASKS.map(({ name }) => name),
  )
  .option('--rows <numbers>', 'training rows, commas between; 0 for all', numbers, [2000])
  .option('--seeds <numbers>', 'seeds, commas between', numbers, [0, 1, 2])
  .option('--starts <names>', 'pretrained, random or both', transferStarts, [...TRANSFER_STARTS])
  .option('--learning-rates <rates>', 'commas between', numbers, [TRANSFER_LEARNING_RATE])
  .option('--longest <n>', 'tokens of the longest rows, for an encoder that has seen none longer', positiveInteger)
  .option(
    '--layer-rate-decay <n>',
    "what each layer's learning rate is of the one above (default: as finetune)",
    positiveNumber,
  )
  .option('--threads <n>', 'threads', positiveInteger)
  .addOption(new Option('--engine <name>', 'what computes').choices(ENGINE_NAMES).default('auto'))
  .addOption(new Option('--precision <name>', 'of the operands of products').choices(PRECISION_NAMES).default('auto'))
  .option('--pictures <folder>', 'draws transfer-tasks.svg and transfer-curves.svg there')
  .option('--json', 'one JSON object on standard output', false)
  .action(async (options) => {
    const { runTransfer } = await import('./transfer.js');
    await interruptible(options, runTransfer);
  });

program
  .command('proofread')
  .description('planted errors in held-out sentences, found by a pair, by its discriminator alone and by frequencies')
  .requiredOption('--model <place>', 'an ELECTRA pair')
  .option('--held-out <file>', 'sentences, a line each', 'runs/box/english/held-out/leipzig.txt')
  .option('--train <file>', 'text that frequencies are counted in', 'runs/box/english/train/squad.txt')
  .option('--own <file>', 'text to calibrate on, for a model without a calibration of its own')
  .option('--probe <file>', 'what plants errors', '../shared/probes/plant-errors.mjs')
  .option('--limit <n>', 'sentences, at most', positiveInteger)
  .option('--threads <n>', 'threads', positiveInteger)
  .option('--json', 'one JSON object on standard output', false)
  .action(async (options) => {
    const { benchProofreading, describeProofreading } = await import('./box/proofreading.js');
    finish(options, await benchProofreading(options), describeProofreading);
  });

program
  .command('box <settings>')
  .description('models in the box, rebuilt from models/settings/: corpus, vocabulary, shards, training, packing')
  .option('--data <folder>', 'the data sets, with text-en/, squad/ and so on', '../shared/data')
  .option('--work <folder>', 'corpus, shards and runs; run it again to go on', 'runs/box')
  .option('--run <folder>', 'a run that these settings made already: it is packed')
  .option('--out <folder>', 'where the models are written', 'models')
  .option('--json', 'one JSON object on standard output', false)
  .action(async (settings: string, options) => {
    const { buildBox } = await import('./box/build.js');
    const models = await buildBox({ ...options, name: settings });
    finish(options, { name: 'box', models }, () =>
      models.map(({ name, bytes, sha256 }) => `${name}: ${bytes} bytes, SHA-256 ${sha256}`),
    );
  });

program
  .command('describe-box <settings>')
  .description('models in the box that were packed: calibrated, measured, and described in their cards and the index')
  .option('--data <folder>', 'the data sets, with glue/, squad/ and so on', '../shared/data')
  .option('--corpus <folder>', 'the text, with train/ and held-out/', 'runs/box/english')
  .option('--run <folder>', 'the run that was packed, to measure what 8 bits cost')
  .option('--out <folder>', 'the folder of the package', 'models')
  .option('--probe <file>', 'what plants errors', '../shared/probes/plant-errors.mjs')
  .option('--minutes <n>', 'that the training took', positiveNumber)
  .option('--limit <n>', 'sentences with planted errors, at most', positiveInteger)
  .option('--threads <n>', 'threads', positiveInteger)
  .option('--json', 'one JSON object on standard output', false)
  .action(async (settings: string, options) => {
    const { describeBox } = await import('./box/card.js');
    const models = await describeBox({
      ...options,
      minutes: options.minutes && Number(options.minutes),
      name: settings,
    });
    finish(options, { name: 'describe-box', models }, () =>
      models.map(({ name, figures }) => `${name}: ${JSON.stringify(figures)}`),
    );
  });

program
  .command('curves <runs...>')
  .description('training curves of run folders as an SVG picture')
  .requiredOption('--out <file>', 'SVG file to write')
  .option('--json', 'one JSON object on standard output', false)
  .action(async (runs: string[], options) => {
    const { drawCurves } = await import('./curves.js');
    const charts = drawCurves(runs, options.out);
    finish(options, { name: 'curves', out: options.out, charts }, () => [`${options.out}: ${charts.join('; ')}`]);
  });

/** A JSON line for programs, or lines for people; benchmarks without lines of their own have told people on the way. */
function finish<T extends object>({ json }: { json: boolean }, result: T, describe?: (result: T) => string[]): void {
  if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else for (const line of describe?.(result) ?? []) process.stdout.write(`${line}\n`);
}

/** An ablation that ends well at a signal, to be gone on with later. */
async function interruptible<O extends { json: boolean }>(
  options: O,
  run: (options: O & { signal: AbortSignal }) => Promise<{ readonly table: string }>,
): Promise<void> {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort());
  const result = await run({ ...options, signal: interrupt.signal });
  finish(options, result, ({ table }) => [table]);
  if (interrupt.signal.aborted) process.exitCode = 130;
}

function files(words: string): string[] {
  return words.split(',');
}

function titles(words: string): string[] {
  return words.split(';');
}

function counts(words: string): CountsOfWays {
  const found = countsOfWays(words);
  if (typeof found === 'string') throw new InvalidArgumentError(found);
  return found;
}

function names(words: string): string[] {
  return namesOf(words, ABLATION_OBJECTIVES);
}

function maskings(words: string): string[] {
  return namesOf(words, SPAN_ABLATION_MASKINGS);
}

function transferTasks(words: string): string[] {
  return namesOf(
    words,
    TRANSFER_TASKS.map(({ name }) => name),
  );
}

function transferStarts(words: string): string[] {
  return namesOf(words, TRANSFER_STARTS);
}

function armNames(words: string): ArmName[] {
  return namesOf(words, ARM_NAMES) as ArmName[];
}

function armTasks(words: string): ArmTask[] {
  return namesOf(words, ARM_TASKS) as ArmTask[];
}

function speedrunCells(words: string): CellName[] {
  return namesOf(words, SPEEDRUN_CELLS) as CellName[];
}

function namesOf(words: string, known: readonly string[]): string[] {
  const unknown = words.split(',').filter((word) => !known.includes(word));
  if (unknown.length) throw new InvalidArgumentError(`${unknown.join(', ')}: expected ${known.join(', ')}.`);
  return words.split(',');
}

function numbers(words: string): number[] {
  const values = words.split(',').map(Number);
  if (values.some((value) => !Number.isFinite(value)))
    throw new InvalidArgumentError('Expected numbers, commas between.');
  return values;
}

function positiveNumber(word: string): number {
  if (!(Number(word) > 0)) throw new InvalidArgumentError('Expected a number above 0.');
  return Number(word);
}

/** Random words begin at 1000. */
function vocabularySize(word: string): number {
  const value = positiveInteger(word);
  if (value <= 1000) throw new InvalidArgumentError('Expected more than 1000.');
  return value;
}

function parseAskPeers(word: string): ('transformers.js' | 'torch')[] {
  const names = word.split(',');
  const isPeer = (name: string): name is 'transformers.js' | 'torch' => name === 'transformers.js' || name === 'torch';
  if (names.every(isPeer)) return names;
  throw new InvalidArgumentError('expected transformers.js, torch, or transformers.js,torch');
}

function positiveInteger(word: string): number {
  const value = Number(word);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Expected a whole number from 1.');
  return value;
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof PleiadError)) throw error;
  say(error.message);
  process.exitCode = error instanceof SettingsError ? BAD_USAGE : 1;
}
