import { describe, expect, it } from 'vitest';
import type { Expectation } from '../api/index.ts';
import { expectation as schema } from '../api/specification.ts';
import { expectationOf, namespaceOf, podOf, serviceOf, testOf, viewOf, workloadOf } from '../testing/cluster-view.ts';
import { planFor } from './plan.ts';
import type { ClusterView } from './view.ts';

/** Paths of all fields of an expectation whose name says that they name namespaces. */
function namespaceFields(value: unknown, path = ''): readonly string[] {
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, member]) => {
    if (name !== 'properties') return name === 'items' ? namespaceFields(member, `${path}[]`) : [];
    return Object.entries<unknown>(member).flatMap(([field, below]) => [
      ...(/namespace/i.test(field) ? [`${path}.${field}`] : []),
      ...namespaceFields(below, `${path}.${field}`),
    ]);
  });
}

const bank = { namespace: 'bank' };
const selected = { namespaces: { matchLabels: { team: 'bank' } } };
const port = 8080;
const pods = { pods: {} };
const denied = { to: { host: 'host.example', port }, expect: 'Deny' } as const;

/** An expectation for each field that names a namespace, here always `bank`. */
const byField: Readonly<Record<string, Partial<Expectation>>> = {
  '.from.namespace': { from: { ...pods, ...bank } },
  '.from.namespaces': { from: { ...pods, ...selected } },
  '.to.namespace': { to: { ...pods, ...bank, port } },
  '.to.namespaces': { to: { ...pods, ...selected, port } },
  '.to.service.namespace': { to: { service: { name: 'api', ...bank }, port } },
  '.control.from.namespace': { ...denied, control: { from: { ...pods, ...bank } } },
  '.control.from.namespaces': { ...denied, control: { from: { ...pods, ...selected } } },
};
/** Fields that name a namespace in their text. */
const byText: Readonly<Record<string, Partial<Expectation>>> = {
  '.to.host': { to: { host: 'api.bank.svc.cluster.local', port } },
  '.to.ip': { to: { ip: '10.9.9.9', port } },
  '.to.cidr.sample': { to: { cidr: { block: '10.9.0.0/16', sample: '10.9.9.9' }, port } },
  '.to.cidr.exceptSample': {
    to: { cidr: { block: '10.0.0.0/8', except: ['10.9.0.0/16'], sample: '10.1.1.1', exceptSample: '10.9.9.9' }, port },
  },
};

/** A view that notes whose objects were looked at. */
function watched(view: ClusterView): { readonly view: ClusterView; readonly read: Set<string> } {
  const read = new Set<string>();
  const noting = <T>(namespace: string, seen: T): T => {
    read.add(namespace);
    return seen;
  };
  return {
    read,
    view: {
      ...view,
      pods: (namespace) => noting(namespace, view.pods(namespace)),
      service: (namespace, name) => noting(namespace, view.service(namespace, name)),
      services: (namespace) => noting(namespace, view.services(namespace)),
      endpointSlices: (namespace, service) => noting(namespace, view.endpointSlices(namespace, service)),
      workload: (kind, namespace, name) => noting(namespace, view.workload(kind, namespace, name)),
      policies: (namespace) => {
        if (namespace !== undefined) read.add(namespace);
        return view.policies(namespace);
      },
    },
  };
}

const cluster = {
  pods: [podOf('web-0', { ip: '10.0.0.1' }), podOf('api-0', { namespace: 'bank', ip: '10.9.9.9' })],
  services: [serviceOf('api', {}, 'bank')],
  workloads: [workloadOf('Deployment', 'web')],
};
const refusing = [namespaceOf('shop'), namespaceOf('bank', { team: 'bank', 'postern.dev/refuse-probes': 'all' })];

describe('every field that names a namespace', () => {
  it('is known here', () => {
    expect(namespaceFields(schema).toSorted()).toEqual(Object.keys(byField).toSorted());
  });

  it.each(Object.entries({ ...byField, ...byText }))('asks that namespace first: %s', (field, parts) => {
    const { view, read } = watched(viewOf({ ...cluster, namespaces: refusing }));
    const expectation = expectationOf({ from: pods, ...parts });

    const { lines, assignments } = planFor(testOf([expectation]), view);

    expect(lines[0]?.refusals.map(({ reason }) => reason)).toEqual([expect.stringMatching(/NotGranted|ProbesRefused/)]);
    expect(assignments.every(({ identity }) => identity.namespace === 'shop')).toBe(true);
    // Whose an address is, only those tell who have it.
    if (!/^\.to\.(ip|cidr)/.test(field)) expect(read.has('bank')).toBe(false);
  });
});
