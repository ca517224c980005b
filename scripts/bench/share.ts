import { Command } from 'commander';
import { startThrowAwayServices } from '../services/throw-away.ts';
import { runConstantRate } from './constant-rate.ts';
import { startSystem, store } from './system.ts';
import { runWrk } from './wrk.ts';

/** What a steady tenant notices of others' floods: its latency alone, and beside each of them. */
const VICTIM = 'victim.example';
const ATTACKS = [
  {
    name: '24 clients, script without an end',
    host: 'endless.example',
    script: 'for(;;){}',
    connections: 24,
  },
  { name: '64 clients, hello', host: 'hello.example', script: "setBody('hello')", connections: 64 },
  { name: '256 clients, hello', host: 'hello.example', script: "setBody('hello')", connections: 256 },
  {
    name: '256 clients, scripts of 20 ms',
    host: 'work.example',
    script: 'const end = Date.now() + 20; while (Date.now() < end);',
    connections: 256,
  },
] as const;

const options = new Command('npm run bench:share --')
  .option('--rate <n>', "the victim's requests a second", '20')
  .option('--seconds <n>', 'length of each measurement', '10')
  .option('--nice <n>', 'LONG_RUN_NICE: how far long scripts give way', '10')
  .parse()
  .opts<{ rate: string; seconds: string; nice: string }>();
const [rate, seconds] = [Number(options.rate), Number(options.seconds)];

await using stack = new AsyncDisposableStack();
const services = stack.use(await startThrowAwayServices());
const scripts = new Map<string, string>([[VICTIM, "setBody('hello')"]]);
for (const { host, script } of ATTACKS) scripts.set(host, script);
await store(services.env, { scripts });
const change = { LONG_RUN_NICE: options.nice };
const { port } = stack.use(await startSystem(services.env, { name: 'share', change }));
const victim = () => runConstantRate({ port, host: VICTIM, rate, seconds });

await runWrk({ port, hosts: [VICTIM], connections: 4, seconds: 2 });
console.log('beside | victim p50 | p99 | its failures\n  (the others: answers, refused or failed ones)');
await report('nobody');
for (const { name, host, connections } of ATTACKS) {
  const attack = runWrk({ port, hosts: [host], connections, seconds: seconds + 1 });
  const { requests, errors } = await report(name, attack);
  console.log(`  (${name}: ${requests}, ${errors})`);
}
await report('nobody, after it all');

async function report<T>(name: string, attack?: Promise<T>): Promise<T> {
  const { p50, p99, errors } = await victim();
  console.log(`${name} | ${p50.toFixed(1)} ms | ${p99.toFixed(1)} ms | ${errors}`);
  return attack as Promise<T>;
}
