import type { Pod } from '../api/index.ts';
import type { OwnPlace } from '../plan/index.ts';

/** Where Postern's own pods stand: beside the operator, on nodes that take it. `instance` is the name of the operator's pod. */
export function ownPlace(
  namespace: string,
  instance: string,
  view: { podNamed(namespace: string, name: string): Pod | undefined },
): OwnPlace {
  const operator = view.podNamed(namespace, instance)?.spec;
  return operator === undefined ? { namespace } : { namespace, operator };
}
