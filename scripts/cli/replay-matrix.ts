import type { AdminClient, BlueprintMode } from './admin-client.ts';
import { AdminError } from './admin-errors.ts';
import { openAdmin, type AdminOptions } from './admin-options.ts';
import type { InvocationRecord } from './admin-schema.ts';
import { verdictOf, verdictSentence, type Cell, type Verdict } from './matrix-verdict.ts';
import { outcomeOf } from './outcome-text.ts';
import { replayed } from './replay-outcome.ts';
import { formatTable } from './table.ts';

interface MatrixOptions extends AdminOptions {
  readonly unsafe?: boolean;
  readonly again?: boolean;
  readonly json?: true;
}

type Script = 'original' | 'current';

/** One combination: what became of it, or why it could not be run. */
interface Combination {
  readonly script: Script;
  readonly blueprint: BlueprintMode;
  readonly record?: InvocationRecord;
  readonly refused?: string;
}

const COMBINATIONS = [
  ['original', 'original'],
  ['original', 'fresh'],
  ['current', 'original'],
  ['current', 'fresh'],
] as const;

/** `lc500 replay ID --matrix`. */
export async function replayMatrix(id: string, options: MatrixOptions): Promise<void> {
  const admin = await openAdmin(options);
  const original = await admin.record(id);
  const combinations: Combination[] = [];
  // One after the other: two replays of one invocation at a time would have to be asked for.
  for (const [script, blueprint] of COMBINATIONS)
    combinations.push(await run(admin, id, { script, blueprint }, options));
  const verdict = verdictOf(matrixOf(combinations), original.code !== null);
  const text = options.json ? asJson(id, combinations, verdict) : asText(original, combinations, verdict);
  process.stdout.write(text);
  if (verdict === 'unknown') process.exitCode = 1;
}

async function run(
  admin: AdminClient,
  id: string,
  mode: { script: Script; blueprint: BlueprintMode },
  { unsafe = false, again = false }: MatrixOptions,
): Promise<Combination> {
  try {
    return { ...mode, record: await replayed(admin, id, { ...mode, unsafe, again }) };
  } catch (error) {
    // A version that is gone leaves the other combinations to be tried; every other refusal meets them all.
    if (error instanceof AdminError && error.status === 410)
      return { ...mode, refused: error.code ?? 'gone' };
    throw error;
  }
}

function matrixOf([oo, of, co, cf]: readonly Combination[]) {
  return {
    original: { original: cellOf(oo), fresh: cellOf(of) },
    current: { original: cellOf(co), fresh: cellOf(cf) },
  };
}

function cellOf(combination: Combination | undefined): Cell | undefined {
  const record = combination?.record;
  if (!record) return undefined;
  const { code, answer } = record;
  return { code, answer: JSON.stringify(answer && [answer.status, answer.headers, answer.bodySha256]) };
}

function asText(original: InvocationRecord, combinations: readonly Combination[], verdict: Verdict): string {
  const [oo, of, co, cf] = combinations.map(({ record, refused }) => (record ? outcomeOf(record) : refused));
  const table = formatTable([
    ['', 'ORIGINAL BLUEPRINT', 'FRESH BLUEPRINT'],
    ['original script', oo ?? '', of ?? ''],
    ['current script', co ?? '', cf ?? ''],
  ]);
  const was = `${original.id} was: ${outcomeOf(original)}\n\n`;
  const same = isSameScript(combinations) ? 'The current script is the one that ran at first.\n' : '';
  return `${was}${table}\n${verdictSentence(verdict)}\n${same}`;
}

function isSameScript(combinations: readonly Combination[]): boolean {
  const [before, , now] = combinations.map(({ record }) => record?.script.sha256);
  return typeof now === 'string' && before === now;
}

function asJson(id: string, combinations: readonly Combination[], verdict: Verdict): string {
  const cells = combinations.map(({ script, blueprint, record, refused }) => ({
    script,
    blueprint,
    ...(record ? { id: record.id, code: record.code, status: record.status } : { refused }),
  }));
  return `${JSON.stringify({ id, verdict, combinations: cells }, undefined, 2)}\n`;
}
