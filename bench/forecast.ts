/**
 * The published ELECTRA trainings on several machines, by the cost model: days and money. What was measured for one size on
 * one machine is carried over to other sizes by their floating-point operations and their numbers of weights.
 */

import { elementCount } from '../src/graph/dimensions.js';
import type { SizeName } from '../src/models/config.js';
import { graphFlops } from '../src/models/flops.js';
import { objectiveOf } from '../src/pretraining/objectiveOf.js';
import { resolvePretrainingSettings } from '../src/pretraining/settings.js';
import { ethernet, type Network, type RankCosts, stepCosts } from './costModel.js';
import { randomShards, stepGraph } from './trainingStep.js';

/** A training as published (Clark et al. 2020, table 6). */
export interface Training {
  readonly size: SizeName;
  readonly length: number;
  /** Of a step. */
  readonly rows: number;
  readonly steps: number;
  /** Rows of a micro-batch. */
  readonly mostRows: number;
}

export const TRAININGS: readonly Training[] = [
  { size: 'small', length: 128, rows: 128, steps: 1_000_000, mostRows: 32 },
  { size: 'base', length: 512, rows: 256, steps: 766_000, mostRows: 8 },
];

/** A machine, as multiples of the measured one. */
export interface Machine {
  readonly name: string;
  readonly speed: number;
  readonly dollarsPerHour: number;
}

export const NETWORKS: readonly { readonly name: string; readonly network: Network }[] = [
  { name: '10 Gbit/s', network: ethernet(10, 0.03) },
  { name: '100 Gbit/s', network: ethernet(100, 0.015) },
];
export const NODES = [1, 8, 64] as const;

/** Work and weights of a row of a size. */
export interface Work {
  readonly flopsPerRow: number;
  readonly weights: number;
}

export function workOf({ size, length }: Pick<Training, 'size' | 'length'>): Work {
  const shape = { batch: 1, length };
  const settings = resolvePretrainingSettings({
    ...{
      recipe: 'none',
      data: '-',
      out: '-',
      steps: 1,
      size,
      length,
      batchSize: 1,
      accumulation: 1,
      segments: 'single',
    },
    // The largest positions that the published base was trained on are those of its length.
    model: { maxPositionEmbeddings: Math.max(length, 512) },
  });
  const objective = objectiveOf(settings, randomShards(shape));
  const { graph, sizes } = stepGraph(objective, settings);
  const weights = objective.parameters.reduce((sum, { shape: dims }) => sum + elementCount(dims), 0);
  return { flopsPerRow: graphFlops(graph, sizes), weights };
}

/** Costs of another size: products by their operations, what passes over all weights by their number. */
export function carriedOver(costs: RankCosts, measured: Work, other: Work): RankCosts {
  const work = other.flopsPerRow / measured.flopsPerRow;
  const weights = other.weights / measured.weights;
  return {
    compute: { start: costs.compute.start * weights, slope: costs.compute.slope * work },
    updateMs: costs.updateMs * weights,
    normMs: costs.normMs * weights,
    gradientBytes: costs.gradientBytes * weights,
    copyMs: costs.copyMs * weights,
  };
}

/** All that a machine does by itself, so many times as fast. */
export function faster(costs: RankCosts, speed: number): RankCosts {
  const { compute, updateMs, normMs, gradientBytes, copyMs } = costs;
  return {
    compute: { start: compute.start / speed, slope: compute.slope / speed },
    updateMs: updateMs / speed,
    normMs: normMs / speed,
    gradientBytes,
    copyMs: copyMs / speed,
  };
}

export interface Forecast {
  readonly training: Training;
  readonly machine: Machine;
  readonly nodes: number;
  readonly network: string;
  readonly stepMs: number;
  /** Of the step, exchange of gradients. */
  readonly exchangeShare: number;
  /** Speed over that of one machine, over the number of machines. */
  readonly efficiency: number;
  readonly days: number;
  readonly dollars: number;
}

const MS_PER_DAY = 86_400_000;

/** @param measured  costs of one machine with all its threads, and the size that they were measured with */
export function forecasts(
  measured: { readonly costs: RankCosts; readonly size: SizeName; readonly length: number },
  machines: readonly Machine[],
  trainings = TRAININGS,
): Forecast[] {
  const known = workOf(measured);
  return trainings.flatMap((training) => {
    const costs = carriedOver(measured.costs, known, workOf(training));
    return machines.flatMap((machine) => forecastsOf(training, machine, faster(costs, machine.speed)));
  });
}

function forecastsOf(training: Training, machine: Machine, costs: RankCosts): Forecast[] {
  const { rows, mostRows, steps } = training;
  const stepOf = (ranks: number, network: Network) =>
    stepCosts(costs, { ranks, rowsOfStep: rows, mostRows: Math.min(mostRows, rows / ranks), network });
  const alone = stepOf(1, NETWORKS[0].network).totalMs;
  return NODES.flatMap((nodes) =>
    (nodes === 1 ? NETWORKS.slice(0, 1) : NETWORKS).map(({ name, network }) => {
      const { totalMs, exchangeMs } = stepOf(nodes, network);
      const days = (steps * totalMs) / MS_PER_DAY;
      return {
        training,
        machine,
        nodes,
        network: nodes === 1 ? '' : name,
        stepMs: totalMs,
        exchangeShare: exchangeMs / totalMs,
        efficiency: alone / totalMs / nodes,
        days,
        dollars: days * 24 * nodes * machine.dollarsPerHour,
      };
    }),
  );
}

/** As a table in Markdown. */
export function describeForecasts(list: readonly Forecast[]): string[] {
  const row = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  const heading = ['training', 'machine', 'machines', 'network', 'ms a step', 'exchange', 'efficiency', 'days', '$'];
  return [
    row(heading),
    row(heading.map(() => '---')),
    ...list.map(({ training, machine, nodes, network, stepMs, exchangeShare, efficiency, days, dollars }) =>
      row([
        training.size,
        machine.name,
        nodes,
        network,
        Math.round(stepMs).toLocaleString('en'),
        `${Math.round(100 * exchangeShare)} %`,
        `${Math.round(100 * efficiency)} %`,
        days < 10 ? days.toFixed(1) : Math.round(days).toLocaleString('en'),
        Math.round(dollars).toLocaleString('en'),
      ]),
    ),
  ];
}
