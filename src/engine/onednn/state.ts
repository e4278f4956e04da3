/** Arenas in memory that the library works on, and bf16 copies of them for products. */
import { Arenas } from '../arenas.js';
import type { StateLayout } from '../engine.js';
import { Executable, type ExecutionContext, type Place } from './executable.js';
import { type AddressOf, allocate, type Block, elementsOf } from './memory.js';
import { denseView, type PlanBuffer } from './plan/values.js';

interface Shadow {
  readonly block: Block;
  /** Of the arena when the copy was made. */
  version: number;
}

export class OneDnnArenas extends Arenas {
  readonly #addressOf: AddressOf;
  readonly #versions = new Map<string, number>();
  readonly #shadows = new Map<string, Shadow>();

  constructor(layout: StateLayout, addressOf: AddressOf) {
    super(layout, (length) => {
      const block = allocate(length * Float32Array.BYTES_PER_ELEMENT, addressOf);
      return elementsOf(block, 0, 'f32', length) as Float32Array;
    });
    this.#addressOf = addressOf;
  }

  override write(arena: string, data: Float32Array, start?: number): void {
    super.write(arena, data, start);
    this.changed(arena);
  }

  /** Says that a program has written to an arena. */
  changed(arena: string): void {
    this.#versions.set(arena, (this.#versions.get(arena) ?? 0) + 1);
  }

  /** Where elements lie. */
  placeOf({ buffer, byteOffset, byteLength }: Float32Array): Place {
    const address = this.#addressOf(buffer as ArrayBuffer) + byteOffset;
    return { block: { buffer: buffer as ArrayBuffer, start: byteOffset, bytes: byteLength, address }, offset: 0 };
  }

  /** Arena and first element of a state: of a slot, or of a whole arena. */
  originOf(name: string): { arena: string; start: number } {
    const slot = this.layout.slots.get(name);
    return slot ? { arena: slot.arena, start: slot.offset } : { arena: name, start: 0 };
  }

  /** Where the bf16 copy of a state lies. It is as the arena was at the last `refreshShadows`. */
  shadowPlace(name: string): Place {
    const { arena, start } = this.originOf(name);
    return { block: this.#shadow(arena).block, offset: start * Uint16Array.BYTES_PER_ELEMENT };
  }

  #shadow(arena: string): Shadow {
    let shadow = this.#shadows.get(arena);
    if (!shadow) {
      const bytes = this.layout.arenas[arena] * Uint16Array.BYTES_PER_ELEMENT;
      shadow = { block: allocate(bytes, this.#addressOf), version: -1 };
      this.#shadows.set(arena, shadow);
    }
    return shadow;
  }

  /** Makes the bf16 copies of arenas anew that have changed. */
  refreshShadows(arenas: Iterable<string>, context: ExecutionContext): void {
    for (const arena of arenas) {
      const shadow = this.#shadow(arena);
      const version = this.#versions.get(arena) ?? 0;
      if (shadow.version === version) continue;
      this.#round(arena, shadow.block, context);
      shadow.version = version;
    }
  }

  #round(arena: string, block: Block, context: ExecutionContext): void {
    const length = this.layout.arenas[arena];
    const whole: PlanBuffer = { residence: { kind: 'state', name: arena }, bytes: 4 * length };
    const copy: PlanBuffer = { residence: { kind: 'shadow', name: arena }, bytes: 2 * length };
    const [src, dst] = [denseView(whole, 'f32', [length]), denseView(copy, 'bf16', [length])];
    const executable = new Executable(
      {
        steps: [{ kind: 'primitive', op: 'cast of weights', primitive: { kind: 'reorder', src, dst } }],
        inputs: [],
        outputs: [],
        updates: [],
        shadows: [],
        aliases: new Map(),
      },
      {
        ...context,
        place: ({ kind }) => (kind === 'state' ? this.placeOf(this.range(arena)) : { block, offset: 0 }),
      },
    );
    executable.bind(block);
    executable.run();
    executable.release();
  }
}
