import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import clusterTestSchema from '../../../src/api/clusterconnectivitytest.schema.json' with { type: 'json' };
import grantSchema from '../../../src/api/connectivitygrant.schema.json' with { type: 'json' };
import testSchema from '../../../src/api/connectivitytest.schema.json' with { type: 'json' };
import { inventoryOf, readManifests } from '../../../src/manifests/index.ts';
import { currentCluster } from '../../cluster/index.ts';
import { repositoryPath } from '../../harness/postern.ts';
import { type ApiProxy, openApiProxy } from './api-proxy.ts';
import { type Json, type Schema, spoilt } from './mutation.ts';

const apiVersion = 'postern.dev/v1alpha1';
const perKind = 1000;
/** Set it to see again what an earlier run saw. */
const seed = Number(process.env['POSTERN_SEED'] ?? Date.now() % 1_000_000);

interface Kind {
  readonly kind: string;
  readonly schema: Schema;
  readonly specifications: readonly Json[];
}

const written = specificationsIn(repositoryPath('examples'));
const kinds: readonly Kind[] = [
  { kind: 'ConnectivityTest', schema: specOf(testSchema), specifications: written('ConnectivityTest') },
  {
    kind: 'ClusterConnectivityTest',
    schema: specOf(clusterTestSchema),
    specifications: [
      {
        expectations: [
          {
            name: 'nobody-reaches-it',
            from: { pods: {}, namespaces: { matchLabels: { team: 'shop' } } },
            to: { ip: '10.1.2.3', port: 80 },
            expect: 'Deny',
          },
        ],
      },
    ],
  },
  {
    kind: 'ConnectivityGrant',
    schema: specOf(grantSchema),
    specifications: [
      {
        from: [{ namespace: 'shop' }],
        as: ['Source', 'Target'],
        to: [{ pods: { matchLabels: { app: 'web' } } }, { workload: { kind: 'Pod', name: 'one' } }],
      },
    ],
  },
];

let proxy: ApiProxy;

describe('whatever is written into a specification', () => {
  beforeAll(async () => {
    proxy = await openApiProxy(currentCluster());
  });
  afterAll(() => proxy.close());

  it.each(kinds)(
    'is taken or refused offline as by the API server: $kind',
    async ({ kind, schema, specifications }) => {
      const trials = fc
        .sample(
          fc
            .constantFrom(...specifications)
            .chain((specification) => fc.tuple(fc.constant(specification), fc.nat(3)))
            .chain(([specification, times]) => spoiltTimes(specification, schema, times)),
          { seed, numRuns: perKind },
        )
        .map((spec, index) => objectWith(kind, `trial-${index}`, spec));

      const takenByServer = await serverTakes(trials);
      const differing = trials.flatMap((trial) => {
        const complaints = complaintsAbout(trial);
        const isTaken = takenByServer.has(trial.metadata.name);
        const agrees = (complaints.length === 0) === isTaken || (isTaken && complaints.every(isStricter));
        return agrees ? [] : [{ spec: trial.spec, complaints }];
      });

      expect(differing, `seed ${seed}`).toEqual([]);
      expect(takenByServer.size, `seed ${seed}: hardly any was taken, so little was compared`).toBeGreaterThan(
        perKind / 20,
      );
      expect(trials.length - takenByServer.size, `seed ${seed}: hardly any was refused`).toBeGreaterThan(perKind / 20);
    },
  );
});

interface Trial {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: Json;
}

function objectWith(kind: string, name: string, spec: Json): Trial {
  const metadata = kind.startsWith('Cluster') ? { name } : { name, namespace: 'default' };
  return { apiVersion, kind, metadata, spec };
}

function spoiltTimes(specification: Json, schema: Schema, times: number): fc.Arbitrary<Json> {
  return times === 0
    ? fc.constant(specification)
    : spoiltTimes(specification, schema, times - 1).chain((before) => spoilt(before, schema));
}

/** The names of those that the API server would store. Throws if it answers anything but that or a refusal of what was sent. */
async function serverTakes(trials: readonly Trial[]): Promise<ReadonlySet<string>> {
  const taken = new Set<string>();
  const waiting = [...trials];
  const post = async (): Promise<void> => {
    for (let trial = waiting.pop(); trial !== undefined; trial = waiting.pop()) {
      const response = await fetch(`${proxy.url}${collectionOf(trial)}?dryRun=All&fieldValidation=Strict`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(trial),
      });
      const answer = await response.text();
      if (response.status === 201) taken.add(trial.metadata.name);
      else if (response.status !== 400 && response.status !== 422) throw new Error(`${response.status}: ${answer}`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, post));
  return taken;
}

function collectionOf({ kind, metadata: { namespace } }: Trial): string {
  const scope = namespace === undefined ? '' : `/namespaces/${namespace}`;
  return `/apis/${apiVersion}${scope}/${kind.toLowerCase()}s`;
}

function complaintsAbout(trial: Trial): readonly string[] {
  const { objects, problems } = readManifests({ file: 'trial.json', text: JSON.stringify(trial) });
  const all = [...problems, ...inventoryOf(objects, 'default').problems];
  return all.filter(({ severity }) => severity === 'error').map(({ message }) => message);
}

/** The API server drops a label that is null, which makes a selector admit more than was written: offline it is a mistake. */
function isStricter(complaint: string): boolean {
  return /matchLabels[.[].*: write a string, not nothing\.$/.test(complaint);
}

function specOf(schema: { readonly properties: { readonly spec: unknown } }): Schema {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a structural schema, of which only a part is read
  return schema.properties.spec as Schema;
}

/** The specifications in manifests below a folder, by kind. */
function specificationsIn(folder: string): (kind: string) => readonly Json[] {
  const objects = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml') && !file.startsWith('invalid/'))
    .flatMap((file) => readManifests({ file, text: readFileSync(join(folder, file), 'utf8') }).objects);
  return (kind) =>
    objects
      .filter(({ value }) => value['kind'] === kind && value['apiVersion'] === apiVersion)
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what was read from YAML is JSON
      .map(({ value }) => value['spec'] as Json);
}
