/** What the policies would make of each expectation, if they were enforced as written; pure, and never mixed up with evidence. */
export { policyInWords, predict, type Prediction, type PredictionReason } from './predict.ts';
export { type Knowledge, type KnownCluster, plannedIn, type PredictedTest, predictTests } from './predict-tests.ts';
export { type Asked, type AskedConnection, askedOf, isOpenToAny } from './asked.ts';
export { type DecidingPart, decidingPartsOf, openPointsOf, type PartInWords, whyWords } from './reading.ts';
export { type Route, type Routes, routesOf } from './route.ts';
export { isStandIn, type PredictionWorld, resolverLabel, resolverNamespace, standInOf, worldOf } from './world.ts';
export {
  type AddressRange,
  addressRangesOf,
  type ConnectionChange,
  connectionChanges,
  type End,
  outsideEnds,
  portRangesOf,
} from './connection.ts';
export { type Need, needsOf } from './need.ts';
