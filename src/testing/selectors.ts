import type { KubeObject } from '../api/objects.ts';
import { fieldAt } from './json.ts';

type Requirement = (labels: Readonly<Record<string, string>>) => boolean;

/** Whether an object matches the label and field selectors of a request. */
export function matchesSelectors(object: KubeObject, query: URLSearchParams): boolean {
  const labels = object.metadata.labels ?? {};
  return (
    labelRequirements(query.get('labelSelector') ?? '').every((requirement) => requirement(labels)) &&
    fieldsMatch(object, query.get('fieldSelector') ?? '')
  );
}

function labelRequirements(selector: string): Requirement[] {
  // Commas between requirements, not those inside of "in (a,b)".
  return selector
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(labelRequirement);
}

function labelRequirement(part: string): Requirement {
  const set = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(part);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    return (labels) => values.includes(labels[key] ?? '\0') === (operator === 'in');
  }
  const equality = /^([^!=\s]+)\s*(!=|==|=)\s*(\S*)$/.exec(part);
  if (equality !== null) {
    const [, key = '', operator, value = ''] = equality;
    return (labels) => (labels[key] === value) === (operator !== '!=');
  }
  return part.startsWith('!') ? (labels) => !(part.slice(1) in labels) : (labels) => part in labels;
}

function fieldsMatch(object: KubeObject, selector: string): boolean {
  return selector
    .split(',')
    .filter((part) => part !== '')
    .every((part) => {
      const [path = '', value = ''] = part.split(/==?/);
      return (fieldAt(object, path.split('.')) ?? '') === value;
    });
}
