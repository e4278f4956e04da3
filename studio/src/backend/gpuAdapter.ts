/** The graphics processor that a browser lets a page use, by its name. */

interface AdapterInfo {
  readonly vendor?: string;
  readonly architecture?: string;
  readonly device?: string;
  readonly description?: string;
  readonly isFallbackAdapter?: boolean;
}

/** What is used of `navigator.gpu`. */
export interface AdapterSource {
  requestAdapter(): Promise<{ readonly info?: AdapterInfo } | null>;
}

/**
 * @param allowSoftware  whether one that computes on the CPU is taken too, as tests do: it is never the faster one
 * @returns its name, as far as the browser tells it; undefined where there is none
 */
export async function findAdapter(gpu: AdapterSource | undefined, allowSoftware = false): Promise<string | undefined> {
  const adapter = await gpu?.requestAdapter().catch(() => null);
  if (!adapter) return undefined;
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info ?? {};
  if (isFallbackAdapter && !allowSoftware) return undefined;
  return description || [vendor, architecture, device].filter(Boolean).join(' ') || 'WebGPU';
}
