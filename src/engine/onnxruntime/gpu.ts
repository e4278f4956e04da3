/** What is used of WebGPU, in types of our own: the declarations of browsers' libraries do not have it yet. */

export interface GpuBuffer {
  readonly size: number;
  mapAsync(mode: number): Promise<void>;
  getMappedRange(offset?: number, size?: number): ArrayBuffer;
  unmap(): void;
  destroy(): void;
}

export interface GpuEncoder {
  copyBufferToBuffer(from: GpuBuffer, fromOffset: number, to: GpuBuffer, toOffset: number, size: number): void;
  finish(): unknown;
}

export interface GpuDevice {
  readonly queue: {
    submit(commands: readonly unknown[]): void;
    writeBuffer(to: GpuBuffer, offset: number, data: Float32Array): void;
  };
  createBuffer(options: { readonly size: number; readonly usage: number }): GpuBuffer;
  createCommandEncoder(): GpuEncoder;
  destroy(): void;
}

export interface GpuAdapter {
  readonly limits: Readonly<Record<string, number>>;
  readonly features: { has(name: string): boolean };
  requestDevice(options: {
    readonly requiredLimits: Readonly<Record<string, number>>;
    readonly requiredFeatures: readonly string[];
  }): Promise<GpuDevice>;
}

export interface Gpu {
  requestAdapter(): Promise<GpuAdapter | null>;
}

/** GPUBufferUsage and GPUMapMode, as the specification numbers them. */
export const USAGE = { mapRead: 1, copyFrom: 4, copyTo: 8, storage: 128 } as const;
export const MAP_READ = 1;

/** The runtime asks for buffers whose size is a multiple of so many bytes. */
const GRAIN = 16;
export const roundedBytes = (bytes: number) => Math.max(GRAIN, Math.ceil(bytes / GRAIN) * GRAIN);
