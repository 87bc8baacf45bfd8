import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { inventoryOf } from './inventory.ts';
import { readManifests } from './read.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

const read = (text: string): ReturnType<typeof readManifests> => readManifests({ file: 'a.yaml', text });

const policy = `# A comment
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web
spec:
  podSelector: { matchLabels: { app.kubernetes.io/name: web } }
  egress:
    - to:
        - podSelector: {}
        - ipBlock: { cidr: 10.0.0.0/8 }
      ports: [{ port: 80 }, { port: 443 }]
`;

describe('the origin of a field', () => {
  it.each<{ path: string; line: number; column: number }>([
    { path: '', line: 2, column: 1 },
    { path: 'metadata.name', line: 5, column: 3 },
    { path: 'spec.egress[0]', line: 9, column: 7 },
    { path: 'spec.egress[0].to[1]', line: 11, column: 11 },
    { path: 'spec.egress[0].to[1].ipBlock.cidr', line: 11, column: 22 },
    { path: 'spec.egress[0].ports[1].port', line: 12, column: 31 },
    { path: 'spec.podSelector.matchLabels[app.kubernetes.io/name]', line: 7, column: 33 },
    // What is not written down has the place of what holds it.
    { path: 'spec.policyTypes[0]', line: 6, column: 1 },
    { path: 'spec.egress[7].to', line: 8, column: 3 },
  ])('$path stands at $line:$column', ({ path, line, column }) => {
    const [object] = read(policy).objects;

    expect(object?.origin.at(path)).toEqual({ file: 'a.yaml', line, column });
  });

  it('counts from the beginning of the text in every document and every item of a List', () => {
    const { objects } = read(
      `${policy}---\napiVersion: v1\nkind: List\nitems:\n  - kind: A\n    spec: 1\n  - kind: B\n    spec: 2\n`,
    );

    expect(objects.map(({ value, origin }) => [value['kind'], origin.line, origin.at('spec').line])).toEqual([
      ['NetworkPolicy', 2, 6],
      ['A', 17, 18],
      ['B', 19, 20],
    ]);
  });

  it('names the template above a document of `helm template`', () => {
    const { objects } = read(
      '---\n# Source: shop/templates/policy.yaml\nkind: A\n---\n# Source: shop/templates/b.yaml\nkind: B\n',
    );

    expect(objects.map(({ origin }) => origin.template)).toEqual([
      'shop/templates/policy.yaml',
      'shop/templates/b.yaml',
    ]);
  });

  it('is found in JSON, and in the List that kubectl prints', () => {
    const { objects } = read(
      '{\n\t"kind": "PodList",\n\t"items": [\n\t\t{ "kind": "Pod",\n\t\t  "metadata": {} }\n\t]\n}',
    );

    expect(objects.map(({ value, origin }) => [value['kind'], origin.line, origin.at('metadata').line])).toEqual([
      ['Pod', 4, 5],
    ]);
  });
});

describe('what cannot be read', () => {
  it.each<{ scenario: string; text: string; line: number; message: RegExp }>([
    { scenario: 'a tab as indent', text: 'a:\n\tb: 1\n', line: 2, message: /blanks/ },
    { scenario: 'a key twice', text: 'kind: A\nspec: 1\nspec: 2\n', line: 3, message: /written twice/ },
    {
      scenario: 'a value that is a template',
      text: 'kind: A\nmetadata:\n  name: {{ .Values.name }}\n',
      line: 3,
      message: /render it first/,
    },
    {
      scenario: 'a line that is a template',
      text: 'kind: A\n{{- if .Values.on }}\nspec: 1\n{{- end }}\n',
      line: 2,
      message: /render it first/,
    },
    { scenario: 'a list at the top', text: '- a\n- b\n', line: 1, message: /not a Kubernetes object/ },
    { scenario: 'prose', text: 'hello\n', line: 1, message: /not a Kubernetes object/ },
    { scenario: 'an open bracket', text: 'kind: [\n', line: 2, message: /not valid YAML/ },
    { scenario: 'an alias of nothing', text: 'kind: *a\n', line: 1, message: /not valid YAML|cannot be read/ },
  ])('$scenario is a problem at its line', ({ text, line, message }) => {
    const { problems, objects } = read(text);

    expect(objects).toEqual([]);
    expect(problems[0]).toMatchObject({ severity: 'error', position: { file: 'a.yaml', line } });
    expect(problems[0]?.message).toMatch(message);
  });

  it('is said once of a template, however many documents it has', () => {
    const { problems } = read('name: {{ a }}\n---\nname: {{ b }}\n---\nkind: [\n');

    expect(problems.map(({ position }) => position.line)).toEqual([1, 6]);
  });

  it('does not hide the other documents', () => {
    const { objects, problems } = read('kind: A\n---\nkind: [\n---\nkind: B\n');

    expect(objects.map(({ value }) => value['kind'])).toEqual(['A', 'B']);
    expect(problems).toHaveLength(1);
  });

  it('leaves braces alone that stand in strings, and documents that are empty', () => {
    const { objects, problems } = read('# nothing\n---\nkind: A\ndata: { x: "{{ $labels.pod }}" }\n---\n---\n');

    expect(problems).toEqual([]);
    expect(objects).toHaveLength(1);
  });

  it('bounds what aliases can grow to', () => {
    const levels = Array.from(
      { length: 12 },
      (_, level) => `a${level + 1}: &a${level + 1} [${`*a${level},`.repeat(9)}]`,
    );

    const { problems } = read(`a0: &a0 [x]\n${levels.join('\n')}\n`);

    expect(problems[0]?.message).toMatch(/cannot be read/);
  });
});

it.each(['y', 'Yes', 'on', 'NO', 'off', 'true'])('reads %s as kubectl does, as a boolean', (word) => {
  expect(typeof read(`a: ${word}`).objects[0]?.value['a']).toBe('boolean');
  expect(typeof read(`a: "${word}"`).objects[0]?.value['a']).toBe('string');
});

describe('whatever comes in', () => {
  const header = [
    'kind: NetworkPolicy\n',
    'apiVersion: networking.k8s.io/v1\n',
    'metadata: {name: a}\n',
    'spec:\n',
    '---\n',
  ];
  const signs = [
    '{{',
    '}}',
    '&a ',
    '*a',
    '!!',
    '\t',
    '? ',
    ': ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    '|\n',
    '"',
    "'",
    '<<: *a\n',
    '#',
  ];
  const fragment = fc.constantFrom(...header, ...signs, '__proto__: 1\n');
  const garbage = fc.array(fc.oneof(fragment, fc.string({ unit: 'binary', maxLength: 8 })), { maxLength: 30 });

  it('is read or is a problem, and never an exception', () => {
    fc.assert(
      fc.property(garbage, (parts) => {
        const { objects, problems } = read(parts.join(''));
        const inventory = inventoryOf(objects, 'default');

        for (const { position } of [...problems, ...inventory.problems]) expect(position.line).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});
