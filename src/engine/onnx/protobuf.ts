/** The part of the protobuf wire format that ONNX files need: varints, 32-bit floats, strings, bytes, nested messages. */

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;

const utf8 = new TextEncoder();

/** Collects the fields of one message. Byte arrays are kept by reference and copied once, by `finish()`. */
export class MessageWriter {
  readonly #parts: Uint8Array[] = [];
  #pending: number[] = [];
  #length = 0;

  /** Integers from −2⁶³ to 2⁶³ − 1; negative ones as ten bytes of two's complement, as int64 fields are. */
  varint(field: number, value: number | bigint): this {
    this.#tag(field, VARINT);
    this.#varint(value);
    return this;
  }

  float(field: number, value: number): this {
    this.#tag(field, FIXED32);
    this.#pending.push(...new Uint8Array(new Float32Array([value]).buffer));
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(field, utf8.encode(value));
  }

  bytes(field: number, value: Uint8Array): this {
    this.#tag(field, BYTES);
    this.#varint(value.length);
    this.#append(value);
    return this;
  }

  message(field: number, value: MessageWriter): this {
    this.#tag(field, BYTES);
    this.#varint(value.length);
    value.#flush();
    for (const part of value.#parts) this.#append(part);
    return this;
  }

  /** Length of the message in bytes. */
  get length(): number {
    return this.#length + this.#pending.length;
  }

  finish(): Uint8Array<ArrayBuffer> {
    this.#flush();
    const result = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      result.set(part, at);
      at += part.length;
    }
    return result;
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType);
  }

  #varint(value: number | bigint): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 127n) {
      this.#pending.push(Number(rest & 127n) | 128);
      rest >>= 7n;
    }
    this.#pending.push(Number(rest));
  }

  #append(part: Uint8Array): void {
    this.#flush();
    this.#parts.push(part);
    this.#length += part.length;
  }

  #flush(): void {
    if (this.#pending.length === 0) return;
    const part = Uint8Array.from(this.#pending);
    this.#pending = [];
    this.#parts.push(part);
    this.#length += part.length;
  }
}
