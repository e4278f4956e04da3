/** Primitive descriptors, where the two major versions differ: how they are made from views and post-ops. */
import type { PostOp, Primitive, PrimitiveKind, PrimitiveKinds } from '../plan/primitives.js';
import { denseStrides, type View } from '../plan/values.js';
import { Calls, type Handle } from './calls.js';
import type { ForeignFunction, OneDnnLibrary } from './load.node.js';

/** Makes descriptors of one major version. */
export interface Descriptors {
  /** The memory descriptor of a view: its sizes, strides and element type. Kept as long as this object. */
  memory(view: Pick<View, 'shape' | 'strides' | 'type'>): Handle;
  /** The descriptor of a copy from one memory descriptor to another, to be destroyed by the caller. */
  copy(from: Handle, to: Handle): Handle;
  /** The descriptor of a primitive, to be destroyed by the caller. @throws EngineError when there is no implementation */
  primitive(primitive: Primitive): Handle;
}

const MAX_AXES = 12;
/** Longer than any descriptor of version 2: a memory descriptor has 696 bytes, an operation up to six of them. */
const MEMORY_BYTES = 1024;
const OPERATION_BYTES = 16384;

function int64(values: readonly number[]): BigInt64Array {
  return BigInt64Array.from({ length: MAX_AXES }, (_, axis) => BigInt(values[axis] ?? 0));
}

/**
 * oneDNN knows no tensors without axes, and wants a stretched axis as one of size 1. The stride of such an axis, which is
 * never used, must still fit among the others: version 2 checks it.
 */
function layoutOf({ shape, strides }: Pick<View, 'shape' | 'strides'>): { sizes: number[]; steps: number[] } {
  if (shape.length === 0) return { sizes: [1], steps: [1] };
  const sizes = shape.map((size, axis) => (strides[axis] === 0 ? 1 : size));
  const dense = denseStrides(sizes);
  if (sizes.every((size, axis) => size === 1 || strides[axis] === dense[axis])) return { sizes, steps: dense };
  const extent = Math.max(...sizes.map((size, axis) => size * strides[axis]));
  return { sizes, steps: sizes.map((size, axis) => (size === 1 ? extent : strides[axis])) };
}

/** Memory descriptors by what they describe. */
class MemoryDescriptors {
  readonly #known = new Map<string, Handle>();
  readonly #make: (axes: number, sizes: BigInt64Array, type: number, steps: BigInt64Array) => Handle;
  readonly #makeOfLayout: (axes: number, sizes: BigInt64Array, type: number, layout: number) => Handle;

  constructor(private readonly calls: Calls) {
    const parameters = ['int', 'buffer', 'int', 'buffer'] as const;
    const ofLayout = ['int', 'buffer', 'int', 'int'] as const;
    if (calls.library.major === 3) {
      this.#make = calls.making('dnnl_memory_desc_create_with_strides', ...parameters);
      this.#makeOfLayout = calls.making('dnnl_memory_desc_create_with_tag', ...ofLayout);
    } else {
      this.#make = this.#initialised('dnnl_memory_desc_init_by_strides', ...parameters);
      this.#makeOfLayout = this.#initialised('dnnl_memory_desc_init_by_tag', ...ofLayout);
    }
  }

  /** Version 2 fills a descriptor, a C struct. */
  #initialised(name: string, ...parameters: Parameters<Calls['checked']>[1][]): (...values: unknown[]) => Handle {
    const init = this.calls.checked(name, 'address', ...parameters);
    return (...values) => {
      const memory = this.calls.lastingMemory(MEMORY_BYTES);
      init(memory, ...values);
      return memory;
    };
  }

  /** Of these sizes, in the layout that a primitive likes best. */
  ofAnyLayout({ shape, type }: Pick<View, 'shape' | 'type'>): Handle {
    const { elementTypes, anyLayout } = this.calls.library.constants;
    return this.#once(`${type}[${shape}] any`, () =>
      this.#makeOfLayout(shape.length, int64(shape), elementTypes[type], anyLayout),
    );
  }

  of(view: Pick<View, 'shape' | 'strides' | 'type'>): Handle {
    const { sizes, steps } = layoutOf(view);
    const type = this.calls.library.constants.elementTypes[view.type];
    return this.#once(`${view.type}[${sizes}][${steps}]`, () =>
      this.#make(sizes.length, int64(sizes), type, int64(steps)),
    );
  }

  #once(key: string, make: () => Handle): Handle {
    let handle = this.#known.get(key);
    if (handle === undefined) {
      handle = make();
      this.#known.set(key, handle);
    }
    return handle;
  }
}

/** Attributes of primitives: their post-ops. */
class Attributes {
  readonly #create: ForeignFunction;
  readonly #destroy: ForeignFunction;
  readonly #setPostOps: ForeignFunction;
  readonly #createPostOps: ForeignFunction;
  readonly #destroyPostOps: ForeignFunction;
  readonly #append: { readonly [K in PostOp['kind']]: (chain: Handle, postOp: Extract<PostOp, { kind: K }>) => void };

  constructor(calls: Calls, memory: MemoryDescriptors) {
    const { constants, major } = calls.library;
    this.#create = calls.making('dnnl_primitive_attr_create');
    this.#destroy = calls.checked('dnnl_primitive_attr_destroy', 'address');
    this.#setPostOps = calls.checked('dnnl_primitive_attr_set_post_ops', 'address', 'address');
    this.#createPostOps = calls.making('dnnl_post_ops_create');
    this.#destroyPostOps = calls.checked('dnnl_post_ops_destroy', 'address');
    const binary = calls.checked('dnnl_post_ops_append_binary', 'address', 'int', 'address');
    const [sum, eltwise] =
      major === 3
        ? [
            calls.checked('dnnl_post_ops_append_sum', 'address', 'float', 'int', 'int'),
            calls.checked('dnnl_post_ops_append_eltwise', 'address', 'int', 'float', 'float'),
          ]
        : [
            calls.checked('dnnl_post_ops_append_sum', 'address', 'float'),
            calls.checked('dnnl_post_ops_append_eltwise', 'address', 'float', 'int', 'float', 'float'),
          ];
    // Version 3 also takes a zero point and an element type of a sum (none), version 2 a scale of an eltwise (1).
    const [afterSum, beforeEltwise] = major === 3 ? [[0, 0], []] : [[], [1]];
    this.#append = {
      sum: (chain, { scale }) => sum(chain, scale, ...afterSum),
      eltwise: (chain, { algorithm, alpha, beta }) =>
        eltwise(chain, ...beforeEltwise, constants.eltwise[algorithm], alpha, beta),
      binary: (chain, { algorithm, operand }) => binary(chain, constants.binary[algorithm], memory.of(operand)),
    };
  }

  /** Calls `use` with attributes of these post-ops; 0 stands for none. */
  with(postOps: readonly PostOp[], use: (attributes: Handle) => Handle): Handle {
    if (postOps.length === 0) return use(0);
    const chain = this.#createPostOps();
    const attributes = this.#create();
    try {
      for (const postOp of postOps)
        (this.#append[postOp.kind] as (chain: Handle, postOp: PostOp) => void)(chain, postOp);
      this.#setPostOps(attributes, chain);
      return use(attributes);
    } finally {
      this.#destroy(attributes);
      this.#destroyPostOps(chain);
    }
  }
}

type Rules = { readonly [K in PrimitiveKind]: (primitive: PrimitiveKinds[K]) => Handle };

export function createDescriptors(library: OneDnnLibrary, engine: Handle): Descriptors {
  const calls = new Calls(library);
  const memory = new MemoryDescriptors(calls);
  const attributes = new Attributes(calls, memory);
  const reorder = calls.making(
    'dnnl_reorder_primitive_desc_create',
    ...(['address', 'address', 'address', 'address', 'address'] as const),
  );
  const copy = (from: Handle, to: Handle) => reorder(from, engine, to, engine, 0);
  const rules = (library.major === 3 ? rulesOfVersion3 : rulesOfVersion2)({ calls, memory, attributes, engine, copy });
  return {
    memory: (view) => memory.of(view),
    copy,
    primitive: (primitive) =>
      (rules[primitive.kind] as (primitive: PrimitiveKinds[PrimitiveKind]) => Handle)(primitive),
  };
}

interface RuleContext {
  readonly calls: Calls;
  readonly memory: MemoryDescriptors;
  readonly attributes: Attributes;
  readonly engine: Handle;
  readonly copy: Descriptors['copy'];
}

const lastAxis = ({ shape }: View) => Math.max(0, shape.length - 1);

/** Version 2 fills an operation's descriptor, a C struct, and makes the primitive's descriptor of it. */
function rulesOfVersion2({ calls, memory, attributes, engine, copy }: RuleContext): Rules {
  const { constants } = calls.library;
  const create = calls.making('dnnl_primitive_desc_create', 'address', 'address', 'address', 'address');
  const destroy = calls.checked('dnnl_primitive_desc_destroy', 'address');
  const address = calls.lastingMemory(OPERATION_BYTES);
  const of = (view: View) => memory.of(view);
  const made = (postOps: readonly PostOp[] = [], hint: Handle = 0) =>
    attributes.with(postOps, (attribute) => create(address, attribute, engine, hint));
  /** A backward primitive is made with the descriptor of its forward one as a hint. */
  const after = (forward: Handle, init: () => void): Handle => {
    try {
      init();
      return made([], forward);
    } finally {
      destroy(forward);
    }
  };
  const init = (name: string, ...parameters: Parameters<Calls['checked']>[1][]) =>
    calls.checked(name, 'address', ...parameters);
  const matmul = init('dnnl_matmul_desc_init', 'address', 'address', 'address', 'address');
  const eltwise = init('dnnl_eltwise_forward_desc_init', 'int', 'int', 'address', 'float', 'float');
  const eltwiseBackward = init('dnnl_eltwise_backward_desc_init', 'int', 'address', 'address', 'float', 'float');
  const binary = init('dnnl_binary_desc_init', 'int', 'address', 'address', 'address');
  const softmax = init('dnnl_softmax_v2_forward_desc_init', 'int', 'int', 'address', 'address', 'int');
  const softmaxBackward = init('dnnl_softmax_v2_backward_desc_init', 'int', 'address', 'address', 'address', 'int');
  const layerNorm = init('dnnl_layer_normalization_forward_desc_init', 'int', 'address', 'address', 'float', 'uint');
  const layerNormBackward = init(
    'dnnl_layer_normalization_backward_desc_init',
    'int',
    'address',
    'address',
    'address',
    'float',
    'uint',
  );
  const reduction = init('dnnl_reduction_desc_init', 'int', 'address', 'address', 'float', 'float');
  const { forwardTraining, forwardInference, backward, softmaxAccurate, useScale, useShift } = constants;
  const scaled = useScale | useShift;
  return {
    matmul({ src, weights, bias, dst, postOps, packs }) {
      matmul(
        address,
        of(src),
        packs ? memory.ofAnyLayout(weights) : of(weights),
        bias ? of(rowOfBias(bias, dst)) : 0,
        of(dst),
      );
      return made(postOps);
    },
    eltwise({ algorithm, alpha, beta, src, postOps }) {
      eltwise(address, forwardTraining, constants.eltwise[algorithm], of(src), alpha, beta);
      return made(postOps);
    },
    eltwiseBackward({ algorithm, alpha, beta, src, diffDst }) {
      eltwise(address, forwardTraining, constants.eltwise[algorithm], of(src), alpha, beta);
      return after(made(), () =>
        eltwiseBackward(address, constants.eltwise[algorithm], of(diffDst), of(src), alpha, beta),
      );
    },
    binary({ algorithm, a, b, dst, postOps }) {
      binary(address, constants.binary[algorithm], of(a), of(b), of(dst));
      return made(postOps);
    },
    softmax({ src, dst }) {
      softmax(address, forwardTraining, softmaxAccurate, of(src), of(dst), lastAxis(src));
      return made();
    },
    softmaxBackward({ dst, diffDst, diffSrc }) {
      softmax(address, forwardTraining, softmaxAccurate, of(dst), of(dst), lastAxis(dst));
      return after(made(), () =>
        softmaxBackward(address, softmaxAccurate, of(diffSrc), of(diffDst), of(dst), lastAxis(dst)),
      );
    },
    layerNorm({ src, statistics, epsilon }) {
      const kind = statistics ? forwardTraining : forwardInference;
      layerNorm(address, kind, of(src), statistics ? of(statistics.mean) : 0, epsilon, scaled);
      return made();
    },
    layerNormBackward({ src, statistics, diffDst, epsilon }) {
      layerNorm(address, forwardTraining, of(src), of(statistics.mean), epsilon, scaled);
      return after(made(), () =>
        layerNormBackward(address, backward, of(diffDst), of(src), of(statistics.mean), epsilon, scaled),
      );
    },
    reduction({ algorithm, src, dst }) {
      reduction(address, constants.reduction[algorithm], of(src), of(dst), 0, 0);
      return made();
    },
    reorder: ({ src, dst }) => copy(of(src), of(dst)),
  };
}

/** Version 3 makes the primitive's descriptor in one call, which takes source and destination apart. */
function rulesOfVersion3({ calls, memory, attributes, engine, copy }: RuleContext): Rules {
  const { constants } = calls.library;
  const destroy = calls.checked('dnnl_primitive_desc_destroy', 'address');
  const of = (view: View) => memory.of(view);
  const making = (name: string, ...parameters: Parameters<Calls['checked']>[1][]) =>
    calls.making(`dnnl_${name}_primitive_desc_create`, 'address', ...parameters);
  const matmul = making('matmul', 'address', 'address', 'address', 'address', 'address');
  const eltwise = making('eltwise_forward', 'int', 'int', 'address', 'address', 'float', 'float', 'address');
  const eltwiseBackward = making(
    'eltwise_backward',
    ...(['int', 'address', 'address', 'address', 'float', 'float', 'address', 'address'] as const),
  );
  const binary = making('binary', 'int', 'address', 'address', 'address', 'address');
  const softmax = making('softmax_forward', 'int', 'int', 'address', 'address', 'int', 'address');
  const softmaxBackward = making(
    'softmax_backward',
    ...(['int', 'address', 'address', 'address', 'int', 'address', 'address'] as const),
  );
  const layerNorm = making(
    'layer_normalization_forward',
    ...(['int', 'address', 'address', 'address', 'float', 'uint', 'address'] as const),
  );
  const layerNormBackward = making(
    'layer_normalization_backward',
    ...(['int', 'address', 'address', 'address', 'address', 'float', 'uint', 'address', 'address'] as const),
  );
  const reduction = making('reduction', 'int', 'address', 'address', 'float', 'float', 'address');
  const { forwardTraining, forwardInference, backward, softmaxAccurate, useScale, useShift } = constants;
  const scaled = useScale | useShift;
  const after = (forward: Handle, make: (hint: Handle) => Handle): Handle => {
    try {
      return make(forward);
    } finally {
      destroy(forward);
    }
  };
  return {
    matmul: ({ src, weights, bias, dst, postOps, packs }) =>
      attributes.with(postOps, (attribute) => {
        const layout = packs ? memory.ofAnyLayout(weights) : of(weights);
        return matmul(engine, of(src), layout, bias ? of(rowOfBias(bias, dst)) : 0, of(dst), attribute);
      }),
    eltwise: ({ algorithm, alpha, beta, src, dst, postOps }) =>
      attributes.with(postOps, (attribute) =>
        eltwise(engine, forwardTraining, constants.eltwise[algorithm], of(src), of(dst), alpha, beta, attribute),
      ),
    eltwiseBackward({ algorithm, alpha, beta, src, diffDst, diffSrc }) {
      const kind = constants.eltwise[algorithm];
      return after(eltwise(engine, forwardTraining, kind, of(src), of(src), alpha, beta, 0), (hint) =>
        eltwiseBackward(engine, kind, of(diffSrc), of(diffDst), of(src), alpha, beta, hint, 0),
      );
    },
    binary: ({ algorithm, a, b, dst, postOps }) =>
      attributes.with(postOps, (attribute) =>
        binary(engine, constants.binary[algorithm], of(a), of(b), of(dst), attribute),
      ),
    softmax: ({ src, dst }) => softmax(engine, forwardTraining, softmaxAccurate, of(src), of(dst), lastAxis(src), 0),
    softmaxBackward: ({ dst, diffDst, diffSrc }) =>
      after(softmax(engine, forwardTraining, softmaxAccurate, of(dst), of(dst), lastAxis(dst), 0), (hint) =>
        softmaxBackward(engine, softmaxAccurate, of(diffSrc), of(diffDst), of(dst), lastAxis(dst), hint, 0),
      ),
    layerNorm({ src, dst, statistics, epsilon }) {
      const kind = statistics ? forwardTraining : forwardInference;
      return layerNorm(engine, kind, of(src), of(dst), statistics ? of(statistics.mean) : 0, epsilon, scaled, 0);
    },
    layerNormBackward({ src, statistics, diffDst, diffSrc, epsilon }) {
      const mean = of(statistics.mean);
      return after(layerNorm(engine, forwardTraining, of(src), of(src), mean, epsilon, scaled, 0), (hint) =>
        layerNormBackward(engine, backward, of(diffSrc), of(diffDst), of(src), mean, epsilon, scaled, hint, 0),
      );
    },
    reduction: ({ algorithm, src, dst }) =>
      reduction(engine, constants.reduction[algorithm], of(src), of(dst), 0, 0, 0),
    reorder: ({ src, dst }) => copy(of(src), of(dst)),
  };
}

/** A bias [N] with as many axes as the product that it is added to. */
export function rowOfBias(bias: View, dst: View): View {
  const before = new Array<number>(dst.shape.length - 1);
  return {
    ...bias,
    shape: [...before.fill(1), ...bias.shape],
    strides: [...before.fill(bias.shape[0]), ...bias.strides],
  };
}
