import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CONSTANTS, type Constants } from './constants.js';

interface HeaderFacts {
  readonly version: string;
  readonly values: Record<string, number>;
}

/** From the headers, by a C compiler: test/golden/make_onednn_constants.py. */
const facts: Record<'2' | '3', HeaderFacts> = JSON.parse(
  readFileSync(new URL('../../../../test/golden/onednn-constants.json', import.meta.url), 'utf8'),
);

/** Each of our numbers under the name that the headers give it. */
function byHeaderName(constants: Constants): Record<string, number> {
  const prefixed = (prefix: string, numbers: Readonly<Record<string, number>>, names: Record<string, string> = {}) =>
    Object.entries(numbers).map(([name, value]): [string, number] => [`${prefix}${names[name] ?? name}`, value]);
  const screaming = (name: string) => name.replace(/[A-Z0-9]/g, (letter) => `_${letter}`).toUpperCase();
  return Object.fromEntries([
    ...prefixed('dnnl_', constants.elementTypes),
    ...prefixed('dnnl_eltwise_', constants.eltwise, { softRelu: 'soft_relu', geluErf: 'gelu_erf', power: 'pow' }),
    ...prefixed('dnnl_binary_', constants.binary),
    ...prefixed('dnnl_reduction_', constants.reduction),
    ...Object.entries(constants.arguments).map(([name, value]): [string, number] => [
      `DNNL_ARG_${screaming(name)}`,
      value,
    ]),
    ['dnnl_softmax_accurate', constants.softmaxAccurate],
    ['dnnl_forward_training', constants.forwardTraining],
    ['dnnl_forward_inference', constants.forwardInference],
    ['dnnl_backward', constants.backward],
    ['dnnl_use_scale', constants.useScale],
    ['dnnl_use_shift', constants.useShift],
    ['DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE', constants.postOpBase],
    ['dnnl_query_impl_info_str', constants.queryImplementation],
    ['dnnl_query_weights_md', constants.queryWeights],
    ['dnnl_format_tag_any', constants.anyLayout],
  ]);
}

describe.each([2, 3] as const)('the constants of oneDNN %i', (major) => {
  it('are those of its headers, all of them', () => {
    const { version, values } = facts[major];
    expect(version).toMatch(new RegExp(`^${major}\\.`));
    const { dnnl_cpu: cpu, dnnl_stream_in_order: inOrder, ...others } = values;
    expect(byHeaderName(CONSTANTS[major])).toEqual(others);
    // Written as numbers in session.ts.
    expect([cpu, inOrder]).toEqual([1, 1]);
  });
});
