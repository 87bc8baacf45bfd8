import type { FindingCode, OpenPoint, PolicyFinding } from './open-point.ts';
import type { PolicyReference } from './part.ts';

export type Members = Readonly<Record<string, unknown>>;

/** Reads a policy's raw JSON, collecting what is wrong with it. What has the wrong shape is reported and read as absent. */
export interface Reader {
  readonly policy: PolicyReference;
  readonly findings: readonly PolicyFinding[];
  readonly isRejected: boolean;
  /** The API server would refuse this. */
  reject(path: string, message: string): void;
  note(code: FindingCode, path: string, message: string): void;
  /** An object's members; those that are `null` count as absent, as the API server reads them. */
  object(value: unknown, path: string, known: readonly string[]): Members;
  list(value: unknown, path: string): readonly unknown[];
  text(value: unknown, path: string): string | undefined;
  oneOf<T extends string>(value: unknown, path: string, options: readonly T[]): T | undefined;
}

export interface ReaderOptions {
  /** What it means that a field is not known: served kinds drop it (`UnknownField`), for others it is `NotModelled`. */
  readonly unknownField: 'UnknownField' | 'NotModelled';
}

export function createReader(policy: PolicyReference, { unknownField }: ReaderOptions): Reader {
  const findings: PolicyFinding[] = [];
  const note = (code: FindingCode, path: string, message: string): void => {
    findings.push({ code, message, part: { policy, path } });
  };
  const reject = (path: string, message: string): void => note('Rejected', path, message);
  return {
    policy,
    findings,
    get isRejected() {
      return findings.some(({ code }) => code === 'Rejected');
    },
    reject,
    note,
    object(value, path, known) {
      if (value === undefined || value === null) return {};
      if (typeof value !== 'object' || Array.isArray(value)) {
        reject(path, `${path} has to be an object with some of ${known.join(', ')}.`);
        return {};
      }
      for (const key of Object.keys(value).filter((key) => !known.includes(key))) {
        note(
          unknownField,
          `${path}.${key}`,
          unknownField === 'UnknownField'
            ? `${path} has no field ${key}: kubectl refuses it, and the API server drops it. Write one of ${known.join(', ')}.`
            : `The model does not know the field ${key} of ${path}, so what rests on it is unknown.`,
        );
      }
      return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
    },
    list(value, path) {
      if (value === undefined || value === null) return [];
      if (Array.isArray(value)) return value;
      reject(path, `${path} has to be a list: write its entries with a dash each.`);
      return [];
    },
    text(value, path) {
      if (value === undefined || typeof value === 'string') return value;
      reject(path, `${path} has to be a string: put the value in quotes.`);
      return undefined;
    },
    oneOf(value, path, options) {
      const found = options.find((option) => option === value);
      if (value !== undefined && found === undefined) reject(path, `${path} has to be one of ${options.join(', ')}.`);
      return found;
    },
  };
}

/** The open point that a field at or below a path causes because the model does not evaluate it, if there is one. */
export function openBelow(reader: Reader, path: string): OpenPoint | undefined {
  const found = reader.findings.find(
    ({ code, part }) =>
      code === 'NotModelled' &&
      (part.path === path || part.path.startsWith(`${path}.`) || part.path.startsWith(`${path}[`)),
  );
  return found === undefined
    ? undefined
    : { code: 'FieldNotModelled', truth: 'unknown', message: found.message, part: found.part };
}
