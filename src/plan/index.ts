/** From a test's spec and the observed cluster to identities, targets and checks; pure. */
export { fingerprintOf } from './fingerprint.ts';
export { type End, endOf, endsBehind, isInUse } from './cluster-address.ts';
export { isOfAdministrators, type Scope } from './consent.ts';
export { type Finding, isRefusal } from './finding.ts';
export { describeSource, type Identity, noteOnHostNetwork, wornLabels } from './identity.ts';
export { podAddresses } from './ip-family.ts';
export { type Mesh, meshAnnotations, meshOf } from './mesh.ts';
export { isOutsideIdentity, leadsInside } from './outside.ts';
export { ownIdentity, type OwnPlace } from './own-place.ts';
export { type Assignment, type Check, isRevoked, type Line, type Plan, planFor } from './plan.ts';
export { serviceNamedBy } from './reference.ts';
export { mayRefer } from './references.ts';
export { type Backend, backendsOf } from './backend.ts';
export {
  type ApplicationProtocol,
  applicationProtocolOf,
  describeDialled,
  describePort,
  describeTarget,
  portOf,
  protocolOf,
  type Target,
} from './target.ts';
export { type ClusterView, isLive, isProbePod, isReady, probeLabel } from './view.ts';
