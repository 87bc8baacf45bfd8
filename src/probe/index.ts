/** What the probe program is told and what it answers: formats and outcomes, no I/O. */
export { isAddress, isNumericHost, type SpecialAddress, specialAddress } from './address.ts';
export { familyOf, type IpFamily } from './family.ts';
export { reproduceCommand } from './command.ts';
export { type Observation, type Outcome, outcomes, type Stage } from './outcome.ts';
export { checkWeight, maxWeightPerPod, type PlannedCheck, planText } from './plan-text.ts';
export { parseResult, type ProbeResult } from './result.ts';
