/**
 * The dispatcher works through orders and couriers by a hash of their ids: the answer then depends neither on the order in
 * which the database returned them nor on the alphabet, which would favour the same couriers at every tie.
 */
export function byRank<Item extends { readonly id: string }>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, rank: hashOf(item.id) }))
    .sort((a, b) => a.rank - b.rank || compareText(a.item.id, b.item.id))
    .map(({ item }) => item);
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
