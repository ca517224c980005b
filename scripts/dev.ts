import { parseArgs } from 'node:util';
import { bringUp } from './dev/system.ts';
import { endOnSignals, say } from './dev/ending.ts';

/**
 * `npm run dev`: embedded services, the sample tenants, one gateway and one runner, until Ctrl-C or until one of
 * them ends by itself. With `--autoscale` (`npm run dev -- --autoscale`) as many runners as the load needs.
 */
const ending = endOnSignals();
const system = new AsyncDisposableStack();
let exitCode = 0;
try {
  const { values } = parseArgs({ options: { autoscale: { type: 'boolean', default: false } } });
  await bringUp(system, process.env, ending, values.autoscale);
} catch (error) {
  // The end may come while things are still being started: then it is no failure of theirs.
  if (!ending.signal.aborted) {
    say((error as Error).message);
    exitCode = 1;
  }
}
if (exitCode === 0) exitCode = await ending.come();
await system.disposeAsync();
process.exit(exitCode);
