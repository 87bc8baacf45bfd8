import { expect, it } from 'vitest';
import { type PlannedCheck, reproduceCommand } from './index.ts';

const plain: PlannedCheck = { id: 3, mode: 'guard', address: '10.0.0.1', port: 5432 };

it.each<[string, PlannedCheck, string]>([
  ['an address', plain, 'nc -zv -w 2 10.0.0.1 5432'],
  ['a name', { id: 0, mode: 'guard', host: 'db.shop.svc', port: 5432 }, 'nc -zv -w 2 db.shop.svc 5432'],
  ['HTTP', { ...plain, port: 80, http: { path: '/a?b=$c' } }, "curl -v --max-time 2 'http://10.0.0.1:80/a?b=$c'"],
  [
    'HTTP over IPv6',
    { ...plain, address: 'fd00::1', http: { path: '/' } },
    "curl -v --max-time 2 'http://[fd00::1]:5432/'",
  ],
  [
    'HTTP to a virtual host',
    { ...plain, host: 'api.shop.svc', http: { path: '/' } },
    "curl -v --max-time 2 -H 'Host: api.shop.svc:5432' 'http://10.0.0.1:5432/'",
  ],
  [
    'HTTP to a virtual host on the default port',
    { ...plain, port: 80, host: 'api.shop.svc', http: { path: '/' } },
    "curl -v --max-time 2 -H 'Host: api.shop.svc' 'http://10.0.0.1:80/'",
  ],
])('reproduceCommand shows a check of %s as a person would type it', (_, check, command) => {
  expect(reproduceCommand(check, 2)).toBe(command);
});
