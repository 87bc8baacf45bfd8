import type { Expectation } from '../api/index.ts';
import { type PlannedCheck, specialAddress } from '../probe/index.ts';
import { ownIdentity, type OwnPlace } from './own-place.ts';
import type { Identity } from './identity.ts';
import type { Target } from './target.ts';
import type { ClusterView } from './view.ts';

const outsideControlKey = 'postern/outside-control';

/** Most targets outside the cluster that one run has Postern itself dial: a proof for tests, not a scanner for tenants. */
export const maxOutsideControls = 16;

/** Who proves from Postern's own namespace that a target outside the cluster answers. A policy of the chart lets it out. */
export function outsideIdentity(place: OwnPlace): Identity {
  return ownIdentity(outsideControlKey, { 'postern.dev/control': 'outside' }, place);
}

export function isOutsideIdentity({ key }: Identity): boolean {
  return key === outsideControlKey;
}

/**
 * Whether Postern itself may show that a target that must be denied answers: only where the expectation names no other proof, and
 * only what lies outside the cluster. Inside, an answer to Postern would tell a tenant what policies keep from it.
 * Names that lead inside show that when they are resolved, and what was seen then is no control (`leadsInside`).
 */
export function mayBeShownFromOutside(
  { control }: Expectation,
  { address, host, podUids }: Target,
  view: ClusterView,
): boolean {
  if (control?.from !== undefined) return false;
  const isAsked = control?.mode === 'FromPostern';
  if (!isAsked && control?.mode !== undefined && control.mode !== 'Observed') return false;
  if (podUids.length > 0) return false;
  if (host !== undefined) return !/(^[^.]+|\.svc(\.cluster\.local)?|\.cluster\.local)\.?$/i.test(host);
  if (address === undefined || view.hasAddress(address)) return false;
  // A metadata service answers every pod alike; that Postern asks it too is for the test to say.
  return isAsked || specialAddress(address) === undefined;
}

/** Whether what a check resolved to is in the cluster after all. */
export function leadsInside(address: string | undefined, view: ClusterView): boolean {
  return address !== undefined && view.hasAddress(address);
}

/** Whom a check asks what, as a key that is equal for checks of which one that connects would be a control of the other. */
export function doorKey({ address, host, port }: Target, { udp, dns }: Pick<PlannedCheck, 'udp' | 'dns'>): string {
  return JSON.stringify([address ?? host, port, udp, dns]);
}
