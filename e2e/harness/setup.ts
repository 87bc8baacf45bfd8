import { currentCluster } from '../cluster/index.ts';
import { installPostern } from './postern.ts';

/** Installs the chart once for all suites, as a user would: under exactly the roles that it ships. */
export async function setup(): Promise<void> {
  await installPostern(currentCluster());
}
