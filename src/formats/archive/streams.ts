/** Streams of an archive's bytes: from its file, inflated, and in blocks. */
import { type ByteSource, readBytes } from '../../files/byteSource.js';
import { damaged, refused } from '../damaged.js';
import { TAR_BLOCK, type TarHeader } from './tar.js';

const READ_BYTES = 1 << 16;
/** Of a header that describes the next entry. */
const MAX_HEADER_BYTES = 1 << 16;
/** Archives are filled up with zeros to a multiple of their writer's block, 10 KiB as a rule. */
const MAX_PADDING = 1 << 26;

/** A stream in blocks of 512 bytes, and runs of them. */
export class BlockReader {
  readonly #chunks: AsyncGenerator<Uint8Array>;
  readonly #source: string;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(chunks: AsyncGenerator<Uint8Array>, source: string) {
    this.#chunks = chunks;
    this.#source = source;
  }

  /** The next block; undefined at the end. @throws CheckpointError when the stream ends inside it */
  async block(): Promise<Uint8Array | undefined> {
    while (this.#rest.length < TAR_BLOCK) {
      const { value, done } = await this.#chunks.next();
      if (done) {
        if (this.#rest.length > 0) throw damaged(this.#source, 'its tar archive ends inside a header');
        return undefined;
      }
      const joined = new Uint8Array(this.#rest.length + value.length);
      joined.set(this.#rest);
      joined.set(value, this.#rest.length);
      this.#rest = joined;
    }
    const block = this.#rest.subarray(0, TAR_BLOCK);
    this.#rest = this.#rest.subarray(TAR_BLOCK);
    return block;
  }

  /** The bytes of an entry; what fills up its last block is passed over. */
  async *data(length: number): AsyncGenerator<Uint8Array> {
    const padded = Math.ceil(length / TAR_BLOCK) * TAR_BLOCK;
    for (let at = 0; at < padded; ) {
      if (this.#rest.length === 0) {
        const { value, done } = await this.#chunks.next();
        if (done) return;
        this.#rest = value;
      }
      const taken = this.#rest.subarray(0, padded - at);
      this.#rest = this.#rest.subarray(taken.length);
      if (at < length) yield taken.subarray(0, length - at);
      at += taken.length;
    }
  }

  /** The content of a header that describes the next one. */
  async small({ bytes }: TarHeader, source: string): Promise<Uint8Array> {
    if (bytes > MAX_HEADER_BYTES) throw refused(source, `its tar archive has an extended header of ${bytes} bytes`);
    const content = new Uint8Array(bytes);
    let at = 0;
    for await (const chunk of this.data(bytes)) {
      content.set(chunk, at);
      at += chunk.length;
    }
    if (at < bytes) throw damaged(source, 'its tar archive ends inside an extended header');
    return content;
  }

  /** Reads to the end, so that a damaged end is found; what follows the end mark is only zeros. */
  async finish(): Promise<void> {
    for (let passed = 0; ; ) {
      const { value, done } = await this.#chunks.next();
      if (done) return;
      passed += value.length;
      if (passed > MAX_PADDING) throw refused(this.#source, 'its tar archive goes on long after its end mark');
    }
  }

  async close(): Promise<void> {
    await this.#chunks.return(undefined);
  }
}

export async function* chunksOf(
  source: ByteSource,
  begin: number,
  end: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let at = begin; at < end; at += READ_BYTES) yield await readBytes(source, at, Math.min(READ_BYTES, end - at));
}

/** Inflates by the platform's own decompressor, which also checks gzip's checksum; browsers have it and Node too. */
export async function* inflate(
  chunks: AsyncGenerator<Uint8Array<ArrayBuffer>>,
  format: 'gzip' | 'deflate-raw',
  source: string,
): AsyncGenerator<Uint8Array> {
  const compressed = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        try {
          const { value, done } = await chunks.next();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          controller.error(error);
        }
      },
    },
    { highWaterMark: 1 },
  );
  const reader = compressed.pipeThrough(new DecompressionStream(format)).getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read().catch((cause: unknown) => {
        throw damaged(
          source,
          `its compressed data are damaged or cut short (${(cause as Error).message})`,
          undefined,
          cause,
        );
      });
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
