/** The TypeScript that the figures of the first screens give runs as it stands there. `npm test` builds first. */
import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { temporaryFolder } from '../../src/checkpoint/testCheckpoints.js';
import { writeTestModel } from '../../src/studio/testFolders.js';
import { askCode } from '../../studio/src/screens/ask/code.js';
import { fillCode, rocCode, stepCode, twoCode } from '../../studio/src/screens/electra/code.js';
import { proofCode } from '../../studio/src/screens/proofread/code.js';
import { boundaryCode, maskedCode, throwCode } from '../../studio/src/screens/spanbert/code.js';
import { ROUND_CODE } from '../../studio/src/screens/spot/code.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { path: folder, remove } = temporaryFolder('studio-code');
afterAll(remove);

const PIECE = { token: 'ate', id: 9, start: 9, end: 12, candidates: [], score: 0.5 };
const TEXT = 'the chef ate a "good" meal.';

it('runs as it stands, but for its types', async () => {
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules/pleiad'), 'dir');
  await writeTestModel(join(folder, 'pleiad-en/generator'), 'ElectraForMaskedLM');
  await writeTestModel(join(folder, 'pleiad-en/discriminator'), 'ElectraForPreTraining');
  const spanBoundary = { maxSpanTargets: 6, positionSize: 5, endpoints: 'external', edgeSpans: 'drop' } as const;
  await writeTestModel(join(folder, 'span'), 'BertForMaskedLM', { spanBoundary });
  await writeTestModel(join(folder, 'qa'), 'ElectraForQuestionAnswering');
  writeFileSync(join(folder, 'text.txt'), TEXT);
  const span = { start: 9, end: 14, masked: [PIECE, PIECE] };
  const programs = {
    round: ROUND_CODE,
    step: stepCode('pleiad-en', TEXT, { temperature: 2, seed: 1 }),
    fill: fillCode('pleiad-en', 'the [MASK] ate', 3),
    roc: rocCode('pleiad-en', TEXT, 2),
    two: twoCode('pleiad-en', 'the [MASK] ate', 'a [MASK] cook'),
    boundary: boundaryCode('span', TEXT, span, 3),
    masked: maskedCode('span', TEXT, span),
    throw: throwCode(TEXT),
    ask: askCode('qa', 'the "chef"', { maxLength: 20, nullThreshold: -1.5 }),
    proof: proofCode('pleiad-en', { threshold: 0.01 }),
  };
  for (const [name, code] of Object.entries(programs)) {
    const plain = code.replaceAll(' as const', '').replaceAll('(start: number)', '(start)');
    writeFileSync(join(folder, `${name}.mjs`), `${plain}\nconsole.log('end of ${name}');\n`);
  }
  const all = Object.keys(programs)
    .map((name) => `await import('./${name}.mjs');`)
    .join('\n');
  writeFileSync(join(folder, 'all.mjs'), `${all}\nprocess.exit(0);\n`);
  const { stdout } = await promisify(execFile)(process.execPath, ['all.mjs'], { cwd: folder });
  for (const name of Object.keys(programs)) expect(stdout).toContain(`end of ${name}`);
  expect(stdout).toMatch(/replaced: 0\.\d+/);
  expect(stdout).toMatch(/0\.\d+ (true|false)/);
});
