import { availableParallelism, cpus } from 'node:os';
import type { OnnxPort } from '../../checkpoint/onnxHeader.js';
import { TENSOR_FORMATS } from '../../checkpoint/tensorSource.js';
import { findMpi } from '../../collective/mpi/connect.node.js';
import { chooseEngine } from '../../engine/chooseEngine.node.js';
import { joinFirst } from '../../errors/joinFirst.js';
import { boxedModels } from '../../hub/modelsPackage.node.js';
import { type Inspection, inspectModels } from '../../pretrained/inspectModel.node.js';
import { inspectOnnx, type OnnxInspection } from '../../pretrained/inspectOnnx.node.js';
import { onnxFilesIn } from '../../pretrained/openPretrained.node.js';
import { VERSION } from '../../version.js';
import type { CommandDefinition } from '../command.js';
import { CASING_OPTIONS, loadingOptions, REVISION_OPTION } from '../modelOption.js';
import { grouped } from '../numbers.js';
import type { Output } from '../output.js';
import { CONFIG_OPTION, HALF_OPTION, sourceOptions, TASK_OPTION } from '../sourceOptions.js';

export const info: CommandDefinition = {
  name: 'info',
  summary:
    'Shows versions, the engine that computes, why, and its threads; for a model its config, parameters, heads, weights, ' +
    'tokenizer and licence.',
  arguments: [{ name: '[model]', description: 'a folder, a run, a file (ONNX too), an archive, or a name on the hub' }],
  options: [TASK_OPTION, HALF_OPTION, CONFIG_OPTION, REVISION_OPTION, ...CASING_OPTIONS],
  examples: [
    'pleiad info',
    'pleiad info run/',
    'pleiad info web/onnx/model.onnx',
    'pleiad info SpanBERT/spanbert-base-cased',
  ],

  async run([place], options, { output }) {
    if (place !== undefined) {
      const onnx = await inspectOnnx(place, loadingOptions(options, output));
      if (onnx.length > 0) {
        for (const inspection of onnx) showOnnx(inspection, output);
        return { json: { models: onnx } };
      }
      const inspections = await inspectModels(place, { ...loadingOptions(options, output), ...sourceOptions(options) });
      for (const inspection of inspections) show(inspection, output);
      return { json: { models: inspections.map(({ model, ...rest }) => ({ ...rest, ...model })) } };
    }
    const { engine, why, advice } = await chooseEngine();
    await engine.close();
    const machine = {
      cpu: cpus()[0]?.model ?? 'unknown',
      threads: availableParallelism(),
      platform: `${process.platform} ${process.arch}`,
    };
    output.line(`pleiad ${VERSION}, Node ${process.versions.node}, ${machine.platform}`);
    output.line(`engine: ${engine.description}`);
    output.line(`  because ${why}`);
    if (advice) output.line(`  ${advice}.`);
    output.line(`machine: ${machine.cpu}, ${machine.threads} threads`);
    const mpi = await findMpi();
    output.line(`several machines: ${mpi.join(', ') || 'no MPI library (apt install openmpi-bin)'}`);
    const boxed = boxedModels().map(({ name }) => name);
    output.line(`models in the box: ${boxed.join(', ') || 'none (the package pleiad-models has them)'}`);
    return {
      json: {
        mpi,
        models: boxed,
        pleiad: VERSION,
        node: process.versions.node,
        engine: engine.description,
        engineReason: why,
        ...(advice && { engineAdvice: advice }),
        machine,
      },
    };
  },
};

/** Names shown of tensors that are missing or unused. */
const MOST_SHOWN = 8;

function show(inspection: Inspection, output: Output): void {
  const { folder, hub, model, parameters, heads, weights, guessedConfig, missing, unused, licence } = inspection;
  const { architecture, config, labels, spanBoundary, pleiad } = model;
  output.line(output.style(folder, 'bold'));
  if (hub) output.line(`  ${hub.repository}, commit ${hub.commit}`);
  output.line(`  ${architecture}, ${grouped(parameters)} parameters, heads in the file: ${heads.join(', ') || 'none'}`);
  output.line(`  weights: ${TENSOR_FORMATS[weights.format]}, ${weights.dtypes.map(dtypeWords).join(' and ')}`);
  if (guessedConfig) output.line('  no config.json: sizes are those of the tensors, with 64 units a head');
  const names = missing.map(({ name }) => name);
  if (names.length > 0) output.line(`  missing, to be trained: ${joinFirst(names, MOST_SHOWN)}`);
  const reasons = unused.map(({ from, why }) => `${from} (${why})`);
  if (reasons.length > 0) output.line(`  unused: ${joinFirst(reasons, MOST_SHOWN)}`);
  const onnx = onnxFilesIn(folder);
  if (onnx.length > 0) output.line(`  beside the weights: ${onnx.join(', ')}`);
  output.line(`  tokenizer: ${tokenizerText(inspection)}`);
  output.line(`  licence: ${licence.name ? `${licence.name}, says ${licence.source}` : licence.source}`);
  const fields = { ...config, ...spanBoundary, ...(labels && { labels: labels.join(', ') }), ...pleiad };
  for (const [name, value] of Object.entries(fields)) output.line(`  ${name}: ${value}`);
}

function dtypeWords(dtype: string): string {
  return dtype === 'I8' ? 'I8 (8-bit integers with a scale for each row)' : dtype;
}

function showOnnx({ folder, files, config, architecture, licence, ...rest }: OnnxInspection, output: Output): void {
  output.line(output.style(folder, 'bold'));
  const of = (ports: readonly OnnxPort[]) =>
    ports.map(({ name, type, shape }) => `${name} ${type} [${shape.join(', ')}]`).join(', ');
  if (config)
    output.line(`  config.json: ${'problem' in config ? config.problem : (architecture ?? 'names no class')}`);
  for (const { file, bytes, inputs, outputs, opsets, producer, external, ...header } of files) {
    const ops = opsets.map(({ domain, version }) =>
      domain === '' || domain === 'ai.onnx' ? version : `${domain} ${version}`,
    );
    const from = producer === '' ? '' : `, written by ${producer}`;
    output.line(`  ${file}: ONNX, ${grouped(bytes)} bytes, opset ${ops.join(', ') || 'not said'}${from}`);
    for (const { file: name, bytes: size } of external) {
      output.line(
        `    weights beside it: ${name}, ${size === undefined ? 'which is missing' : `${grouped(size)} bytes`}`,
      );
    }
    output.line(
      `    ${grouped(header.parameters)} values of ${header.types.join(', ') || 'no weights'}; ${header.numNodes} nodes`,
    );
    output.line(`    inputs: ${of(inputs)}`);
    output.line(`    outputs: ${of(outputs)}`);
  }
  output.line(`  tokenizer: ${tokenizerText(rest)}`);
  output.line(`  licence: ${licence.name ? `${licence.name}, says ${licence.source}` : licence.source}`);
}

function tokenizerText({ tokenizer }: Pick<Inspection, 'tokenizer'>): string {
  if (!tokenizer) return 'none';
  if ('problem' in tokenizer) return tokenizer.problem;
  return `${grouped(tokenizer.tokens)} tokens, ${tokenizer.lowercase ? 'lower-casing' : 'cased'}`;
}
