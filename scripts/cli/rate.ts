import { InvalidArgumentError } from 'commander';

const SECONDS = { s: 1, m: 60, h: 3600 } as const;
const MOST = 1000;

/** Parser of `--rate`: `5/s`, `30/m`, `100/h`, or a plain number a second. @returns a second */
export function rateOption(given: string): number {
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?)(?:\/([smh]))?$/.exec(given) ?? [];
  const rate = Number(amount) / SECONDS[unit as keyof typeof SECONDS];
  if (rate > 0 && rate <= MOST) return rate;
  throw new InvalidArgumentError(`Expected a rate above 0 and up to ${MOST}/s, such as 5/s or 30/m.`);
}
