/**
 * What the pickle of a PyTorch file may contain, and the tensors in it. The names are those of torch.serialization and
 * torch._utils; a global that is not in the table here is an error that names it.
 */

import { refused } from '../../formats/damaged.js';
import type { SafetensorsDtype } from '../../formats/safetensors.js';
import { elementCount } from '../../graph/dimensions.js';
import { extent, type TensorInfo } from '../tensorSource.js';
import { PickleDict, PickleGlobal, PickleProblem, PickleRecord, type PickleRules } from './pickleMachine.js';

/** Dtypes by the name torch gives the dtype and by that of its typed storage; undefined: known, but not read. */
const TORCH_DTYPES: readonly (readonly [
  dtype: string,
  storage: string,
  SafetensorsDtype | undefined,
  bytes: number,
])[] = [
  ['float64', 'DoubleStorage', 'F64', 8],
  ['float32', 'FloatStorage', 'F32', 4],
  ['float16', 'HalfStorage', 'F16', 2],
  ['bfloat16', 'BFloat16Storage', 'BF16', 2],
  ['int64', 'LongStorage', 'I64', 8],
  ['int32', 'IntStorage', 'I32', 4],
  ['int16', 'ShortStorage', 'I16', 2],
  ['int8', 'CharStorage', 'I8', 1],
  ['uint8', 'ByteStorage', 'U8', 1],
  ['bool', 'BoolStorage', 'BOOL', 1],
  ['uint16', '', 'U16', 2],
  ['uint32', '', 'U32', 4],
  ['uint64', '', 'U64', 8],
  ['float8_e4m3fn', '', 'F8_E4M3', 1],
  ['float8_e5m2', '', 'F8_E5M2', 1],
  ['complex64', 'ComplexFloatStorage', undefined, 8],
  ['complex128', 'ComplexDoubleStorage', undefined, 16],
];

/** A type of storage, or a dtype: what its elements are. */
export class ElementType extends PickleGlobal {
  constructor(
    name: string,
    /** Undefined where elements of this type are not read. */
    readonly dtype: SafetensorsDtype | undefined,
    readonly bytes: number,
  ) {
    super(name);
  }
}

/** A storage as a persistent id names it: the bytes of one or several tensors. */
export interface TorchStorage {
  readonly key: string;
  readonly type: ElementType;
  /** Of the storage whole. */
  readonly elements: number;
  /** Where this view of the storage begins and how long it is, in elements: files of before PyTorch 0.4 have views. */
  readonly viewBegin: number;
  readonly viewElements: number;
}

/** A tensor of the pickle; its values lie elsewhere in the file. */
export class TorchTensor {
  constructor(
    readonly storage: TorchStorage,
    readonly type: ElementType,
    /** Of the first element in the storage, in bytes. */
    readonly beginBytes: number,
    readonly shape: readonly number[],
    /** In elements; undefined where the tensor is row-major. */
    readonly strides: readonly number[] | undefined,
  ) {}
}

class StorageReference {
  constructor(readonly storage: TorchStorage) {}
}

const MAX_RANK = 64;

/** The rules for a pickle of torch.save, and the storages that it names, by key. */
export function torchRules(): { rules: PickleRules; storages: ReadonlyMap<string, TorchStorage> } {
  const storages = new Map<string, TorchStorage>();
  return { storages, rules: { globals: GLOBALS, persistent: (id) => persistentStorage(id, storages) } };
}

/** The persistent id of a storage: ('storage', type, key, location, elements[, view]). */
function persistentStorage(id: unknown, storages: Map<string, TorchStorage>): StorageReference {
  if (!Array.isArray(id) || id[0] !== 'storage' || id.length < 5 || id.length > 6) {
    throw new PickleProblem(
      `has a persistent id that is no storage${Array.isArray(id) ? ` (${printable(id[0])})` : ''}`,
    );
  }
  const [, type, key, , elements, view] = id as unknown[];
  if (!(type instanceof ElementType)) throw new PickleProblem('has a storage of unknown type');
  if (typeof key !== 'string' || key.length > 100) throw new PickleProblem(`has a storage with key ${printable(key)}`);
  if (!isCount(elements)) throw new PickleProblem(`has a storage of ${printable(elements)} elements`);
  const known = storages.get(key);
  if (known && (known.type !== type || known.elements !== elements)) {
    throw new PickleProblem(`describes storage ${key} in two ways`);
  }
  const [viewBegin, viewElements] = viewOf(view, elements);
  const storage: TorchStorage = { key, type, elements, viewBegin, viewElements };
  if (!known) storages.set(key, storage);
  return new StorageReference(storage);
}

/** (key of the view, offset, elements), or None. */
function viewOf(view: unknown, elements: number): [number, number] {
  if (view === undefined || view === null) return [0, elements];
  const [, offset, size] = Array.isArray(view) ? view : [];
  if (!isCount(offset) || !isCount(size) || offset + size > elements) {
    throw new PickleProblem('has a view outside its storage');
  }
  return [offset, size];
}

/** _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks, …); v1 ends after stride. */
function rebuildTensor(args: readonly unknown[], type?: ElementType): TorchTensor {
  const [reference, offset, size, stride] = args;
  if (!(reference instanceof StorageReference))
    throw new PickleProblem('makes a tensor of something that is no storage');
  const { storage } = reference;
  const shape = counts(size, 'size');
  const strides = counts(stride, 'stride');
  if (shape.length !== strides.length) throw new PickleProblem('makes a tensor with more sizes than strides, or fewer');
  if (!isCount(offset)) throw new PickleProblem(`makes a tensor with offset ${printable(offset)}`);
  const element = type ?? storage.type;
  // An untyped storage counts bytes and its offset elements, as PyTorch does.
  const available = Math.floor((storage.viewElements * storage.type.bytes) / element.bytes);
  const needed = elementCount(shape) === 0 ? 0 : offset + extent({ shape, strides });
  if (!(needed <= available)) {
    throw new PickleProblem(
      `makes a tensor [${shape}] with strides [${strides}] from element ${offset} of a storage with ${available}`,
    );
  }
  const begin = storage.viewBegin * storage.type.bytes + offset * element.bytes;
  return new TorchTensor(storage, element, begin, shape, isRowMajor(shape, strides) ? undefined : strides);
}

/** _rebuild_tensor_v3(storage, offset, size, stride, requires_grad, hooks, dtype, metadata): storages without a type. */
function rebuildTyped(args: readonly unknown[]): TorchTensor {
  const dtype = args[6];
  if (!(dtype instanceof ElementType)) throw new PickleProblem('makes a tensor of unknown dtype');
  return rebuildTensor(args, dtype);
}

/** Parameter(data, …): the tensor in it. */
function rebuildParameter([data]: readonly unknown[]): TorchTensor {
  if (!(data instanceof TorchTensor)) throw new PickleProblem('makes a parameter of something that is no tensor');
  return data;
}

/** OrderedDict(), or of a list of pairs as Python 2 wrote it. */
function orderedDict([pairs]: readonly unknown[]): PickleDict {
  const dict = new PickleDict();
  if (pairs === undefined) return dict;
  if (!Array.isArray(pairs)) throw new PickleProblem('makes an OrderedDict of something that is no list');
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2) throw new PickleProblem('makes an OrderedDict of no pairs');
    dict.set(pair[0], pair[1]);
  }
  return dict;
}

/**
 * Everything a pickle may name. Records stand for settings that trainers save beside the weights; numpy's and Python's
 * names are there for numbers and byte strings among them.
 */
const GLOBALS: ReadonlyMap<string, PickleGlobal> = new Map(
  [
    new PickleGlobal('collections OrderedDict', orderedDict),
    new PickleGlobal('torch._utils _rebuild_tensor', (args) => rebuildTensor(args)),
    new PickleGlobal('torch._utils _rebuild_tensor_v2', (args) => rebuildTensor(args)),
    new PickleGlobal('torch._utils _rebuild_tensor_v3', rebuildTyped),
    new PickleGlobal('torch._utils _rebuild_parameter', rebuildParameter),
    new PickleGlobal('torch._utils _rebuild_parameter_with_state', rebuildParameter),
    new PickleGlobal('torch Size', ([sizes]) => sizes),
    new PickleGlobal('torch device', () => new PickleRecord('torch.device')),
    new ElementType('torch.storage UntypedStorage', undefined, 1),
    new ElementType('torch UntypedStorage', undefined, 1),
    ...TORCH_DTYPES.map(([dtype, , ours, bytes]) => new ElementType(`torch ${dtype}`, ours, bytes)),
    ...TORCH_DTYPES.filter(([, storage]) => storage).map(
      ([, storage, ours, bytes]) => new ElementType(`torch ${storage}`, ours, bytes),
    ),
    ...['argparse Namespace', 'numpy dtype', 'numpy.core.multiarray scalar', 'numpy._core.multiarray scalar'].map(
      (name) => new PickleGlobal(name, () => new PickleRecord(name.replace(' ', '.'))),
    ),
    new PickleGlobal('_codecs encode', ([text]) => text),
  ].map((global) => [global.name, global]),
);

/** Where trainers put the weights when they save other things beside them, in order of preference. */
const STATE_DICT_KEYS = ['state_dict', 'model_state_dict', 'model', 'module', 'net', 'weights'];

/**
 * The named tensors in what the file holds: a state dict, or one that lies under a customary key.
 * @param source  file name for messages
 * @returns       tensors by name, and the other entries with what they are
 * @throws CheckpointError when there is none
 */
export function stateDictOf(
  value: unknown,
  source: string,
): { tensors: ReadonlyMap<string, TorchTensor>; otherEntries: ReadonlyMap<string, string> } {
  if (!(value instanceof PickleDict)) {
    throw refused(
      source,
      `holds ${describe(value)}, expected a dict of tensors`,
      'Save the weights alone in Python: torch.save(model.state_dict(), …)',
    );
  }
  const nested = hasTensors(value) ? undefined : STATE_DICT_KEYS.find((key) => hasTensors(value.get(key)));
  if (!hasTensors(value) && nested === undefined) {
    throw refused(
      source,
      `holds a dict without tensors; its keys are ${[...value.keys()].slice(0, 20).map(printable).join(', ') || 'none'}`,
      `Weights are looked for in it and under its keys ${STATE_DICT_KEYS.join(', ')}`,
    );
  }
  const tensors = new Map<string, TorchTensor>();
  const otherEntries = new Map<string, string>();
  const dict = nested === undefined ? value : (value.get(nested) as PickleDict);
  for (const [key, entry] of dict) {
    const name = typeof key === 'string' ? key : printable(key);
    if (typeof key === 'string' && entry instanceof TorchTensor && entry.type.dtype) tensors.set(name, entry);
    else otherEntries.set(name, entry instanceof TorchTensor ? `a tensor of ${entry.type.name}` : describe(entry));
  }
  if (nested !== undefined) {
    for (const [key, entry] of value) {
      if (key !== nested) otherEntries.set(printable(key), `${describe(entry)} beside the weights`);
    }
  }
  return { tensors, otherEntries };
}

function hasTensors(value: unknown): boolean {
  if (!(value instanceof PickleDict)) return false;
  for (const entry of value.values()) if (entry instanceof TorchTensor) return true;
  return false;
}

/** What a tensor is to the rest of the world. */
export function infoOf({ type, shape }: TorchTensor): TensorInfo {
  return { dtype: type.dtype!, shape };
}

function describe(value: unknown): string {
  if (value === null) return 'None';
  if (value instanceof PickleDict) return `a dict of ${value.size}`;
  if (value instanceof PickleRecord) return `an object of type ${value.type}`;
  if (value instanceof TorchTensor) return 'a single tensor';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (value instanceof Set) return `a set of ${value.size}`;
  return typeof value === 'string' ? 'text' : printable(value);
}

/** A key or number for a message, never long and never recursive: a pickle may hold cycles. */
function printable(value: unknown): string {
  if (typeof value === 'string') return value.length > 60 ? `${value.slice(0, 60)}…` : value;
  if (typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined)
    return String(value);
  if (typeof value === 'bigint') return value > -(2n ** 64n) && value < 2n ** 64n ? String(value) : 'a huge integer';
  return value instanceof PickleGlobal ? value.name : typeof value;
}

function counts(value: unknown, what: string): readonly number[] {
  if (!Array.isArray(value)) throw new PickleProblem(`makes a tensor with a ${what} that is no tuple`);
  if (value.length > MAX_RANK) throw new PickleProblem(`makes a tensor of ${value.length} dimensions`);
  const odd = value.find((item) => !isCount(item));
  if (odd !== undefined) throw new PickleProblem(`makes a tensor with ${printable(odd)} in its ${what}`);
  return value;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Whether consecutive elements lie one after another; the stride of a dimension of one index means nothing. */
function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  if (elementCount(shape) === 0) return true;
  let expected = 1;
  for (let dimension = shape.length - 1; dimension >= 0; dimension--) {
    if (shape[dimension] !== 1 && strides[dimension] !== expected) return false;
    expected *= shape[dimension];
  }
  return true;
}
