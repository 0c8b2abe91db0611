/** More ids than ever are ranked; with a hash of 32 bits, still exact in a number. */
const PLACES_MAX = 2 ** 20;

/**
 * The places of the ids in `ids`, ordered by a hash of the ids: whatever works through them in this order depends neither on
 * the order in which the database returned them nor on the alphabet, which would favour the same couriers at every tie.
 */
export function rankOf(ids: readonly string[]): Int32Array {
  // One number for each hash and place: sorted as numbers, many times as fast as by a comparison of ids.
  const keys = new Float64Array(ids.length);
  for (let place = 0; place < ids.length; place++)
    keys[place] = hashOf(ids[place] ?? "") * PLACES_MAX + place;
  keys.sort();
  const ranked = new Int32Array(ids.length);
  keys.forEach((key, rank) => {
    ranked[rank] = key % PLACES_MAX;
  });
  for (let first = 0; first < keys.length;) {
    const end = endOfEqualHashes(keys, first);
    if (end > first + 1) {
      ranked.subarray(first, end).sort((a, b) => compareText(ids[a] ?? "", ids[b] ?? ""));
    }
    first = end;
  }
  return ranked;
}

function endOfEqualHashes(keys: Float64Array, first: number): number {
  const hash = Math.floor((keys[first] ?? 0) / PLACES_MAX);
  let end = first + 1;
  while (end < keys.length && Math.floor((keys[end] ?? 0) / PLACES_MAX) === hash) end++;
  return end;
}

/** By UTF-16 code units: the same on every machine, unlike a locale's order. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** FNV-1a over the UTF-16 code units, mixed once more so that ids that differ in the last digit land far apart. */
function hashOf(text: string): number {
  let hash = 0x81_1c_9d_c5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01_00_01_93);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85_eb_ca_6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
