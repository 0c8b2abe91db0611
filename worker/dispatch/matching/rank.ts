/**
 * The places of the ids in `ids`, ordered by a hash of the ids: whatever works through them in this order depends neither on
 * the order in which the database returned them nor on the alphabet, which would favour the same couriers at every tie.
 */
export function rankOf(ids: readonly string[]): Int32Array {
  const hashes = Uint32Array.from(ids, hashOf);
  return Int32Array.from(ids.keys()).sort(
    (a, b) => (hashes[a] ?? 0) - (hashes[b] ?? 0) || compareText(ids[a] ?? "", ids[b] ?? ""),
  );
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
