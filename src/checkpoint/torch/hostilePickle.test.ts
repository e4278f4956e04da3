/**
 * Pickles made to do harm. A pickle is a program for Python's unpickler; each of these must end as an error that says what
 * was asked for, within bounded time and memory, whichever of the two file forms it comes in.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckpointError } from '../../errors/errors.js';
import { fileSetOf } from '../../files/byteSource.js';
import { openTensorFile } from '../openTensors.js';
import { goldenBytes } from '../testCheckpoints.js';
import {
  assemble,
  global,
  int,
  legacyFile,
  long,
  PROTO,
  STOP,
  stateDict,
  storage,
  tensor,
  text,
  tuple,
  uint32,
  uint64,
  zipFile,
} from './testPickle.js';

const MILLION = 1_000_000;
const MAX_MS = 10_000;
const MAX_MEMORY = 1 << 30;

const repeat = (part: Uint8Array | number, times: number) => {
  const one = typeof part === 'number' ? Uint8Array.of(part) : part;
  const bytes = new Uint8Array(one.length * times);
  for (let i = 0; i < times; i++) bytes.set(one, i * one.length);
  return bytes;
};

const floats = storage('FloatStorage', '0', int(4));
const shape2x2 = [tuple(int(2), int(2)), tuple(int(2), int(1))] as const;

/** What pickle.dumps of CPython 3.11 gives for an object whose __reduce__ is (os.system, ("echo pwned",)), protocol 2. */
const OS_SYSTEM = assemble(
  PROTO,
  global('posix', 'system'),
  'q',
  0,
  text('echo pwned'),
  'q',
  1,
  0x85,
  'q',
  2,
  'R',
  'q',
  3,
  STOP,
);

const HOSTILE: readonly (readonly [name: string, pickle: Uint8Array, message: RegExp])[] = [
  ['os.system', OS_SYSTEM, /asks for the Python global posix\.system, .*Nothing was run/],
  [
    'builtins.eval hidden in a tensor',
    stateDict([global('builtins', 'eval'), text('__import__("os").system("id")'), 0x85, 'R']),
    /global builtins\.eval/,
  ],
  [
    'a chain of getattr',
    assemble(PROTO, global('builtins', 'getattr'), global('builtins', 'getattr'), text('__self__'), 0x86, 'R', STOP),
    /global builtins\.getattr/,
  ],
  [
    'getattr by a dotted name of an allowed module (STACK_GLOBAL)',
    assemble(0x80, 4, text('collections'), text('OrderedDict.__class__.__base__'), 0x93, STOP),
    /global collections\.OrderedDict\.__class__\.__base__/,
  ],
  [
    'a module name that is a list (STACK_GLOBAL)',
    assemble(0x80, 4, ']', text('system'), 0x93, STOP),
    /names a global by something other than text/,
  ],
  ['the INST form of protocol 0', assemble('(', text('id'), 'ios\nsystem\n', STOP), /global os\.system/],
  [
    'the OBJ form of protocol 1',
    assemble('(', text('id'), text('id'), 'o', STOP),
    /calls something, which is no function/,
  ],
  ['an extension code', assemble(PROTO, 0x82, 1, STOP), /opcode 0x82/],
  ['a buffer from outside', assemble(0x80, 5, 0x97, STOP), /opcode 0x97/],
  ['a memo of a million entries', assemble(PROTO, 'N', ...memoOf(MILLION), STOP), /remembers over 250000/],
  ['a memo entry that was never set', assemble(PROTO, 'j', uint32(0xffffffff), STOP), /asks for memo 4294967295/],
  ['a million marks', assemble(PROTO, repeat(0x28, MILLION), STOP), /nests over 1000 marks/],
  ['a million nested tuples', assemble(PROTO, ')', repeat(0x85, MILLION), STOP), /makes over 250000 objects/],
  ['a million empty dicts', assemble(PROTO, repeat(0x7d, MILLION), STOP), /makes over 250000 objects/],
  ['sixteen million values', assemble(PROTO, repeat(0x4e, 16 * MILLION), STOP), /stacks over 1000000 values/],
  [
    'one list made into dicts again and again',
    assemble(
      [PROTO, ']', '(', repeat(assemble('N', 'N', 0x86), 1000), 'e', 'q', 0, '0'],
      [global('collections', 'OrderedDict'), 'q', 1, '0'],
      repeat(assemble('h', 1, 'h', 0, 0x85, 'R', '0'), 100_000),
      STOP,
    ),
    /makes over 250000 objects/,
  ],
  ['an integer of a gigabyte', assemble(PROTO, 0x8b, uint32(1 << 30), STOP), /has an integer of 1073741824 bytes/],
  ['an integer of 4 GiB − 1', assemble(PROTO, 0x8b, uint32(0xffffffff), STOP), /has an integer of 4294967295 bytes/],
  [
    'text of 2^62 bytes',
    assemble(0x80, 4, 0x8d, uint64(2n ** 62n), STOP),
    /gives a length of 4611686018427388000 bytes/,
  ],
  ['a name without an end', assemble(PROTO, 'c', repeat(0x61, 5000), STOP), /has a name of over 1000 bytes/],
  ['text that is not UTF-8', assemble(PROTO, 'X', uint32(2), 0xff, 0xfe, STOP), /text that is not UTF-8/],
  ['a call of text', assemble(PROTO, text('f'), ')', 'R', STOP), /calls something, which is no function/],
  [
    'a call of a type of storage',
    assemble(PROTO, global('torch', 'FloatStorage'), ')', 'R', STOP),
    /calls torch FloatStorage/,
  ],
  [
    'a call with no tuple',
    assemble(PROTO, global('collections', 'OrderedDict'), 'N', 'R', STOP),
    /arguments that are no tuple/,
  ],
  [
    'arguments by name',
    assemble(0x80, 4, global('collections', 'OrderedDict'), ')', '}', text('a'), 'N', 's', 0x92, STOP),
    /calls with arguments by name/,
  ],
  ['attributes of a list', assemble(PROTO, ']', '}', 'b', STOP), /sets attributes of something that has none/],
  ['items of a list', assemble(PROTO, ']', 'N', 'N', 's', STOP), /sets items of something that is no dict/],
  ['appending to a tuple', assemble(PROTO, ')', 'N', 'a', STOP), /appends to something that is no list/],
  ['an empty stack', assemble(PROTO, 's', STOP), /takes a value from an empty stack/],
  ['two results', assemble(PROTO, 'N', 'N', STOP), /ends with 2 values on the stack/],
  ['protocol 200', assemble(0x80, 200, 'N', STOP), /is of protocol 200/],
  ['a persistent id that is a number', stateDict([int(7), 'Q']), /has a persistent id that is no storage/],
  [
    'a persistent id of another kind',
    stateDict([tuple(text('module'), ')', text('a'), text('b'), 'N'), 'Q']),
    /no storage \(module\)/,
  ],
  [
    'a persistent id that contains itself',
    stateDict([']', 'q', 0, 'h', 0, 'a', 'Q']),
    /has a persistent id that is no storage \(object\)/,
  ],
  [
    'a storage of −1 elements',
    stateDict(tensor(storage('FloatStorage', '0', int(-1)), int(0), ...shape2x2)),
    /a storage of -1 elements/,
  ],
  [
    'a storage of 2^62 elements',
    stateDict(tensor(storage('FloatStorage', '0', long(2n ** 62n)), int(0), ...shape2x2)),
    /a storage of 4611686018427387904 elements/,
  ],
  [
    'a storage of 2^50 elements',
    stateDict(tensor(storage('FloatStorage', '0', long(2n ** 50n)), int(0), ...shape2x2)),
    /bytes|elements/,
  ],
  [
    'a storage by two descriptions',
    stateDict(tensor([floats, '0', storage('LongStorage', '0', int(4))], int(0), ...shape2x2)),
    /describes storage 0 in two ways/,
  ],
  [
    'a tensor with size −2',
    stateDict(tensor(floats, int(0), tuple(int(-2), int(2)), shape2x2[1])),
    /makes a tensor with -2 in its size/,
  ],
  [
    'a tensor with a negative stride',
    stateDict(tensor(floats, int(3), tuple(int(4)), tuple(int(-1)))),
    /makes a tensor with -1 in its stride/,
  ],
  ['a tensor with a negative offset', stateDict(tensor(floats, int(-1), ...shape2x2)), /makes a tensor with offset -1/],
  ['a tensor beyond its storage', stateDict(tensor(floats, int(1), ...shape2x2)), /from element 1 of a storage with 4/],
  [
    'a tensor whose size overflows',
    stateDict(tensor(floats, int(0), tuple(long(2n ** 40n), long(2n ** 40n)), tuple(long(2n ** 40n), int(1)))),
    /of a storage with 4/,
  ],
  [
    'a tensor of 2^60 elements by strides of 0',
    stateDict(tensor(floats, int(0), tuple(int(1 << 30), int(1 << 30)), tuple(int(0), int(0)))),
    /its tensors would take 4611686018427388000 bytes, which a file of \d+ bytes cannot mean/,
  ],
  [
    'a tensor of ten thousand dimensions',
    stateDict(tensor(floats, int(0), tuple(repeat(int(1), 10_000)), tuple(repeat(int(1), 10_000)))),
    /makes a tensor of 10000 dimensions/,
  ],
  [
    'a size that contains itself',
    stateDict(tensor(floats, int(0), [']', 'q', 9, 'h', 9, 'a'], tuple(int(1)))),
    /makes a tensor with object in its size/,
  ],
  [
    'a list that contains itself as the whole',
    assemble(PROTO, ']', 'q', 0, 'h', 0, 'a', STOP),
    /holds a list of 1, expected a dict/,
  ],
  [
    'a dict that contains itself and nothing else',
    assemble(PROTO, '}', 'q', 0, text('model'), 'h', 0, 's', STOP),
    /holds a dict without tensors; its keys are model/,
  ],
  [
    'ten lists of ten lists, fifteen levels deep, by the memo',
    assemble(PROTO, ']', 'q', 0, '0', ...laughs(15), '}', text('a'), 'h', 15, 's', STOP),
    /holds a dict without tensors/,
  ],
];

function memoOf(entries: number): Uint8Array[] {
  const bytes = new Uint8Array(5 * entries);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < entries; i++) {
    bytes[5 * i] = 0x72;
    view.setUint32(5 * i + 1, i, true);
  }
  return [bytes];
}

function laughs(levels: number): Uint8Array[] {
  return Array.from({ length: levels }, (_, level) =>
    assemble(']', '(', repeat(assemble('h', level), 10), 'e', 'q', level + 1, '0'),
  );
}

const open = (bytes: Uint8Array, name = 'model.bin') => openTensorFile(fileSetOf(new Map([[name, bytes]]), 'F'), name);

async function refusal(bytes: Uint8Array): Promise<Error> {
  const startedAt = performance.now();
  const before = process.memoryUsage().rss;
  const error = await open(bytes).then(
    (source) => new Error(`was opened with ${source.tensors.size} tensors`),
    (reason: Error) => reason,
  );
  expect(performance.now() - startedAt).toBeLessThan(MAX_MS);
  expect(process.memoryUsage().rss - before).toBeLessThan(MAX_MEMORY);
  return error;
}

describe('a hostile pickle', () => {
  // If anything here could run code, this is where it would show.
  const canary = globalThis as { pwned?: unknown };
  beforeAll(() => {
    delete canary.pwned;
  });
  afterAll(() => expect(canary.pwned).toBeUndefined());

  it.each(HOSTILE)('is refused in the zip form: %s', async (_, pickle, message) => {
    const error = await refusal(zipFile(pickle, { '0': new Uint8Array(16) }));
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^F\/model\.bin: /);
    expect(error.message.length).toBeLessThan(1000);
  });

  it.each(HOSTILE)('is refused in the legacy form: %s', async (_, pickle, message) => {
    const zeros = assemble(uint64(4n), new Uint8Array(16));
    const error = await refusal(legacyFile(pickle, { '0': zeros }));
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error.message).toMatch(message);
  });

  it('is refused wherever it ends too early: every beginning of a genuine file, in both forms', async () => {
    const legacy = goldenBytes('every-kind-legacy.bin');
    for (let length = 0; length < legacy.length; length++) {
      await expect(open(legacy.subarray(0, length)), `${length} bytes`).rejects.toThrow(CheckpointError);
    }
    const zip = goldenBytes('every-kind-zip.bin');
    for (let length = 0; length < zip.length; length++) {
      await expect(open(zip.subarray(0, length)), `${length} bytes`).rejects.toThrow(CheckpointError);
    }
  });

  it('names a class of a model that was pickled whole, and says what to do', async () => {
    const whole = assemble(PROTO, global('transformers.models.bert.modeling_bert', 'BertModel'), ')', 0x81, STOP);
    await expect(open(zipFile(whole))).rejects.toThrow(
      'F/model.bin: its pickle asks for the Python global transformers.models.bert.modeling_bert.BertModel, which is not one that a checkpoint of weights needs. Nothing was run. If you trust the file, save its weights alone in Python: torch.save(model.state_dict(), …), or as safetensors',
    );
  });
});

describe('a PyTorch file by hand', () => {
  const twoByTwo = stateDict(tensor(floats, int(0), ...shape2x2));
  const record = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);

  it('is read in both forms, so that the refusals above are no accident', async () => {
    for (const bytes of [
      zipFile(twoByTwo, { '0': record }),
      legacyFile(twoByTwo, { '0': assemble(uint64(4n), record) }),
    ]) {
      const source = await open(bytes);
      expect([...(await source.readFloat32('weight'))]).toEqual([1, 2, 3, 4]);
    }
  });

  it('is refused when its storages are not what its pickle says', async () => {
    await expect(open(zipFile(twoByTwo))).rejects.toThrow('F/model.bin: it has no record for storage "0"');
    await expect(open(zipFile(twoByTwo, { '0': record.subarray(1) }))).rejects.toThrow(
      'its record "archive/data/0" has 15 bytes, its pickle needs 16',
    );
    await expect(open(legacyFile(twoByTwo))).rejects.toThrow('it has no storage "0"');
    await expect(open(legacyFile(twoByTwo, { '0': assemble(uint64(5n), record) }))).rejects.toThrow(
      'storage 0 has 5 elements, its pickle says 4',
    );
    await expect(open(legacyFile(twoByTwo, { '0': assemble(uint64(4n), record), '1': record }))).rejects.toThrow(
      'it lists a storage that no tensor uses',
    );
    await expect(open(assemble(legacyFile(twoByTwo, { '0': assemble(uint64(4n), record) }), 'more'))).rejects.toThrow(
      '4 bytes follow its last storage',
    );
  });

  it('is refused from a big-endian machine', async () => {
    const files = zipFile(twoByTwo, { '0': record });
    const at = Buffer.from(files).indexOf('little');
    files.set(new TextEncoder().encode('big   '), at);
    await expect(open(files)).rejects.toThrow(/written on a big-endian machine/);
    const legacy = legacyFile(twoByTwo, { '0': assemble(uint64(4n), record) });
    legacy[Buffer.from(legacy).indexOf('little_endian') + 'little_endian'.length] = 0x89; // False
    await expect(open(legacy)).rejects.toThrow(/written on a big-endian machine/);
  });

  it('reads a view of a storage, as files before PyTorch 0.4 have them', async () => {
    const view = tuple(text('view'), int(1), int(2));
    const id = tuple(text('storage'), global('torch', 'FloatStorage'), text('0'), text('cpu'), int(4), view);
    const pickle = stateDict([
      global('torch._utils', '_rebuild_tensor'),
      tuple([id, 'Q'], int(1), tuple(int(1)), tuple(int(1))),
      'R',
    ]);
    const source = await open(legacyFile(pickle, { '0': assemble(uint64(4n), record) }));
    expect([...(await source.readFloat32('weight'))]).toEqual([3]);
  });
});
