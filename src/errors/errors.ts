/**
 * An error that a user can act on: what failed and where, the value found, what was expected, and the next step.
 * The fields carry the same facts as data, for the command line's `--json`, the server and the page.
 */
export class PleiadError extends Error {
  /** What the error is about: a file, a setting, a tensor. */
  readonly subject?: string;
  readonly found?: unknown;
  readonly expected?: string;
  /** What to do about it, a full sentence. */
  readonly advice?: string;

  constructor(
    message: string,
    details: { subject?: string; found?: unknown; expected?: string; advice?: string; cause?: unknown } = {},
  ) {
    super(details.advice ? `${message}. ${details.advice}` : message, { cause: details.cause });
    this.name = new.target.name;
    this.subject = details.subject;
    this.found = details.found;
    this.expected = details.expected;
    this.advice = details.advice;
  }
}

/**
 * Runs `work`; what it says of its input alone is said of the file that this came from.
 * @param place  begins the message of a PleiadError that does not name it yet
 */
export function withSource<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof PleiadError && !isAbout(error.message, place)) error.message = `${place}: ${error.message}`;
    throw error;
  }
}

/** "v: …" and "v has …" are about v, "vocabulary …" is not. */
function isAbout(message: string, place: string): boolean {
  return message.startsWith(place) && !/\w/.test(message.charAt(place.length));
}

/** Settings that contradict each other or are out of range, all of them at once. */
export class SettingsError extends PleiadError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      problems.length === 1
        ? problems[0]
        : `${problems.length} settings are wrong:\n${problems.map((p) => `  - ${p}`).join('\n')}`,
    );
    this.problems = problems;
  }
}

/** A text, shard, vocabulary or other input file that cannot be used. */
export class DataError extends PleiadError {}

/** A file or folder that could not be written: `subject` is its path, `found` the system's code, such as ENOSPC. */
export class WriteError extends PleiadError {}

/** A folder that another process is working in. */
export class FolderInUseError extends PleiadError {}

/** A checkpoint or model folder that is missing, damaged or of another size. */
export class CheckpointError extends PleiadError {}
