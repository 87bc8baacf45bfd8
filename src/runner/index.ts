/** A run of probe pods: start, collect, clean up. */
export { listeningAt, runningAt } from './collect.ts';
export type { ProbeOwner, ProbeSettings } from './manifest.ts';
export { type Batch, isComplete, type Probe, type Run, type Task } from './run.ts';
export { type BatchOrder, createRunner, isProbeName, type Runner } from './runner.ts';
