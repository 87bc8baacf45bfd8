/** The demonstration: a prediction, a real cluster, the three-tier example, a hole that is caught, and a cut that is caught. */
import { dirname } from 'node:path';
import { problemSentences, verdictTable } from '../../src/report/index.ts';
import { ensureCluster } from '../cluster/index.ts';
import { kubectlFor } from '../harness/kubectl.ts';
import { installPostern, repositoryPath } from '../harness/postern.ts';
import { showPrediction } from './prediction.ts';
import { createStage, type Expected } from './stage.ts';

const example = repositoryPath('examples/three-tier');
const nothingFails: Expected = { 'shop/boundaries': [], 'outsider/kept-out': [] };

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function main(): Promise<void> {
  say('Postern: does my network policy really do what I declared?\n');
  showPrediction(say);

  say('\n== A real cluster: kind, Kubernetes, Cilium (the first time takes a while; later runs find it)');
  const cluster = await ensureCluster();
  const kubectl = kubectlFor(cluster);
  const stage = createStage(kubectl, say);

  say('\n== Installing Postern by its chart');
  await installPostern(cluster);

  say('== Deploying examples/three-tier: web -> api -> db in namespace shop, a client in namespace outsider');
  await kubectl(`apply -f ${example}/01-shop.yaml -f ${example}/02-policies.yaml`);
  await kubectl(`apply -f ${example}/04-outsider.yaml`);
  for (const workload of [
    '-n shop deployment/web',
    '-n shop deployment/api',
    '-n shop statefulset/db',
    '-n outsider deployment/client',
  ]) {
    await kubectl(`rollout status ${workload} --timeout=180s`);
  }

  say('== Declaring what must be reachable and what must not: kubectl apply -f examples/three-tier/03-test.yaml');
  await kubectl(`apply -f ${example}/03-test.yaml`);
  await stage.expect('the policies do what they are meant to do', nothingFails, verdictTable);

  say(
    '\n== Opening a hole, while the API keeps a policy of its own: kubectl delete networkpolicy default-deny db -n shop',
  );
  await kubectl('delete networkpolicy default-deny db -n shop');
  await stage.expect(
    'the change itself was noticed, and the client in the other namespace gets in',
    { 'shop/boundaries': [], 'outsider/kept-out': ['client-does-not-reach-db', 'client-does-not-reach-web'] },
    (tests) => problemSentences(tests).join('\n'),
  );

  say('\n== Healing it: kubectl apply -f examples/three-tier/02-policies.yaml');
  await kubectl(`apply -f ${example}/02-policies.yaml`);
  await stage.expect('closed again', nothingFails);

  say('\n== Cutting what must work: kubectl delete networkpolicy web -n shop');
  await kubectl('delete networkpolicy web -n shop');
  await stage.expect(
    'web lost its way to the API, and nothing else changed',
    {
      'shop/boundaries': ['web-reaches-api', 'web-reaches-each-api-pod', 'web-resolves-and-reaches-api'],
      'outsider/kept-out': [],
    },
    (tests) => problemSentences(tests).join('\n'),
  );

  say('\n== Healing that too');
  await kubectl(`apply -f ${example}/02-policies.yaml`);
  await stage.expect('everything is as declared', nothingFails);

  say(`
Every step was as expected. The cluster stays up; look around:

  export KUBECONFIG=${cluster.kubeconfig}
  export PATH=${dirname(cluster.tools.kubectl)}:$PATH
  kubectl get connectivitytests -A -o wide
  kubectl describe connectivitytest boundaries -n shop
  kubectl explain connectivitytest.spec.expectations
  kubectl get events -n shop --field-selector reason=ExpectationViolated
  kubectl get --raw /api/v1/namespaces/postern/services/postern-metrics:metrics/proxy/metrics | grep ^postern_

Break a policy of your own and watch: kubectl get connectivitytests -A -w
Write a test for your own workloads: start from examples/three-tier/03-test.yaml
Remove the cluster: npm run cluster:down`);
}

await main();
