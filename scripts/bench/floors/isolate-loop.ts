import ivm from 'isolated-vm';

/**
 * The least that a fresh isolate for every request can cost: create isolate and context, compile, run, dispose,
 * one after another, without anything around them.
 *
 * Arguments: seconds, heap limit in MiB. Prints `{"rate": runs per second}`.
 */
const [seconds, memoryLimit] = process.argv.slice(2).map(Number) as [number, number];

function runOnce(): void {
  const isolate = new ivm.Isolate({ memoryLimit });
  const context = isolate.createContextSync();
  const script = isolate.compileScriptSync("'hello'", { filename: 'index.js' });
  if (script.runSync(context, { timeout: 1000 }) !== 'hello') throw new Error('a wrong answer');
  isolate.dispose();
}

function runFor(milliseconds: number): number {
  const begun = performance.now();
  let runs = 0;
  for (; performance.now() - begun < milliseconds; runs++) runOnce();
  return (runs / (performance.now() - begun)) * 1000;
}

runFor(300);
process.stdout.write(JSON.stringify({ rate: runFor(seconds * 1000) }));
