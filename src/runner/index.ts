/** A run of probe pods: start, collect, clean up. */
export type { ProbeSettings } from './manifest.ts';
export { isComplete, type Probe, type Run } from './run.ts';
export { createRunner, type Runner, type RunOrder } from './runner.ts';
