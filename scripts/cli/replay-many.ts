import { setTimeout as sleep } from 'node:timers/promises';
import type { AdminClient, ReplayManyOrder } from './admin-client.ts';
import { openAdmin } from './admin-options.ts';
import type { DryRun, ReplayRun } from './admin-schema.ts';
import { confirm } from './confirm.ts';
import type { HostnameOption } from './hostname-option.ts';
import { startProgress, type Progress } from './progress.ts';
import { orderOf, type ReplayOptions } from './replay-order.ts';
import { formatTable } from './table.ts';

export interface ReplayManyOptions extends ReplayOptions {
  readonly hostname?: HostnameOption;
  readonly code?: string;
  readonly since?: string;
  readonly until?: string;
  readonly rate?: number;
  readonly dryRun?: true;
  readonly yes?: true;
}

const LOOK_MS = 250;
/** As shells have it for a process that SIGINT ended. */
const EXIT_INTERRUPTED = 130;

/** `lc500 replay --failed`. */
export async function replayMany(options: ReplayManyOptions): Promise<void> {
  const admin = await openAdmin(options);
  const order = await manyOrder(options);
  const preview = await admin.dryRun(order);
  if (options.dryRun) {
    process.stdout.write(options.json ? `${JSON.stringify(preview, undefined, 2)}\n` : counted(preview));
    return;
  }
  process.stderr.write(counted(preview));
  if (preview.count === 0) return;
  if (!options.yes && !(await confirm('replay them?')))
    return void process.stderr.write('nothing was replayed\n');
  const run = await runToItsEnd(admin, order);
  process.stdout.write(options.json ? `${JSON.stringify(run, undefined, 2)}\n` : summary(run));
  if (run.state === 'stopped') process.exitCode = EXIT_INTERRUPTED;
  else if (run.failed + run.skipped > 0) process.exitCode = 1;
}

/** Until and since are settled here, so that the dry run and the replay mean the same invocations. */
async function manyOrder(options: ReplayManyOptions): Promise<ReplayManyOrder> {
  const { hostname, code, since, rate } = options;
  const until = options.until ?? new Date().toISOString();
  const filter = { tenant: hostname?.hostname, code, since, until };
  return { ...(await orderOf(options)), filter, ...(rate === undefined ? {} : { rate }) };
}

function counted({ count, skipped }: DryRun): string {
  const left = Object.entries(skipped).map(([reason, number]) => `${number} will be left out: ${reason}\n`);
  const hint = skipped['unsafe_method'] ? 'Add --unsafe if another run of them does no harm.\n' : '';
  return [
    `${count} failed ${count === 1 ? 'invocation matches' : 'invocations match'}\n`,
    ...left,
    hint,
  ].join('');
}

/** Begins, and shows how far it is until it has ended. Ctrl-C stops it in the gateway, a second one only this process. */
async function runToItsEnd(admin: AdminClient, order: ReplayManyOrder): Promise<ReplayRun> {
  using interruption = listenForInterrupt();
  let progress: Progress | undefined;
  let isStopped = false;
  const id = await admin.replayMany(order);
  try {
    for (;;) {
      if (interruption.has && !isStopped) await admin.stop(id);
      isStopped = interruption.has;
      const run = await admin.replayRun(id);
      progress ??= startProgress(run);
      progress.show(run);
      if (run.state !== 'running') return run;
      await sleep(LOOK_MS);
    }
  } finally {
    progress?.end();
  }
}

function listenForInterrupt(): Disposable & { readonly has: boolean } {
  let has = false;
  const onInterrupt = (): void => {
    if (has) process.exit(EXIT_INTERRUPTED);
    has = true;
  };
  process.on('SIGINT', onInterrupt);
  return {
    get has() {
      return has;
    },
    [Symbol.dispose]: () => void process.off('SIGINT', onInterrupt),
  };
}

function summary({ id, state, total, outcomes, done, skipped, failed }: ReplayRun): string {
  const rows = Object.entries(outcomes).toSorted(([, a], [, b]) => b - a);
  const left = total - done - skipped;
  const table = formatTable([
    ['OUTCOME', 'REPLAYS'],
    ...rows.map(([outcome, number]) => [outcome, String(number)]),
    ...(left > 0 ? [['not begun', String(left)]] : []),
    ['total', String(total)],
  ]);
  const ending = state === 'stopped' ? 'stopped; those under way end by themselves\n' : '';
  const hint = failed > 0 ? `npx lc500 invocations list --replay ${id} --state failed\n` : '';
  return `${table}${ending}${hint}`;
}
