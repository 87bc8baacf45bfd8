/** Loaded into an operator before everything else: its clock jumps an hour ahead whenever it gets SIGUSR2. */
import process from 'node:process';

const hourMs = 3_600_000;
const now = Date.now.bind(Date);
let aheadMs = 0;

process.on('SIGUSR2', () => {
  aheadMs += hourMs;
});
Date.now = () => now() + aheadMs;
