/** How this cluster denies: what a calibration dials, what follows from what it saw, and when it is due; pure. */
export { dueFor, isValid, type Occasion } from './due.ts';
export type { Failure } from './family-measurement.ts';
export type { Measurement } from './measurement.ts';
export { dialTasks, type Listeners, listenTasks, nodesDigest, patienceSeconds } from './pods.ts';
export { decideCalibration, type CalibrationAttempt, type CalibrationStep } from './step.ts';
export { denialsOf, standSeconds, statusAfterFailure, statusAfterMeasurement } from './status.ts';
