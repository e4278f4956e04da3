import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { temporaryFolder } from '../src/checkpoint/testCheckpoints.js';
import { countHouse } from './countHouse.js';

const house = temporaryFolder('house');
afterAll(() => house.remove());

test('a small house is counted', () => {
  const files: Record<string, string> = {
    'README.md': 'Read [the design](docs/design.md).\n',
    'docs/design.md': '| `src/graph/` | nodes |\n| `src/training/` | the loop: `src/training/run.ts` |\n',
    'src/index.ts': "export * from './training/run.js';\nexport { type A, b as c } from './graph/node.js';\n",
    'src/version.ts': 'export const VERSION = 1;\n',
    // "as Node" in a comment or a string is no cast.
    'src/graph/node.ts':
      "import { x } from '../training/run.js';\n// as Node\nexport const b = (x as Node) && 'as Node' && (x as number);\nexport const k = [x] as const;\n",
    'src/training/run.ts': "import './trainer.js';\nexport * from './trainer.js';\nexport function run() {}\n",
    'src/training/trainer.ts': 'export interface Trainer {}\n',
    'src/training/trainer.test.ts': 'not counted\n',
    'src/training/testThing.ts': 'not counted\n',
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(house.path, name)), { recursive: true });
    writeFileSync(join(house.path, name), text);
  }
  expect(countHouse(house.path)).toEqual({
    files: 5,
    filesOver200: 0,
    lines: 11,
    exportedNames: { 'src/index.ts': 4 }, // run, Trainer, A, c
    steps: { trainingLoop: 3, loss: undefined },
    violations: 1,
    strays: 1,
    casts: { asNode: 1, all: 2 },
  });
});
