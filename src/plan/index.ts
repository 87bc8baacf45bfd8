/** From a test's spec and the observed cluster to identities, targets and checks; pure. */
export { fingerprintOf } from './fingerprint.ts';
export { describeSource, type Finding, type Identity, noteOnHostNetwork } from './identity.ts';
export { type Assignment, type Check, type Line, namespacesOf, type Plan, planFor } from './plan.ts';
export { type Backend, backendsOf } from './backend.ts';
export {
  type ApplicationProtocol,
  applicationProtocolOf,
  describePort,
  describeTarget,
  portOf,
  protocolOf,
  serviceNamedBy,
  type Target,
} from './target.ts';
export { type ClusterView, isProbePod, isReady, probeLabel } from './view.ts';
