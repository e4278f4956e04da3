/** NumPy's file of one array (numpy/lib/format.py, version 1.0): magic, version, a header that is a Python dictionary, values. */

const MAGIC = [0x93, ...Array.from('NUMPY', (letter) => letter.charCodeAt(0))];
/** Values begin at a multiple of so many bytes. */
const ALIGNMENT = 64;

/** What stands before the values of a float32 matrix in row-major order, which follow it as little-endian bytes. */
export function npyHeader(rows: number, columns: number): Uint8Array {
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  const before = MAGIC.length + 4; // version and length of the header
  const unpadded = before + dictionary.length + 1;
  const length = Math.ceil(unpadded / ALIGNMENT) * ALIGNMENT;
  const text = `${dictionary.padEnd(length - before - 1)}\n`;
  const size = length - before;
  return Uint8Array.from([
    ...MAGIC,
    ...[1, 0, size & 0xff, size >> 8],
    ...Array.from(text, (letter) => letter.charCodeAt(0)),
  ]);
}
