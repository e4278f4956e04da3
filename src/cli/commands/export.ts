import { describeLoadReport } from '../../checkpoint/loadReport.js';
import { SettingsError } from '../../errors/errors.js';
import { exportModel, type QuantizationResult } from '../../pretrained/exportModel.node.js';
import type { OutputDifference } from '../../pretrained/exportOnnx.js';
import type { CommandDefinition } from '../command.js';
import { untilInterrupted } from '../interrupts.js';
import { LOADING_OPTIONS, loadingOptions } from '../modelOption.js';
import { grouped, numberAbove } from '../numbers.js';
import type { Output } from '../output.js';
import { CONFIG_OPTION, HALF_OPTION, sourceOptions, TASK_OPTION } from '../sourceOptions.js';
import { readTextFile } from '../textFile.js';

export const exportCommand: CommandDefinition = {
  name: 'export',
  summary:
    'Writes a model as standard ONNX (opset 20), in the folder layout that transformers.js loads; with --quantize also ' +
    'with weights in 8 bits.',
  arguments: [{ name: '<model>', description: 'a folder, a run, a file, an archive, or a name on the hub' }],
  options: [
    { flags: '--out <folder>', description: 'where to write; a new or an empty folder' },
    {
      flags: '--quantize',
      description: 'also onnx/model_quantized.onnx; says how far its outputs are from the float ones',
    },
    {
      flags: '--tolerance <number>',
      description:
        'with --quantize: parts stay in float until outputs differ by less than this fraction of themselves, alone and in padded batches. Default 0.1; the choices beside it are printed with their sizes.',
    },
    {
      flags: '--texts <file>',
      description: 'with --quantize: texts to measure on, one a line. Default: random tokens.',
    },
    TASK_OPTION,
    HALF_OPTION,
    CONFIG_OPTION,
    ...LOADING_OPTIONS.filter(({ flags }) => !flags.startsWith('--model')),
  ],
  examples: ['pleiad export run/ --out web/', 'pleiad export me/squad --out web/ --quantize --texts sample.txt'],

  async run([place], options, { output }) {
    const { out, quantize = false, tolerance, texts } = options;
    if (typeof out !== 'string') throw new SettingsError(['--out is missing; expected a new folder']);
    return untilInterrupted(output, async (signal) => {
      const { model, files, quantization } = await exportModel(place, out, {
        ...loadingOptions(options, output),
        ...sourceOptions(options),
        quantize: quantize === true,
        ...(tolerance !== undefined && { tolerance: numberAbove('--tolerance', tolerance, 0) }),
        ...(typeof texts === 'string' && { texts: await linesOf(texts) }),
        signal,
      });
      for (const line of describeLoadReport(model.report)) output.line(line);
      if (!model.tokenizer) output.line('  no tokenizer beside it: none was written');
      const { architecture } = model.model;
      output.line(`${out}: ${architecture}`);
      for (const [name, bytes] of files) output.line(`  ${name}  ${grouped(bytes)} bytes`);
      if (quantization) showQuantization(quantization, output);
      return {
        json: { folder: out, architecture, files: Object.fromEntries(files), ...(quantization && { quantization }) },
      };
    });
  },
};

async function linesOf(path: string): Promise<string[]> {
  const text = await readTextFile('--texts', path);
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new SettingsError([`--texts ${path} has no text; expected one a line`]);
  return lines;
}

function showQuantization(result: QuantizationResult, output: Output): void {
  const { whole, wholeInBatches, written, writtenInBatches, inFloat, choices, rows } = result;
  const percent = (fraction: number) => `${(100 * fraction).toPrecision(3)} %`;
  const said = ({ relative, largest }: OutputDifference, of = '') =>
    `by ${percent(relative)}${of}, at most by ${largest.toPrecision(3)}`;
  output.line(`8 bits: outputs of ${rows} rows differ ${said(written, ' of themselves')}`);
  output.line(`  in padded batches, beside other rows: ${said(writtenInBatches)}`);
  if (inFloat.length === 0) return;
  output.line(
    `  with everything in 8 bits ${percent(whole.relative)}, in batches ${percent(wholeInBatches.relative)}; left in float, with what each alone would add:`,
  );
  for (const { part, alone } of inFloat) output.line(`    ${part}  ${percent(alone)}`);
  output.line('  smaller and nearer ones:');
  for (const { bytes, relative, inFloat: parts, isWritten } of choices) {
    const ask = isWritten ? 'this one' : `--tolerance ${roundedUp(relative)}`;
    output.line(`    ${grouped(bytes)} bytes, ${percent(relative)}, ${parts} parts in float: ${ask}`);
  }
}

/** To two digits, never below: a tolerance that asks for this choice again. */
function roundedUp(value: number): string {
  const step = 10 ** (Math.floor(Math.log10(value)) - 1);
  return (Math.ceil(value / step) * step).toPrecision(2);
}
