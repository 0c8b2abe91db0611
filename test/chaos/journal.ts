/**
 * What a worker's log says of its own commits. It is written by who sent the commit and got the answer, and knows nothing
 * of the tables: so the two can be held against each other.
 */
export type Journal = {
  /** Commit ids that were answered `committed`, each with the line's city and tick. */
  readonly acknowledged: ReadonlyMap<string, string>;
  /** Commit ids that were answered `fenced` or `outpaced`. */
  readonly refused: ReadonlyMap<string, string>;
  /** Commits whose outcome stayed unknown: they may be in the tables or not. */
  readonly unknown: number;
  readonly fenced: number;
};

type Line = {
  readonly msg?: string;
  readonly commitId?: string;
  readonly city?: string;
  readonly tick?: string;
};

/** Reads logs of JSON lines. A line that is cut off, as of a killed process, says nothing. Throws when an outcome has no commit id. */
export function readJournal(logs: readonly string[]): Journal {
  const acknowledged = new Map<string, string>();
  const refused = new Map<string, string>();
  let unknown = 0;
  let fenced = 0;
  for (const line of logs.flatMap((log) => log.split("\n"))) {
    const entry = parse(line);
    switch (entry.msg) {
      case "tick committed":
        acknowledged.set(...entryOf(entry));
        break;
      case "tick fenced":
        fenced += 1;
        refused.set(...entryOf(entry));
        break;
      case "tick outpaced":
        refused.set(...entryOf(entry));
        break;
      case "commit outcome stayed unknown":
        unknown += 1;
        break;
      case undefined:
      default:
    }
  }
  return { acknowledged, refused, unknown, fenced };
}

/** Sentences about what contradicts the ledger's commit ids; empty when nothing does. Pure. */
export function contradictions(
  journal: Journal,
  ledger: ReadonlySet<string>,
): { readonly lost: readonly string[]; readonly impossible: readonly string[] } {
  return {
    lost: [...journal.acknowledged]
      .filter(([commitId]) => !ledger.has(commitId))
      .map(([commitId, what]) => `${what} was answered "committed", but ${commitId} is not in the ledger`),
    impossible: [...journal.refused]
      .filter(([commitId]) => ledger.has(commitId))
      .map(([commitId, what]) => `${what} was refused, but ${commitId} is in the ledger`),
  };
}

function entryOf({ commitId, city, tick }: Line): [string, string] {
  if (commitId === undefined) throw new TypeError(`the outcome of ${city} tick ${tick} has no commit id`);
  return [commitId, `${city} tick ${tick}`];
}

function parse(line: string): Line {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return {};
  }
}
