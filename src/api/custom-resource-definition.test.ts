import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  calibrationDefinition,
  clusterConnectivityTestDefinition,
  connectivityGrantDefinition,
  connectivityTestDefinition,
  probeAnchorDefinition,
} from './custom-resource-definition.ts';
import { reasons, verdicts } from './reasons.ts';

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string; readonly message: string }[];
}

function schemaOf(definition: unknown): Schema {
  const {
    spec,
  }: { readonly spec: { readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[] } } =
    JSON.parse(JSON.stringify(definition));
  return spec.versions[0]?.schema.openAPIV3Schema ?? {};
}

const root = schemaOf(connectivityTestDefinition());
const definitions = [
  ['connectivitytests', connectivityTestDefinition()],
  ['clusterconnectivitytests', clusterConnectivityTestDefinition()],
  ['connectivitygrants', connectivityGrantDefinition()],
  ['probeanchors', probeAnchorDefinition()],
  ['calibrations', calibrationDefinition()],
] as const;

/** Every schema below one, with its path. */
function* fieldsOf(schema: Schema, path: string): Generator<readonly [string, Schema]> {
  const members = [
    ...Object.entries(schema.properties ?? {}).map(([name, member]) => [`${path}.${name}`, member] as const),
    ...(schema.items === undefined ? [] : [[`${path}[]`, schema.items] as const]),
    ...(schema.additionalProperties === undefined ? [] : [[`${path}.*`, schema.additionalProperties] as const]),
  ];
  for (const [name, member] of members) {
    yield [name, member];
    yield* fieldsOf(member, name);
  }
}
// What `metadata` is, Kubernetes itself says.
const fields = definitions
  .flatMap(([name, definition]) => [...fieldsOf(schemaOf(definition), name)])
  .filter(([path]) => !path.endsWith('.metadata'));
const of = (wanted: (schema: Schema) => boolean) => fields.filter(([, schema]) => wanted(schema));

describe('the CustomResourceDefinition', () => {
  it.each(definitions)('of %s is the one in crds/', (name, definition) => {
    const file = new URL(`../../crds/${name}.yaml`, import.meta.url);

    expect(parse(readFileSync(file, 'utf8'))).toEqual(definition);
  });

  it('is found up to date by the check of the generator', () => {
    const generator = new URL('generate.ts', import.meta.url).pathname;

    const { status, stderr } = spawnSync(process.execPath, [generator, '--check'], { encoding: 'utf8' });

    expect([status, stderr]).toEqual([0, '']);
  });

  it.each(fields)('describes %s in whole sentences', (_, schema) => {
    expect(schema.description).toMatch(/^[A-Z0-9`p].*[.:)]$/s);
  });

  it.each(fields)('is structural at %s', (_, schema) => {
    const keys = Object.keys(schema);

    expect(schema['x-kubernetes-int-or-string'] === true || schema.type !== undefined).toBe(true);
    for (const unfit of ['anyOf', 'oneOf', 'const', 'patternProperties', '$ref']) expect(keys).not.toContain(unfit);
  });

  it.each(of(({ type, enum: values, format }) => type === 'string' && values === undefined && format === undefined))(
    'bounds the text of %s',
    (path, { maxLength }) => {
      if (path.endsWith('.apiVersion') || path.endsWith('.kind')) return;

      expect(maxLength).toBeGreaterThan(0);
    },
  );

  it.each(of(({ type }) => type === 'array'))('bounds the length of %s', (_, { maxItems }) => {
    expect(maxItems).toBeGreaterThan(0);
  });

  it.each(of((schema) => schema['x-kubernetes-validations'] !== undefined))(
    'says what to write where %s is refused',
    (_, schema) => {
      for (const { rule, message } of schema['x-kubernetes-validations'] ?? []) {
        expect(rule).not.toBe('');
        expect(message).toMatch(/\b(write|use|name|give|begin|leave|raise|may only|cannot|needs|must)\b/);
      }
    },
  );

  it('describes every reason of a verdict, and every verdict', () => {
    const row = root.properties?.['status']?.properties?.['expectations']?.items?.properties ?? {};

    for (const [reason, text] of Object.entries(reasons)) {
      expect(row['reason']?.description).toContain(`${reason}: ${text}.`);
      expect(reason.length).toBeLessThanOrEqual(row['reason']?.maxLength ?? 0);
    }
    for (const verdict of verdicts) expect(row['verdict']?.description).toContain(verdict);
  });

  it.each([
    ['connectivitytests', connectivityTestDefinition()],
    ['connectivitygrants', connectivityGrantDefinition()],
    ['probeanchors', probeAnchorDefinition()],
  ])('of %s reports no replicas, so that disruption budgets expect none on account of probe pods', (_, definition) => {
    const { spec, status } = schemaOf(definition).properties ?? {};

    expect(spec?.properties?.['probeReplicas']).toMatchObject({ default: 0, maximum: 0 });
    expect(status?.properties?.['probeReplicas']).toMatchObject({ maximum: 0 });
    expect(JSON.stringify(definition)).toContain('"specReplicasPath":".spec.probeReplicas"');
  });
});
