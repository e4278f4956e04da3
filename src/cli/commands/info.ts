import { existsSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { expectedTensors } from '../../checkpoint/modelFolder.js';
import { loadModelDescription } from '../../checkpoint/modelFolderNode.js';
import { findMpi } from '../../collective/node/connect.js';
import { chooseEngine } from '../../engine/node/chooseEngine.js';
import { type ModelRole, resolveCheckpoint, resolveModelFolder } from '../../pipelines/modelPlacesNode.js';
import { VERSION } from '../../version.js';
import type { CommandDefinition } from '../command.js';
import { grouped } from '../numbers.js';

export const info: CommandDefinition = {
  name: 'info',
  summary:
    'Shows versions, the engine that computes, why, and its threads; for a model its config, parameters and heads.',
  arguments: [{ name: '[model]', description: 'a run folder, a checkpoint, or a model folder' }],
  options: [],

  async run([model], _options, { output }) {
    if (model !== undefined) {
      const models = modelFolders(model).map(describeModel);
      for (const { folder, architecture, parameters, heads, config, spanBoundary, pleiad } of models) {
        output.line(output.style(folder, 'bold'));
        output.line(`  ${architecture}, ${grouped(parameters)} parameters, head: ${heads.join(', ')}`);
        for (const [name, value] of Object.entries({ ...config, ...spanBoundary, ...pleiad }))
          output.line(`  ${name}: ${value}`);
      }
      return { json: { models } };
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
    return {
      json: {
        mpi,
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

/** All models of a run or checkpoint, or the one model folder. */
function modelFolders(folder: string): string[] {
  const checkpoint = existsSync(join(folder, 'config.json')) ? undefined : resolveCheckpoint(folder);
  if (!checkpoint) return [resolveModelFolder(folder, 'discriminator')];
  const roles: ModelRole[] = ['discriminator', 'generator', 'model'];
  return roles.map((role) => join(checkpoint, role)).filter((path) => existsSync(path));
}

function describeModel(folder: string) {
  const description = loadModelDescription(folder);
  const tensors = expectedTensors(description);
  const size = (shape: readonly number[]) => shape.reduce((product, dim) => product * dim, 1);
  const heads = [...tensors.keys()].filter((name) => !/^(electra|bert)\./.test(name)).map((name) => name.split('.')[0]);
  return {
    folder,
    ...description,
    parameters: [...tensors.values()].reduce((sum, shape) => sum + size(shape), 0),
    heads: [...new Set(heads)],
  };
}
