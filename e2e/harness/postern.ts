import { fileURLToPath } from 'node:url';
import type { ConnectivityTest, ExpectationStatus } from '../../src/api/index.ts';
import { run } from '../cluster/command.ts';
import { type Cluster, ensureProjectImages } from '../cluster/index.ts';
import type { Kubectl } from './kubectl.ts';
import { waitFor } from './wait.ts';

/** The namespace that the operator is installed into. */
export const posternNamespace = 'postern';

/** A file or folder of the repository. */
export function repositoryPath(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

/** Installs or upgrades the chart with the images built from this checkout, and waits until the operator is ready. */
export async function installPostern(cluster: Cluster, values: readonly string[] = []): Promise<void> {
  const images = await ensureProjectImages(cluster);
  const settings = [...imageValues('image', images.operator), ...imageValues('probe.image', images.probe), ...values];
  await run(cluster.tools.helm, [
    'upgrade',
    '--install',
    'postern',
    repositoryPath('deploy/postern'),
    '--kubeconfig',
    cluster.kubeconfig,
    '--namespace',
    posternNamespace,
    '--create-namespace',
    // What a suite that was interrupted changed on purpose, such as the operator's rights, is put right again.
    '--force-conflicts',
    '--wait',
    '--timeout',
    '180s',
    ...settings.flatMap((setting) => ['--set', setting]),
  ]);
}

/** `registry/repository:tag` as the chart's values. */
function imageValues(prefix: string, image: string): readonly string[] {
  const match = /^([^/]+)\/(.+):([^:/]+)$/.exec(image);
  if (match === null) throw new Error(`cannot split the image name ${image}`);
  const [, registry, repository, tag] = match;
  return [`${prefix}.registry=${registry}`, `${prefix}.repository=${repository}`, `${prefix}.tag=${tag}`];
}

export function readTest(kubectl: Kubectl, namespace: string, name: string): Promise<ConnectivityTest> {
  return kubectl.json<ConnectivityTest>(`get connectivitytest ${name} -n ${namespace}`);
}

/** The rows of a test's status by name. */
export function rowsOf(test: ConnectivityTest): ReadonlyMap<string, ExpectationStatus> {
  return new Map((test.status?.expectations ?? []).map((row) => [row.name, row]));
}

/** Names of the expectations with this verdict, sorted. */
export function namesWith(test: ConnectivityTest, verdict: ExpectationStatus['verdict']): readonly string[] {
  return (test.status?.expectations ?? [])
    .filter((row) => row.verdict === verdict)
    .map(({ name }) => name)
    .toSorted();
}

/**
 * Waits for the first run that is not `after` and has nothing to probe again, and gives the test as that run left it: a world that
 * was built a moment ago is a change to the operator.
 */
export async function nextRun(
  kubectl: Kubectl,
  namespace: string,
  name: string,
  { after, timeoutMs = 90_000 }: { readonly after?: string | undefined; readonly timeoutMs?: number } = {},
): Promise<ConnectivityTest> {
  return waitFor(
    async () => {
      const test = await readTest(kubectl, namespace, name);
      const isRepeated = test.status?.expectations?.some(({ reason }) => reason === 'EnforcementDelayed') === true;
      return test.status?.lastRun !== undefined && test.status.lastRun.id !== after && !isRepeated && test;
    },
    { what: `a run of ${namespace}/${name}`, timeoutMs },
  );
}

/** Waits until exactly these expectations of a test have failed, and no other is left unproven. */
export async function failedExactly(
  kubectl: Kubectl,
  namespace: string,
  name: string,
  failed: readonly string[],
  onLook: (test: ConnectivityTest, elapsedMs: number) => void = () => {},
): Promise<ConnectivityTest> {
  let last: ConnectivityTest | undefined;
  const wanted = failed.toSorted().join();
  return waitFor(
    async () => {
      last = await readTest(kubectl, namespace, name);
      const isSettled =
        last.status?.observedGeneration === last.metadata.generation && last.status.lastRun !== undefined;
      return (
        isSettled && namesWith(last, 'Failed').join() === wanted && namesWith(last, 'Inconclusive').length === 0 && last
      );
    },
    {
      what: `${namespace}/${name} to fail in exactly [${wanted}]`,
      timeoutMs: 120_000,
      onLook: (elapsedMs) => last !== undefined && onLook(last, elapsedMs),
    },
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}; it is ${JSON.stringify(last?.status?.expectations, undefined, 1)}`, {
      cause: error,
    });
  });
}
