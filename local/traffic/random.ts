/**
 * Randomness that replays: every entity draws from a stream of its own, named by the seed and its keys, so that what one
 * courier decides does not depend on when another one was asked.
 */

/** The next number of a stream, at least 0 and below 1. */
export type Random = () => number;

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const WARM_UP_ROUNDS = 12;
const UINT32 = 2 ** 32;

/** FNV-1a over the text, from a start of its own for each of the four words of the generator's state. */
function hash(text: string, start: number): number {
  let value = (FNV_OFFSET ^ start) >>> 0;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), FNV_PRIME) >>> 0;
  }
  return value;
}

/** The stream of these keys under this seed (sfc32, 128 bits of state). Same seed and keys, same numbers. */
export function randomStream(seed: number, ...keys: readonly (string | number)[]): Random {
  const name = `${seed}/${keys.join("/")}`;
  let a = hash(name, 1);
  let b = hash(name, 2);
  let c = hash(name, 3);
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / UINT32;
  };
  for (let round = 0; round < WARM_UP_ROUNDS; round++) next();
  return next;
}

/** Exponentially distributed with this mean: the time between two events of a Poisson process. */
export function exponential(random: Random, mean: number): number {
  return -mean * Math.log(1 - random());
}

/** Normally distributed around 0 with deviation 1 (Box and Muller). */
export function normal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return radius * Math.cos(2 * Math.PI * random());
}

export function uniform(random: Random, range: { readonly min: number; readonly max: number }): number {
  return range.min + (range.max - range.min) * random();
}

/** One of the choices, each as likely as the others. Undefined only when there is none. */
export function choose<Choice>(random: Random, choices: readonly Choice[]): Choice | undefined {
  return choices[Math.floor(random() * choices.length)];
}
