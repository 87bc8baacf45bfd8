/** The Kubernetes API: requests, watched stores and events, as raw JSON. The only room that imports client-node and undici. */

export type { KubeClient, KubeClientOptions } from './client.ts';
export type { InCluster } from './credentials.ts';
export { isKubeError, KubeError, type KubeErrorCode } from './errors.ts';
export { createEventRecorder, type EventRecord, type EventRecorder } from './events.ts';
export { createKubeClient } from './http-client.ts';
export type { Log } from './log.ts';
export {
  Reflector,
  type Availability,
  type ReconnectCause,
  type ReflectorCounters,
  type ReflectorOptions,
} from './reflector.ts';
export { apiVersionOf, type ResourceType } from './resource.ts';
export type { Change, Store } from './store.ts';
export type { RequestObservation, RequestObserver } from './transport.ts';
export type { WatchEvent } from './watch-stream.ts';
