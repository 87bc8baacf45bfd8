/** The network plugins that clusters can have: they differ in how they deny, if they do. */
import { cilium, ciliumDual, ciliumRejecting } from './cilium.ts';
import type { Cni, CniName } from './cni.ts';
import { ptp, ptpHalf, ptpRefusing } from './ptp.ts';

export { type Cni, type CniName, cniNames } from './cni.ts';

export function cniOf(name: CniName): Cni {
  return {
    cilium,
    'cilium-rejecting': ciliumRejecting,
    'cilium-dual': ciliumDual,
    ptp,
    'ptp-refusing': ptpRefusing,
    'ptp-half': ptpHalf,
  }[name];
}
