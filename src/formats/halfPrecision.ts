/**
 * 16-bit floats as bit patterns. IEEE 754 binary16 ("half", F16): 1 sign, 5 exponent, 10 fraction bits; bfloat16 (BF16):
 * the upper half of a float32. Everything works on bits: JavaScript may change the payload of a NaN that passes through a
 * number.
 */

const HALF_INFINITY = 0x7c00;
const HALF_QUIET_NAN = 0x7e00;

/** Float32 bits of each of the 65,536 halves, made when first needed: 256 KiB, and faster than arithmetic by far. */
let halfTable: Uint32Array | undefined;

/** The float32 bits of a half, exactly: every half is a float32. */
function halfToFloat32Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return (sign | 0x7f800000 | (fraction << 13)) >>> 0;
  if (exponent > 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0;
  if (fraction === 0) return sign >>> 0;
  // A subnormal half is fraction · 2^-24, which float32 holds as a normal number: move its highest bit up to bit 10.
  const shift = Math.clz32(fraction) - 21;
  return (sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13)) >>> 0;
}

/** F16 → F32, exact. @param target  as long as `halves` */
export function halfToFloat32(halves: Uint16Array, target: Float32Array): void {
  halfTable ??= Uint32Array.from({ length: 65536 }, (_, half) => halfToFloat32Bits(half));
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halfTable[halves[i]];
}

/** BF16 → F32, exact. @param target  as long as `values` */
export function bfloat16ToFloat32(values: Uint16Array, target: Float32Array): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < values.length; i++) bits[i] = values[i] << 16;
}

/** What rounding to a narrower dtype did to values. */
export interface Narrowing {
  /** Values that the narrow dtype does not hold exactly; those of the next two fields are among them. */
  rounded: number;
  /** Finite values beyond the largest half, 65,504, that became infinite. */
  overflowed: number;
  /** Values other than 0 that became 0. */
  underflowed: number;
}

/**
 * F32 → F16, to the nearest half and at a tie to the even one (IEEE 754 roundTiesToEven, as every processor and PyTorch
 * do). The upper bits of a NaN's payload are kept.
 */
export function float32ToHalf(values: Float32Array): { data: Uint16Array<ArrayBuffer> } & Narrowing {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const data = new Uint16Array(values.length);
  const counts: Narrowing = { rounded: 0, overflowed: 0, underflowed: 0 };
  for (let i = 0; i < bits.length; i++) data[i] = narrow(bits[i], counts);
  return { data, ...counts };
}

function narrow(bits: number, counts: Narrowing): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x7f800000) {
    if (magnitude === 0x7f800000) return sign | HALF_INFINITY;
    const payload = (magnitude >> 13) & 0x3ff;
    return sign | (payload === 0 ? HALF_QUIET_NAN : HALF_INFINITY | payload);
  }
  // 113 is the float32 exponent of the smallest normal half, 2^-14.
  const exponent = magnitude >>> 23;
  const dropped = exponent >= 113 ? 13 : 126 - exponent;
  // Below 2^-25 everything rounds to 0; a float32's 24 fraction bits are then gone altogether.
  const significand = exponent >= 113 ? magnitude - (112 << 23) : (magnitude & 0x7fffff) | 0x800000;
  let half = dropped > 24 ? 0 : significand >>> dropped;
  const rest = dropped > 24 ? magnitude : significand & ((1 << dropped) - 1);
  const middle = 1 << (dropped - 1);
  // A carry out of the fraction goes into the exponent, which is what the next half is; likewise up to infinity.
  if (dropped <= 24 && (rest > middle || (rest === middle && half & 1))) half++;
  const overflowed = half >= HALF_INFINITY;
  if (rest !== 0 || overflowed) counts.rounded++;
  if (overflowed) counts.overflowed++;
  if (rest !== 0 && half === 0) counts.underflowed++;
  return sign | (overflowed ? HALF_INFINITY : half);
}
