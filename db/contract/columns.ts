/** The two views and the one procedure through which the product meets a company's tables, as `docs/adapt-your-schema.md` tells. */

export type ColumnKind = "text" | "id" | "number" | "time" | "list";

export type ContractColumn = {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly isNullable: boolean;
  /** What to write where a company has nothing of the kind; undefined: the dispatch needs it. */
  readonly neutral?: string;
};

const needed = (kind: ColumnKind, ...names: readonly string[]): ContractColumn[] =>
  names.map((name) => ({ name, kind, isNullable: false }));
const optional = (kind: ColumnKind, name: string, neutral = "NULL"): ContractColumn => ({
  name,
  kind,
  isNullable: neutral === "NULL",
  neutral,
});

export const CONTRACT_VIEWS: Readonly<Record<string, readonly ContractColumn[]>> = {
  open_orders: [
    ...needed("text", "city"),
    ...needed("id", "order_id", "store_id"),
    ...needed("number", "store_latitude", "store_longitude", "latitude", "longitude"),
    ...needed("time", "placed_at", "ready_at"),
    optional("list", "vehicles"),
    { name: "courier_id", kind: "id", isNullable: true },
    optional("time", "assigned_at"),
    optional("time", "accepted_at"),
    optional("number", "reassignments", "0"),
    optional("list", "declined_by"),
  ],
  available_couriers: [
    ...needed("text", "city"),
    ...needed("id", "courier_id"),
    ...needed("number", "latitude", "longitude"),
    ...needed("time", "position_at"),
    optional("text", "vehicle", "''"),
    ...needed("number", "capacity", "active_load"),
    optional("number", "unacknowledged", "0"),
    optional("time", "free_at"),
    optional("number", "free_latitude"),
    optional("number", "free_longitude"),
    ...needed("time", "shift_ends_at"),
  ],
};

/** Of `apply_decisions`, in their order. */
export const CONTRACT_PARAMETERS = [
  { mode: "IN", name: "p_city", types: ["varchar", "char"] },
  { mode: "IN", name: "p_epoch", types: ["bigint"] },
  { mode: "IN", name: "p_token", types: ["bigint"] },
  { mode: "IN", name: "p_tick", types: ["bigint"] },
  { mode: "IN", name: "p_decisions", types: ["json"] },
  { mode: "OUT", name: "p_dropped", types: ["json"] },
] as const;

const TEXTS = ["char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum"];
const INTEGERS = ["tinyint", "smallint", "mediumint", "int", "bigint"];
/** How MySQL calls the type of `NULL AS …` in a view. */
const NOTHING: ReadonlySet<string> = new Set(["binary", "varbinary", "null"]);

export const TYPES_OF_KIND: Readonly<Record<ColumnKind, readonly string[]>> = {
  text: TEXTS,
  id: [...TEXTS, ...INTEGERS],
  number: [...INTEGERS, "decimal", "float", "double"],
  time: ["datetime", "timestamp"],
  list: ["json", ...TEXTS],
};

export const WORDS_OF_KIND: Readonly<Record<ColumnKind, string>> = {
  text: "text",
  id: "text or a whole number",
  number: "a number",
  time: "DATETIME(3) in UTC, such as FROM_UNIXTIME(seconds) in a session whose time zone is UTC",
  list: "a JSON array of texts",
};

export function fitsKind({ kind, isNullable }: ContractColumn, dataType: string): boolean {
  return TYPES_OF_KIND[kind].includes(dataType) || (isNullable && NOTHING.has(dataType));
}
