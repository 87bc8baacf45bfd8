import { describe, expect, it } from 'vitest';
import { podOf, policyOf, workloadOf } from '../testing/cluster-view.ts';
import { slimNode, slimPod, slimPolicy, slimWorkload } from './slim.ts';

describe('slimPod', () => {
  it('keeps what plans and reports read, and drops the rest', () => {
    const fat = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'web',
        namespace: 'shop',
        uid: 'u',
        resourceVersion: '7',
        labels: { app: 'web' },
        annotations: { big: 'x', 'sidecar.istio.io/status': '{}' },
        creationTimestamp: 'c',
        deletionTimestamp: 'd',
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', uid: 'r', controller: true }],
        managedFields: [{}],
      },
      spec: {
        containers: [
          {
            name: 'app',
            image: 'x',
            env: [{ name: 'PASSWORD', value: 'secret' }],
            ports: [{ name: 'http', containerPort: 8080 }],
            readinessProbe: { httpGet: { port: 'http' } },
          },
          { name: 'bare' },
        ],
        initContainers: [{ name: 'init' }, { name: 'istio-proxy', restartPolicy: 'Always', image: 'x' }],
        volumes: [{ name: 'v' }],
        hostNetwork: true,
        nodeName: 'node-1',
        serviceAccountName: 'web',
        nodeSelector: { disk: 'ssd' },
        tolerations: [{ key: 'x' }],
        dnsPolicy: 'Default',
        dnsConfig: { searches: ['a'] },
        hostAliases: [{ ip: '10.9.9.9', hostnames: ['a'] }],
        imagePullSecrets: [{ name: 's' }],
        affinity: {},
      },
      status: {
        phase: 'Failed',
        reason: 'Evicted',
        message: 'm',
        podIP: '10.0.0.1',
        podIPs: [{ ip: '10.0.0.1' }],
        hostIP: '192.0.2.1',
        conditions: [
          { type: 'Ready', status: 'True' },
          { type: 'PodScheduled', status: 'True' },
          { type: 'Initialized', status: 'True' },
        ],
        containerStatuses: [
          { name: 'probe', imageID: 'x', state: { terminated: { exitCode: 0, message: 'm' } } },
          { name: 'bare', ready: false },
        ],
      },
    };

    expect(slimPod(fat)).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'web',
        namespace: 'shop',
        uid: 'u',
        resourceVersion: '7',
        labels: { app: 'web' },
        annotations: { 'sidecar.istio.io/status': '{}' },
        creationTimestamp: 'c',
        deletionTimestamp: 'd',
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', uid: 'r', controller: true }],
      },
      spec: {
        containers: [
          {
            name: 'app',
            ports: [{ name: 'http', containerPort: 8080 }],
            readinessProbe: { httpGet: { port: 'http' } },
          },
          { name: 'bare' },
        ],
        initContainers: [{ name: 'istio-proxy', restartPolicy: 'Always' }],
        hostNetwork: true,
        nodeName: 'node-1',
        serviceAccountName: 'web',
        nodeSelector: { disk: 'ssd' },
        tolerations: [{ key: 'x' }],
        dnsPolicy: 'Default',
        dnsConfig: { searches: ['a'] },
        hostAliases: [{ ip: '10.9.9.9', hostnames: ['a'] }],
        imagePullSecrets: [{ name: 's' }],
      },
      status: {
        phase: 'Failed',
        reason: 'Evicted',
        message: 'm',
        podIP: '10.0.0.1',
        podIPs: [{ ip: '10.0.0.1' }],
        conditions: [
          { type: 'Ready', status: 'True' },
          { type: 'PodScheduled', status: 'True' },
        ],
        containerStatuses: [
          { name: 'probe', state: { terminated: { exitCode: 0, message: 'm' } } },
          { name: 'bare', ready: false },
        ],
      },
    });
  });

  it('takes a pod that the API server has only just stored', () => {
    const { status: _, ...pod } = podOf('web');

    expect(slimPod(pod).status).toEqual({ conditions: [], containerStatuses: [] });
  });
});

describe('slimNode', () => {
  it('keeps what tells nodes and their kernels apart and which pods they take, and drops the rest', () => {
    const fat = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'worker', uid: 'u', annotations: { big: 'x' } },
      spec: {
        podCIDR: '10.0.0.0/24',
        unschedulable: true,
        taints: [{ key: 'pool', effect: 'NoSchedule', timeAdded: 'now' }],
      },
      status: {
        images: [{ names: ['x'] }],
        conditions: [
          { type: 'Ready', status: 'True', lastHeartbeatTime: 'now' },
          { type: 'DiskPressure', status: 'False' },
        ],
        nodeInfo: { kernelVersion: '6.1', osImage: 'Debian', bootID: 'b' },
        addresses: [{ type: 'InternalIP', address: '172.18.0.2' }],
      },
    };

    expect(slimNode(fat)).toEqual({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'worker', uid: 'u' },
      spec: { unschedulable: true, taints: [{ key: 'pool', effect: 'NoSchedule' }] },
      status: {
        nodeInfo: { kernelVersion: '6.1', osImage: 'Debian' },
        conditions: [{ type: 'Ready', status: 'True' }],
        addresses: [{ type: 'InternalIP', address: '172.18.0.2' }],
      },
    });
  });
});

describe('slimPolicy', () => {
  it('keeps what a policy says, whatever else is written down about it', () => {
    const policy = policyOf('lock', { matchLabels: { app: 'db' } });
    const fat = {
      ...policy,
      metadata: { ...policy.metadata, annotations: { 'kubectl.kubernetes.io/last-applied-configuration': 'x' } },
      status: { conditions: [{ type: 'Valid', status: 'True' }] },
    };

    expect(slimPolicy(fat)).toEqual(policy);
    expect(slimPolicy({ ...policy, specs: [{}] })).toEqual({ ...policy, specs: [{}] });
  });
});

describe('slimWorkload', () => {
  it('keeps the selector and the identity of the template', () => {
    const workload = workloadOf('Deployment', 'web', { serviceAccountName: 'web' });
    const fat = { ...workload, status: { replicas: 3 }, spec: { ...workload.spec, replicas: 3 } };

    expect(slimWorkload(fat)).toEqual(workload);
  });

  it('takes a template without labels', () => {
    const workload = workloadOf('Deployment', 'web');
    const bare = { ...workload, spec: { ...workload.spec, template: { spec: { containers: [] } } } };

    expect(slimWorkload(bare).spec.template).toEqual({ metadata: {}, spec: { containers: [] } });
  });
});
