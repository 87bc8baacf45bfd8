/** Loaded into an operator before everything else: the machine's clock is set anew whenever it gets SIGUSR2. */
import process from 'node:process';

const jumpMs = 1000 * Number(process.env['TRAP_CLOCK_JUMP_SECONDS'] ?? 0);
const now = Date.now.bind(Date);
let jumpedMs = 0;

process.on('SIGUSR2', () => {
  jumpedMs += jumpMs;
});
Date.now = () => now() + jumpedMs;
