/** Durations as settings give them: "10m". */

const MS_PER_UNIT = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

export const DURATION_EXPECTED = 'a positive number and ms, s, m or h, for instance "10m"';

/** "90s", "10m", "1.5h" or "500ms" in milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)$/.exec(text.trim());
  if (!match) return undefined;
  const ms = Number(match[1]) * MS_PER_UNIT[match[2] as keyof typeof MS_PER_UNIT];
  return ms > 0 ? ms : undefined;
}
