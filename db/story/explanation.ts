/**
 * What `tick_explanation` keeps of each order, as its readers see it. The worker writes it from its dispatcher's own types
 * (`worker/dispatch/model.ts`), which fit these; readers know of nothing but the database.
 */

/** Deciseconds of a courier's time, each part weighted. */
export type CostParts = {
  readonly lateAtPickup: number;
  readonly lateAtDoor: number;
  readonly travel: number;
  readonly waiting: number;
  readonly reassignment: number;
  /** Of an order that nobody takes; 0 of one that somebody does. */
  readonly age: number;
};

/** A hard rule that keeps a courier away from an order. */
export type Refusal =
  | "capacity"
  | "unacknowledged"
  | "not-free"
  | "shift-over"
  | "position-stale"
  | "vehicle"
  | "too-far"
  | "declined";

/** What became of one order of the snapshot, and why. */
export type Explanation = { readonly order: string } & (
  | {
      readonly kind: "assigned";
      readonly courier: string;
      /** Absent: it had nobody before. */
      readonly from?: string | undefined;
      /** The other orders of its bundle. */
      readonly with: readonly string[];
      readonly cost: CostParts;
      /** Absent: nobody else may take it. */
      readonly runnerUp?: { readonly courier: string; readonly cost: CostParts } | undefined;
    }
  | {
      readonly kind: "held";
      readonly because: "courier-busy" | "time-left";
      /** Who would have it if it were committed now. */
      readonly courier: string;
      readonly lookAgainAtMs: number;
      readonly cost: CostParts;
    }
  | {
      readonly kind: "unassignable";
      /** `nobody-may`: hard rules keep every courier away. `outbid`: those who may are worth more to other orders. */
      readonly because: "nobody-may" | "outbid";
      /** How many couriers each hard rule kept away. */
      readonly refusals: Readonly<Partial<Record<Refusal, number>>>;
    }
  | { readonly kind: "beyond-horizon"; readonly lookAtMs: number }
  | { readonly kind: "kept"; readonly courier: string }
);

/** What a tick says of itself as a whole. */
export type ExplanationHead = {
  /** Decisions that the validator did not let pass. */
  readonly refused: readonly {
    readonly decision: { readonly order: string; readonly courier: string };
    readonly because: string;
  }[];
  readonly failures: readonly {
    readonly dispatcher: string;
    readonly because: string;
    readonly message: string;
  }[];
};
