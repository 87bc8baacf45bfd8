import type { Calibration } from '../../src/api/index.ts';
import type { Kubectl } from './kubectl.ts';
import { waitFor } from './wait.ts';

export function readCalibration(kubectl: Kubectl): Promise<Calibration> {
  return kubectl.json<Calibration>('get calibration cluster');
}

/** Waits for the first run of the calibration that is not `after`, and gives the object as that run left it. */
export async function nextCalibration(kubectl: Kubectl, after?: string): Promise<Calibration> {
  return waitFor(
    async () => {
      const calibration = await readCalibration(kubectl);
      const { lastRun } = calibration.status ?? {};
      return lastRun !== undefined && lastRun.id !== after && calibration;
    },
    { what: 'a run of the calibration', timeoutMs: 120_000 },
  );
}

/** Asks for a run now and gives the object as it left it. */
export async function calibrateNow(kubectl: Kubectl): Promise<Calibration> {
  const before = await readCalibration(kubectl);
  await kubectl(`annotate calibration cluster --overwrite postern.dev/run-requested-at=${Date.now()}`);
  return nextCalibration(kubectl, before.status?.lastRun?.id);
}

/** `status reason` of a condition. */
export function conditionOf({ status }: Calibration, wanted: string): string {
  const condition = status?.conditions?.find(({ type }) => type === wanted);
  return `${condition?.status} ${condition?.reason}`;
}
