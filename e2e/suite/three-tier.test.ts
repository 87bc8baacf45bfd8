import { beforeAll, describe, expect, it } from 'vitest';
import { currentCluster } from '../cluster/index.ts';
import { kubectlFor } from '../harness/kubectl.ts';
import { failedExactly, namesWith, repositoryPath, rowsOf } from '../harness/postern.ts';

const kubectl = kubectlFor(currentCluster());
const example = repositoryPath('examples/three-tier');

describe('the three-tier example', () => {
  beforeAll(async () => {
    await kubectl('delete connectivitytest boundaries -n shop --ignore-not-found').catch(() => undefined);
    await kubectl(`apply -f ${example}/01-shop.yaml -f ${example}/02-policies.yaml -f ${example}/04-outsider.yaml`);
    for (const workload of [
      '-n shop deployment/web',
      '-n shop deployment/api',
      '-n shop statefulset/db',
      '-n outsider deployment/client',
    ]) {
      await kubectl(`rollout status ${workload} --timeout=180s`);
    }
  });

  it('gets the right verdict for every expectation, and says how long that took', async () => {
    const start = performance.now();
    await kubectl(`apply -f ${example}/03-test.yaml`);
    const test = await failedExactly(kubectl, 'shop', 'boundaries', []);
    process.stderr.write(
      `verdicts on 12 expectations ${((performance.now() - start) / 1000).toFixed(1)} s after apply\n`,
    );

    expect(namesWith(test, 'Passed')).toHaveLength(12);
    expect(rowsOf(test).get('web-does-not-reach-db')).toMatchObject({ reason: 'Denied', outcome: 'TimedOut' });
    expect(rowsOf(test).get('web-reaches-api')).toMatchObject({ reason: 'Reachable', outcome: 'Connected' });
    expect(test.status?.lastRun?.probePods).toBe(3);
    await failedExactly(kubectl, 'outsider', 'kept-out', []);
  });

  it('turns the right expectations to Failed when the API policy is deleted, and back', async () => {
    await kubectl('delete networkpolicy api -n shop');

    // Without it nothing admits web at the API, nor the API to the database: default-deny isolates both ways.
    const cut = await failedExactly(kubectl, 'shop', 'boundaries', [
      'api-reaches-db',
      'api-reaches-db-pod',
      'api-resolves-and-reaches-db',
      'web-reaches-api',
      'web-reaches-each-api-pod',
      'web-resolves-and-reaches-api',
    ]);
    expect(cut.status?.lastRun?.trigger).toBe('Change');
    expect(rowsOf(cut).get('web-reaches-api')?.reason).toBe('Blocked');
    expect(namesWith(cut, 'Passed')).toHaveLength(6);

    await kubectl(`apply -f ${example}/02-policies.yaml`);
    const healed = await failedExactly(kubectl, 'shop', 'boundaries', []);
    expect(namesWith(healed, 'Passed')).toHaveLength(12);
  });

  it('gates a rollout: kubectl wait follows the verdict, and events tell of transitions', async () => {
    await kubectl('wait connectivitytest/boundaries -n shop --for=condition=Ready --timeout=30s');
    const shown = await kubectl('get connectivitytests -n shop');
    expect(shown).toMatch(/NAME\s+READY\s+RESULT\s+FAILED\s+INCONCLUSIVE\s+LAST-RUN\s+AGE/);
    expect(shown).toMatch(/boundaries\s+True\s+12\/12\s+0\s+0/);
    const events = await kubectl('get events -n shop -o custom-columns=REASON:.reason,NOTE:.message');
    expect(events).toMatch(/ExpectationViolated\s+.*web-reaches-api/);
    expect(events).toMatch(/ExpectationRestored/);
  });
});
