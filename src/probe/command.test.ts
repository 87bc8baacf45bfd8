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
    "curl -v --max-time 2 --connect-to ::10.0.0.1:5432 'http://api.shop.svc:5432/'",
  ],
  [
    'HTTP to a virtual host on the default port',
    { ...plain, port: 80, host: 'api.shop.svc', http: { path: '/' } },
    "curl -v --max-time 2 --connect-to ::10.0.0.1:80 'http://api.shop.svc:80/'",
  ],
  [
    'HTTPS',
    { ...plain, port: 443, http: { scheme: 'HTTPS', path: '/' } },
    "curl -v --max-time 2 --insecure 'https://10.0.0.1:443/'",
  ],
  [
    'a datagram',
    { ...plain, port: 123, udp: { payload: '70696e67' } },
    'echo 70696e67 | xxd -r -p | nc -u -w 2 10.0.0.1 123 | xxd',
  ],
  [
    'a name at the own resolver',
    { id: 0, mode: 'guard', port: 53, dns: { name: 'example.com', type: 'A', protocol: 'UDP' } },
    'dig +search +tries=1 +time=2 example.com A',
  ],
  [
    'a name at a server over TCP',
    { ...plain, port: 53, dns: { name: 'example.com', type: 'AAAA', protocol: 'TCP' } },
    'dig +search +tries=1 +time=2 +tcp @10.0.0.1 -p 53 example.com AAAA',
  ],
])('reproduceCommand shows a check of %s as a person would type it', (_, check, command) => {
  expect(reproduceCommand(check, 2)).toBe(command);
});
