import type { LabelSelector } from '../api/index.ts';
import type { Reader } from './reader.ts';

/** A label selector as the API server accepts it (apimachinery, ValidateLabelSelector); absent and null are empty. */
export function readSelector(reader: Reader, value: unknown, path: string): LabelSelector {
  const { matchLabels, matchExpressions } = reader.object(value, path, ['matchLabels', 'matchExpressions']);
  return {
    matchLabels: readLabels(reader, matchLabels, `${path}.matchLabels`),
    matchExpressions: reader
      .list(matchExpressions, `${path}.matchExpressions`)
      .map((entry, index) => readExpression(reader, entry, `${path}.matchExpressions[${index}]`)),
  };
}

function readLabels(reader: Reader, value: unknown, path: string): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    reader.reject(path, `${path} has to be an object of labels.`);
    return {};
  }
  const labels = Object.entries(value).map(([key, label]: [string, unknown]): [string, string] => {
    readKey(reader, key, `${path}[${key}]`);
    return [key, readLabelValue(reader, label, `${path}[${key}]`)];
  });
  return Object.fromEntries(labels);
}

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

function readExpression(reader: Reader, value: unknown, path: string) {
  const entry = reader.object(value, path, ['key', 'operator', 'values']);
  const key = reader.text(entry['key'], `${path}.key`) ?? '';
  readKey(reader, key, `${path}.key`);
  const operator = reader.oneOf(entry['operator'] ?? '', `${path}.operator`, operators) ?? 'In';
  const values = reader
    .list(entry['values'], `${path}.values`)
    .map((member, index) => readLabelValue(reader, member, `${path}.values[${index}]`));
  const needsValues = operator === 'In' || operator === 'NotIn';
  if (needsValues && values.length === 0) {
    reader.reject(`${path}.values`, `${operator} needs values: list at least one, or write Exists or DoesNotExist.`);
  }
  if (!needsValues && values.length > 0) {
    reader.reject(`${path}.values`, `${operator} takes no values: remove them, or write In or NotIn.`);
  }
  return { key, operator, values };
}

const namePart = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const domainPart = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

function readKey(reader: Reader, key: string, path: string): void {
  const parts = key.split('/');
  const [domain, name] = parts.length === 2 ? parts : ['', ...parts];
  const isValid =
    parts.length <= 2 &&
    namePart.test(name ?? '') &&
    (parts.length === 1 || ((domain ?? '').length <= 253 && domainPart.test(domain ?? '')));
  if (!isValid) reader.reject(path, `${JSON.stringify(key)} is no label key: write name or domain/name.`);
}

function readLabelValue(reader: Reader, value: unknown, path: string): string {
  if (typeof value !== 'string') {
    reader.reject(path, `The label value at ${path} has to be a string: put ${JSON.stringify(value)} in quotes.`);
    return '';
  }
  if (value !== '' && !namePart.test(value)) {
    reader.reject(
      path,
      `${JSON.stringify(value)} is no label value: at most 63 letters, digits, dashes, dots or underscores, with a letter or digit at both ends.`,
    );
  }
  return value;
}
