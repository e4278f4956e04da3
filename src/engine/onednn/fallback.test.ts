import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../graph/graph.js';
import { OneDnnMissing } from './engine.node.js';
import { libraryNames, loadOneDnn } from './library/load.node.js';
import { OneDnnSession } from './library/session.js';
import type { Primitive, PrimitiveKind } from './plan/primitives.js';
import { OneDnnProgram, Runtime } from './program.js';

const library = loadOneDnn();

/** The library with some kinds of primitives missing from it. */
class PoorerSession extends OneDnnSession {
  constructor(private readonly missing: readonly PrimitiveKind[]) {
    if ('missing' in library) throw new Error(library.missing);
    super(library);
  }
  override build(primitive: Primitive) {
    if (this.missing.includes(primitive.kind)) throw new Error('unimplemented');
    return super.build(primitive);
  }
}

function attentionLike() {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['rows', 4]);
  const scores = g.matmul(x, x, { transposeB: true, scale: 0.5 });
  g.output('y', g.matmul(g.softmax(scores), x));
  return g.build();
}
const feeds = {
  x: { dtype: 'float32', shape: [3, 4], data: Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)) },
} as const;

describe.skipIf('missing' in library)('a primitive that the library cannot make', () => {
  test.each([['softmax'], ['matmul']] as const)(
    'is computed in TypeScript, with a warning that names it: %s',
    (kind) => {
      const warnings: string[] = [];
      const run = (missing: readonly PrimitiveKind[]) => {
        const runtime = new Runtime(new PoorerSession(missing), 'fp32', (warning) => warnings.push(warning));
        const program = new OneDnnProgram(runtime, { label: 'attention', graph: attentionLike() }, undefined, true);
        const results = [program.run(feeds), program.run(feeds)].map(({ y }) => y.data);
        expect(results[0]).toEqual(results[1]);
        return { data: results[0], profile: Object.keys(program.profile()) };
      };
      const whole = run([]);
      expect(warnings).toEqual([]);
      const poorer = run([kind]);
      whole.data.forEach((value, i) => expect(poorer.data[i]).toBeCloseTo(value, 6));
      expect(poorer.profile).toContain(`${kind} (TypeScript)`);
      // Each kind of step is told of once, however often it runs.
      expect(warnings.length).toBe(kind === 'matmul' ? 2 : 1);
      expect(warnings[0]).toMatch(new RegExp(`oneDNN has no ${kind} for ${kind} of f32.*unimplemented.*TypeScript`));
    },
  );
});

test('the library is looked for under every name that it has, and only there where its path is given', () => {
  expect(libraryNames('linux', '')).toEqual(['libdnnl.so.3', 'libdnnl.so.2', 'libdnnl.so']);
  expect(libraryNames('win32', '')).toEqual(['dnnl.dll']);
  expect(libraryNames('darwin', '')).toContain('/opt/homebrew/lib/libdnnl.3.dylib');
  expect(libraryNames('linux', '/opt/dnnl/libdnnl.so')).toEqual(['/opt/dnnl/libdnnl.so']);
});

test('a missing library is an error that says where it was looked for and what to do', () => {
  const error = new OneDnnMissing('the library is not installed (looked for libdnnl.so.3)');
  expect(error.message).toBe(
    'engine "onednn": the library is not installed (looked for libdnnl.so.3). Install it (Debian, Ubuntu: `apt install libdnnl2`), or give its path in PLEIAD_ONEDNN, or use engine: "onnxruntime"',
  );
});

test('an id outside its table is refused by program and position', () => {
  const runtime = new Runtime(undefined, 'fp32', () => {});
  const g = new GraphBuilder();
  g.output('y', g.gather(g.input('table', 'float32', [2, 2]), g.input('ids', 'int32', ['n'])));
  const program = new OneDnnProgram(runtime, { label: 'lookup', graph: g.build() });
  const table = { dtype: 'float32', shape: [2, 2], data: new Float32Array(4) } as const;
  expect(() => program.run({ table, ids: { dtype: 'int32', shape: [2], data: Int32Array.of(1, -1) } })).toThrow(
    'program "lookup" failed on table [2, 2], ids [2]: id -1 at 1 is none of the 2 rows',
  );
});
