/** What became of one combination; `undefined`: it could not be run. */
export interface Cell {
  /** The error's code; `null`: the script answered. */
  readonly code: string | null;
  /** What the client would have got, all of it: equal for equal answers. */
  readonly answer: string;
}

/** The four combinations of script and blueprint, by what is used. */
export interface Matrix {
  readonly original: Row;
  readonly current: Row;
}

interface Row {
  readonly original: Cell | undefined;
  readonly fresh: Cell | undefined;
}

/** Which change makes the difference to the run with the original script and blueprint. */
export type Verdict = 'script' | 'blueprint' | 'either' | 'both' | 'neither' | 'gone' | 'unknown';

/**
 * Names the change that makes the difference: for a failure, that it is answered; for an answer, that it is another.
 *
 * `gone`: with nothing changed the failure does not come again, so neither can be to blame. `unknown`: a
 * combination that decides could not be run.
 */
export function verdictOf({ original, current }: Matrix, failedAtFirst: boolean): Verdict {
  const base = original.original;
  if (!base) return 'unknown';
  if (failedAtFirst && base.code === null) return 'gone';
  const differs = (cell: Cell | undefined): boolean | undefined => cell && isDifferent(base, cell);
  const [byScript, byBlueprint, byBoth] = [current.original, original.fresh, current.fresh].map(differs);
  if (byScript === undefined || byBlueprint === undefined) return 'unknown';
  if (byScript) return byBlueprint ? 'either' : 'script';
  if (byBlueprint) return 'blueprint';
  if (byBoth === undefined) return 'unknown';
  return byBoth ? 'both' : 'neither';
}

function isDifferent(base: Cell, cell: Cell): boolean {
  return base.code === null ? cell.answer !== base.answer : cell.code === null;
}

const SENTENCES: Record<Verdict, string> = {
  script: 'The script makes the difference.',
  blueprint: 'The blueprint makes the difference.',
  either: 'Either makes the difference: the current script, or a fresh blueprint.',
  both: 'Only both together make the difference: the current script with a fresh blueprint.',
  neither: 'Neither makes the difference.',
  gone: 'Neither makes the difference: with the same script and blueprint it does not fail any more.',
  unknown: 'What makes the difference cannot be told: not every combination could be run.',
};

/** The verdict for people. */
export function verdictSentence(verdict: Verdict): string {
  return SENTENCES[verdict];
}
