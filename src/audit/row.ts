import { textOf } from '../address/index.ts';
import type { Admission, Peer } from './admission.ts';
import { inboundSentence, outboundSentence } from './sentence.ts';
import type { Statement } from './statement.ts';
import type { Unit } from './unit.ts';

/** A statement as plain data, each part with its sentence. */
export function statementRows({ inbound, outbound }: Statement) {
  return {
    inbound: inbound.map((each) => ({
      namespace: each.namespace,
      workloads: each.destinations.map(workloadOf),
      admitted: each.admitted.map(admissionOf),
      sentence: inboundSentence(each),
    })),
    outbound: outbound.map((each) => ({
      namespace: each.namespace,
      workloads: each.sources.map(workloadOf),
      admitted: each.admitted.map(admissionOf),
      sentence: outboundSentence(each),
    })),
  };
}

function workloadOf({ kind, namespace, name, isWhole, isAssumed, pods }: Unit) {
  return {
    kind,
    namespace,
    name,
    ...(isWhole ? {} : { pods: pods.map(({ metadata }) => metadata.name) }),
    ...(isAssumed ? { assumed: true as const } : {}),
  };
}

function admissionOf({ peers, place, ports, answer, because }: Admission) {
  return {
    peers: peers.map(peerOf),
    place,
    ports: ports.map(({ protocol, first, last }) => ({ protocol, first, last })),
    answer,
    because,
  };
}

function peerOf(peer: Peer) {
  switch (peer.kind) {
    case 'Cluster':
    case 'Self':
    case 'Namespace':
      return peer;
    case 'Unit':
      return { kind: 'Workload' as const, workload: workloadOf(peer.unit) };
    case 'Outside':
      return {
        kind: peer.kind,
        addresses: peer.addresses.map(({ family, first, last }) => ({
          first: textOf({ family, value: first }),
          last: textOf({ family, value: last }),
        })),
      };
  }
}
