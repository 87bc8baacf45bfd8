import { describe, expect, it } from 'vitest';
import type { Expected, Reason } from '../api/index.ts';
import { type Mesh, planFor } from '../plan/index.ts';
import type { Observation } from '../probe/index.ts';
import { expectationOf, podOf, testOf, viewOf } from '../testing/cluster-view.ts';
import { concludeRun } from './conclude.ts';
import type { Judgement } from './judge.ts';
import { type MeshPath, meshDoubt } from './mesh.ts';

const sidecar: Mesh = { name: 'Istio', proxy: 'sidecar' };
const node: Mesh = { name: 'Istio ambient', proxy: 'node' };
const connection: Observation = {
  outcome: 'Connected',
  stage: 'connect',
  firstOutcome: 'Connected',
  attempts: 2,
  elapsedMs: 10,
};
const silence: Observation = { ...connection, outcome: 'TimedOut', firstOutcome: 'TimedOut' };

const passed = (reason: Reason): Judgement => ({ verdict: 'Passed', reason });
const failed = (reason: Reason): Judgement => ({ verdict: 'Failed', reason });
const bare = {};
const http = { http: { path: '/' } };
const udp = { udp: { payload: '00' } };

describe('a judgement where a mesh may stand in the path', () => {
  it.each<[string, Judgement, Expected, object, MeshPath, string | undefined]>([
    ['Allow, bare, no mesh', passed('Reachable'), 'Allow', bare, {}, undefined],
    ['Allow, bare, sidecar of the target', passed('Reachable'), 'Allow', bare, { target: sidecar }, 'ThroughMesh'],
    ['Allow, bare, sidecar of the source', passed('Reachable'), 'Allow', bare, { source: sidecar }, 'ThroughMesh'],
    [
      'Allow, bare, proxy on the node of the source',
      passed('Reachable'),
      'Allow',
      bare,
      { source: node },
      'ThroughMesh',
    ],
    [
      'Allow, bare, proxy on the node of the target',
      passed('Reachable'),
      'Allow',
      bare,
      { target: node },
      'ThroughMesh',
    ],
    ['Allow, bare, sidecar in the probe', passed('Reachable'), 'Allow', bare, { probe: sidecar }, 'ThroughMesh'],
    ['Allow, HTTP bytes decide', passed('Reachable'), 'Allow', http, { source: sidecar, target: sidecar }, undefined],
    ['Allow, UDP bytes decide', passed('Reachable'), 'Allow', udp, { source: sidecar, target: sidecar }, undefined],
    ['Allow, bare, blocked before any proxy', failed('Blocked'), 'Allow', bare, { target: sidecar }, undefined],
    ['Deny, bare, no mesh', failed('UnexpectedlyReachable'), 'Deny', bare, {}, undefined],
    [
      'Deny, bare, sidecar of the target',
      failed('UnexpectedlyReachable'),
      'Deny',
      bare,
      { target: sidecar },
      'ThroughMesh',
    ],
    ['Deny, bare, nothing enforced', failed('PolicyNotEnforced'), 'Deny', bare, { target: sidecar }, 'ThroughMesh'],
    ['Deny, bare, proxy on the node', failed('UnexpectedlyReachable'), 'Deny', bare, { source: node }, 'ThroughMesh'],
    [
      'Deny, bare, sidecar in the probe',
      failed('UnexpectedlyReachable'),
      'Deny',
      bare,
      { probe: sidecar },
      'ThroughMesh',
    ],
    // The probe went without the workload's sidecar, straight to a target that has none: it did reach it.
    [
      'Deny, bare, sidecar of the source',
      failed('UnexpectedlyReachable'),
      'Deny',
      bare,
      { source: sidecar },
      undefined,
    ],
    ['Deny, silence', passed('Denied'), 'Deny', bare, { target: sidecar, source: sidecar }, undefined],
    ['Deny, UDP answered', failed('UnexpectedlyReachable'), 'Deny', udp, { target: sidecar }, undefined],
    [
      'Allow, HTTP reset, both in the mesh',
      failed('Reset'),
      'Allow',
      http,
      { source: sidecar, target: sidecar },
      'MeshIdentityNotWorn',
    ],
    [
      'Allow, HTTP 403, both in the mesh',
      failed('HTTPMismatch'),
      'Allow',
      http,
      { source: sidecar, target: sidecar },
      'MeshIdentityNotWorn',
    ],
    [
      'Allow, TLS failed, both in the mesh',
      failed('TLSFailed'),
      'Allow',
      http,
      { source: sidecar, target: sidecar },
      'MeshIdentityNotWorn',
    ],
    [
      'Allow, HTTP silence, both in the mesh',
      failed('NoAnswer'),
      'Allow',
      http,
      { source: sidecar, target: sidecar },
      'MeshIdentityNotWorn',
    ],
    [
      'Allow, HTTP blocked, both in the mesh',
      failed('Blocked'),
      'Allow',
      http,
      { source: sidecar, target: sidecar },
      undefined,
    ],
    ['Allow, HTTP reset, source outside the mesh', failed('Reset'), 'Allow', http, { target: sidecar }, undefined],
    ['Allow, HTTP reset, target outside the mesh', failed('Reset'), 'Allow', http, { source: sidecar }, undefined],
    [
      'Allow, HTTP reset, the probe in the mesh by its node',
      failed('Reset'),
      'Allow',
      http,
      { source: node, target: node },
      undefined,
    ],
    [
      'undecided anyway',
      { verdict: 'Inconclusive', reason: 'NoTargetControl' },
      'Deny',
      bare,
      { target: sidecar },
      undefined,
    ],
  ])('%s', (_, judgement, expected, check, path, doubt) => {
    expect(meshDoubt(judgement, expected, check, connection, path)?.reason).toBe(doubt);
  });
});

describe('a run in a mesh', () => {
  const from = (app: string) => ({ pods: { matchLabels: { app } } });
  const to = (app: string) => ({ pods: { matchLabels: { app } }, port: 80 });
  const ambient = { 'ambient.istio.io/redirection': 'enabled' };
  const injected = { 'sidecar.istio.io/status': '{}' };

  function rowsOf(
    annotations: Readonly<Record<string, Record<string, string>>>,
    expectations: Parameters<typeof testOf>[0],
    see: (app: string | undefined, address: string | undefined) => Observation,
    probeMesh?: Mesh,
  ) {
    const pods = ['web', 'api', 'db'].map((app, index) =>
      podOf(app, {
        labels: { app },
        ip: `10.0.0.${index + 1}`,
        spec: { containers: [{ name: 'app' }] },
        ...(annotations[app] === undefined ? {} : { annotations: annotations[app] }),
      }),
    );
    const test = testOf(expectations);
    const { lines, assignments } = planFor(test, viewOf({ pods }));
    return concludeRun(test, {
      lines,
      reports: assignments.map(({ checks, identity }) => ({
        checks,
        observations: new Map(checks.map((check) => [check.id, see(identity.labels['app'], check.address)])),
        resolverAnswered: true,
        ...(probeMesh === undefined ? {} : { mesh: probeMesh }),
      })),
      disturbed: false,
      denials: { IPv4: { TCP: { ingress: 'TimedOut', egress: 'TimedOut' } } },
      isDelayed: () => false,
      isNodeHeard: () => true,
      endsOf: () => [],
      crossingOf: () => 'Unknown',
      targetStands: () => true,
    });
  }
  const allow = expectationOf({ name: 'api-db', from: from('api'), to: to('db') });
  const deny = expectationOf({ name: 'web-db', from: from('web'), to: to('db'), expect: 'Deny' });
  const onlyApi = (app: string | undefined): Observation => (app === 'api' ? connection : silence);

  it.each<[string, Record<string, Record<string, string>>, Mesh | undefined, readonly string[]]>([
    ['without one', {}, undefined, ['Passed Reachable', 'Passed Denied']],
    ['with a sidecar at the target', { db: injected }, undefined, ['Inconclusive ThroughMesh', 'Passed Denied']],
    // What its node's proxy accepted for the control is no sign of the target.
    [
      'with a proxy on the node',
      { api: ambient },
      undefined,
      ['Inconclusive ThroughMesh', 'Inconclusive NoTargetControl'],
    ],
    ['with a sidecar in the probes', {}, sidecar, ['Inconclusive ThroughMesh', 'Inconclusive NoTargetControl']],
  ])('%s', (_, annotations, probeMesh, verdicts) => {
    const rows = rowsOf(annotations, [allow, deny], onlyApi, probeMesh);
    expect(rows.map(({ verdict, reason }) => `${verdict} ${reason}`)).toEqual(verdicts);
  });

  it('says whose proxy it is, and what to write instead', () => {
    const [allowed, denied] = rowsOf({ db: injected }, [allow, deny], () => connection);

    expect(allowed?.message).toBe(
      'Pods app=api connected to pods app=db on TCP port 80, but a proxy of Istio stands in the path and accepts every connection. That shows nothing about the application. Ask it for an answer: add `http`, with `scheme: HTTPS` for TLS.',
    );
    expect(denied).toMatchObject({ verdict: 'Inconclusive', reason: 'ThroughMesh' });
    expect(denied?.message).toContain('Deny them by a network policy, or expect the refusal');
  });
});
