/** The vocabulary: the ConnectivityTest resource, its verdicts and reasons, and the Kubernetes objects that Postern reads. */
export * from './connectivity-test.ts';
export * from './objects.ts';
export * from './reasons.ts';
export type * from './specification.ts';
export type * from './status.ts';
