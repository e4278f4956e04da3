/**
 * Weights in 8 bits, with standard ops: a product with a constant matrix becomes
 *
 *   x ≈ s_x·(q_x − z_x),  W[:, c] ≈ s_c·q_W[:, c]   ⇒   x·W ≈ s_x·s_c·MatMulInteger(q_x, q_W)
 *
 * W is symmetric with a scale for each output (one large weight then coarsens one column, not the matrix); x is uint8 with a
 * scale and a zero point found at each run (DynamicQuantizeLinear). Embedding tables have a scale for each row. Biases,
 * layer norms, softmax and products of activations stay float32.
 */
import { elementTypeCode, type OnnxModel, type OnnxNode, type OnnxTensor, standardNode } from './model.js';

/** Where a weight is read: in products x·Wᵀ, and as a table that rows are taken from. A tied table is both. */
interface Uses {
  readonly products: OnnxNode[];
  readonly lookups: OnnxNode[];
}

/** Names of the weights that can be kept in 8 bits. */
export function quantizableWeights(model: OnnxModel): string[] {
  return [...weightUses(model).keys()];
}

function weightUses({ nodes, initializers }: OnnxModel): Map<string, Uses> {
  const uses = new Map<string, Uses>();
  const others = new Set<string>();
  for (const node of nodes) {
    const at = weightOperand(node);
    node.inputs.forEach((name, i) => {
      const weight = initializers.get(name);
      if (weight?.type !== 'float32' || weight.shape.length !== 2) return;
      if (i !== at) {
        others.add(name);
        return;
      }
      const found = uses.get(name) ?? { products: [], lookups: [] };
      (node.op === 'Gather' ? found.lookups : found.products).push(node);
      uses.set(name, found);
    });
  }
  // A weight that anything else reads stays as it is: it would be there twice.
  for (const name of others) uses.delete(name);
  return uses;
}

/** Which operand of a node is a weight that can be kept in 8 bits. */
function weightOperand({ op, inputs, attributes }: OnnxNode): number | undefined {
  if (op === 'Gather') return 0;
  const { transA, transB, alpha, beta } = attributes;
  const isOne = (value: typeof alpha) => value === undefined || ('float' in value && value.float === 1);
  const flag = (value: typeof transA) => (value && 'int' in value ? value.int : 0);
  const isLinear = op === 'Gemm' && inputs.length === 3 && !flag(transA) && flag(transB) && isOne(alpha) && isOne(beta);
  return isLinear ? 1 : undefined;
}

/**
 * The model with weights in 8 bits.
 * @param includes  which, by name; default all that can be
 */
export function quantizeModel(model: OnnxModel, includes: (name: string) => boolean = () => true): OnnxModel {
  const uses = new Map([...weightUses(model)].filter(([name]) => includes(name)));
  const initializers = new Map([...model.initializers].filter(([name]) => !uses.has(name)));
  // The runtime warns of constants that nothing reads.
  const all = [...uses.values()];
  if (all.some(({ lookups }) => lookups.length > 0)) {
    initializers.set('quantized.last', { type: 'int64', shape: [1], data: bytes(BigInt64Array.of(-1n)) });
  }
  if (all.some(({ products }) => products.length > 0)) {
    initializers.set('quantized.middle', { type: 'uint8', shape: [], data: Uint8Array.of(MIDDLE) });
  }
  for (const [name, { products, lookups }] of uses) {
    const weight = model.initializers.get(name)!;
    const [rows, columns] = weight.shape;
    const { codes, scales } = quantizeRows(weight);
    initializers.set(`${name}.scales`, { type: 'float32', shape: [rows], data: bytes(scales) });
    if (products.length > 0) {
      const data = unsignedColumns(codes, rows, columns);
      initializers.set(`${name}.columns`, { type: 'uint8', shape: [columns, rows], data });
    }
    if (lookups.length > 0) {
      initializers.set(`${name}.rows`, { type: 'int8', shape: [rows, columns], data: bytes(codes) });
    }
  }
  const activations = new Set<string>();
  const nodes = model.nodes.flatMap((node) => {
    const at = weightOperand(node);
    if (at === undefined || !uses.has(node.inputs[at])) return [node];
    return node.op === 'Gather' ? lookup(node) : product(node, activations);
  });
  return { ...model, nodes, initializers };
}

const TO_FLOAT = { to: { int: elementTypeCode('float32') } };

/** @param activations  those that were quantized already: queries, keys and values read the same one */
function product({ inputs: [x, weight, bias], outputs: [y] }: OnnxNode, activations: Set<string>): OnnxNode[] {
  const at = (part: string) => `${y}.${part}`;
  const [codes, scale, zero] = ['codes', 'scale', 'zero'].map((part) => `${x}.${part}`);
  const quantize = activations.has(x) ? [] : [standardNode('DynamicQuantizeLinear', [x], [codes, scale, zero])];
  activations.add(x);
  return [
    ...quantize,
    standardNode('MatMulInteger', [codes, `${weight}.columns`, zero, 'quantized.middle'], [at('integers')]),
    standardNode('Cast', [at('integers')], [at('floats')], TO_FLOAT),
    standardNode('Mul', [scale, `${weight}.scales`], [at('scales')]),
    standardNode('Mul', [at('floats'), at('scales')], [at('product')]),
    standardNode('Add', [at('product'), bias], [y]),
  ];
}

function lookup({ inputs: [weight, ids], outputs: [y] }: OnnxNode): OnnxNode[] {
  const at = (part: string) => `${y}.${part}`;
  const axis = { axis: { int: 0 } };
  return [
    standardNode('Gather', [`${weight}.rows`, ids], [at('codes')], axis),
    standardNode('Cast', [at('codes')], [at('floats')], TO_FLOAT),
    standardNode('Gather', [`${weight}.scales`, ids], [at('row')], axis),
    standardNode('Unsqueeze', [at('row'), 'quantized.last'], [at('scales')]),
    standardNode('Mul', [at('floats'), at('scales')], [y]),
  ];
}

/** Each row by its own scale, codes −127 to 127: with −128 the scale of negative and positive numbers would differ. */
export function quantizeRows({ shape, data }: OnnxTensor): { codes: Int8Array; scales: Float32Array } {
  const [rows, columns] = shape;
  const values = new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4);
  const codes = new Int8Array(values.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    let largest = 0;
    for (let i = start; i < start + columns; i++) largest = Math.max(largest, Math.abs(values[i]));
    scales[row] = Math.fround(largest / 127) || 1; // a row of zeros
    for (let i = start; i < start + columns; i++) {
      codes[i] = Math.max(-127, Math.min(127, Math.round(values[i] / scales[row])));
    }
  }
  return { codes, scales };
}

/**
 * Products take codes as uint8 around 128: with int8, processors without VNNI add pairs of products in 16 bits, which
 * overflow (ONNX Runtime's documentation of quantization, "U8S8").
 */
const MIDDLE = 128;

/** [rows, columns] → [columns, rows], shifted. */
function unsignedColumns(codes: Int8Array, rows: number, columns: number): Uint8Array {
  const result = new Uint8Array(codes.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = codes[row * columns + column] + MIDDLE;
  }
  return result;
}

function bytes({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}
