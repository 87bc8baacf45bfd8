/** For tests alone: an API server in the test's process, and time that stands still. */

export type { Fault, FaultScope } from './api-faults.ts';
export type { ApiRequest } from './api-request.ts';
export { ApiServer } from './api-server.ts';
export type { ServedType } from './api-storage.ts';
export { eventually, FakeClock, settle } from './fake-clock.ts';
export type { StoredObject } from './json.ts';
