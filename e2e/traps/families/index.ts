/** All traps. */
import type { Family } from '../trap.ts';
import { limits, quota, rights } from './admission.ts';
import { chance } from './chance.ts';
import { change } from './change.ts';
import { clock } from './clock.ts';
import { cluster } from './cluster.ts';
import { harm } from './harm.ts';
import { identity, singledOut } from './identity.ts';
import { probe } from './probe.ts';
import { refusal } from './refusal.ts';
import { rejection } from './rejection.ts';
import { replicas } from './replicas.ts';
import { source } from './source.ts';
import { target } from './target.ts';
import { unenforced } from './unenforced.ts';

export const families: readonly Family[] = [
  target,
  source,
  identity,
  singledOut,
  replicas,
  probe,
  quota,
  limits,
  rights,
  chance,
  change,
  clock,
  harm,
  cluster,
  rejection,
  refusal,
  unenforced,
];
