/** Whether packets cross from one node to another: what is asked for, pods that find out, and what follows; pure. */
export { CrossingLedger } from './ledger.ts';
export { dialTasks, type DialTask, farNodes, type Listeners, listenTasks } from './pods.ts';
export { type CrossingFinding, decideRound, type Round, type RoundStep } from './step.ts';
