import type { Input } from "@pulumi/pulumi";

/** Made from crds/city.yaml: make chart-docs. */

export const CITY_API_VERSION = "dispatch.city/v1alpha1";

/** How the city is to be dispatched. What is left out has the default of the City resource. */
export type CitySpec = {
  /**
   * Time from one tick to the next, as a duration from 200ms to 10m. A change takes effect within a second,
   * with a new fencing token.
   */
  readonly period: Input<string>;
  /** True: nobody holds the city. Once the condition Suspended is true, nothing more is committed for it. */
  readonly suspend?: Input<boolean>;
  /** The pool whose workers may hold the city; a worker names its pool when it starts. */
  readonly workerPool?: Input<string>;
  /** What the city costs a worker relative to others, 1 to 1000. Left out, every city counts the same. */
  readonly weight?: Input<number>;
  /** The city's time zone by its IANA name, such as Europe/Madrid. */
  readonly timeZone?: Input<string>;
  /** Periods without a committed tick after which the city counts as stalled, 2 to 100. */
  readonly stallAfterTicks?: Input<number>;
  /**
   * Who decides: optimal, greedy (the nearest free courier, to fall back on), or the name of a module of your
   * own that the workers have, without its extension. One that fails is stood in for by optimal, then by
   * greedy, and the condition Dispatching says why.
   */
  readonly dispatcher?: Input<string>;
  /**
   * What a dispatcher of your own is told beside the parameters of dispatch: up to 32 texts of up to 1024
   * characters by name. optimal and greedy do not read them.
   */
  readonly dispatcherParameters?: Input<Readonly<Record<string, Input<string>>>>;
  /**
   * Another dispatcher in the place of the City's own, until a time: a mitigation that ends by itself. Each
   * of its beginning and its end takes effect within two seconds, with a new fencing token.
   */
  readonly dispatcherOverride?: Input<{
    /** Who decides instead: optimal, greedy, or the name of a module of your own. */
    readonly dispatcher: Input<string>;
    /** When it ends, as in 2026-07-01T20:30:00Z. */
    readonly until: Input<string>;
  }>;
  /**
   * The worker that is to hold the City, until a time. It holds as far as it harms nobody: a City whose
   * worker cannot take it stays where it is or goes to another one, and one that came to grief where it was
   * pinned is not brought back.
   */
  readonly pin?: Input<{
    /** The worker's id, or the name of its Pod. */
    readonly worker: Input<string>;
    /** When it ends, as in 2026-07-01T20:30:00Z. */
    readonly until: Input<string>;
  }>;
  /**
   * Of how many ticks in a hundred all is recorded that is needed to replay them, 0 to 100, spread evenly.
   * Records are forgotten with the explanations of ticks, after hours.
   */
  readonly recordPercent?: Input<number>;
  /** Parameters of the dispatch decision. */
  readonly dispatch?: Input<{
    /** Orders ready within this duration are looked at, 1s to 4h. */
    readonly horizon?: Input<string>;
    /** Busy couriers who are free again within this duration are looked at, 0s to 4h. */
    readonly courierFreeWithin?: Input<string>;
    /** How fast couriers travel in a straight line, in metres per minute, 1 to 100000. */
    readonly courierSpeedMetersPerMinute?: Input<number>;
    /**
     * How fast couriers with a kind of vehicle travel in a straight line, in metres per minute, 1 to 100000
     * each, for up to 16 kinds as couriers' rows call them, such as bicycle: 250. Kinds that are not named
     * travel at courierSpeedMetersPerMinute.
     */
    readonly vehicleSpeeds?: Input<Readonly<Record<string, Input<number>>>>;
    /** Time a courier spends at the store, and again at the door, 0s to 1h. */
    readonly serviceTime?: Input<string>;
    /** A courier who would travel longer than this to the store is not asked, 1s to 4h. */
    readonly pickupTravelMax?: Input<string>;
    /** How many orders of one store a courier may be given together, 1 to 3. At 1 nothing is bundled. */
    readonly bundleOrdersMax?: Input<number>;
    /** No order reaches its door later than this, 0s to 1h, because it is brought together with others. */
    readonly bundleDelayMax?: Input<string>;
    /**
     * An order that reaches its door later than this after it was placed, 1s to 4h, counts as late at the
     * door.
     */
    readonly clickToDoorTarget?: Input<string>;
    /** An idle courier whose position is older than this, 1s to 24h, is not asked. */
    readonly positionAgeMax?: Input<string>;
    /**
     * An order is taken from its courier before pickup only when that saves more than this much weighted time
     * of couriers, 0s to 4h.
     */
    readonly reassignGainMin?: Input<string>;
    /**
     * How often one order may be taken from its courier and given to another, 0 to 10. At 0 no order is ever
     * taken away.
     */
    readonly reassignmentsMax?: Input<number>;
    /** What each second of a match counts for, relative to the others, as whole numbers. */
    readonly weights?: Input<{
      /** Of every second from ready to pickup, 1 to 1000: the meal gets cold. */
      readonly lateAtPickup?: Input<number>;
      /**
       * Of every second by which an order reaches its door after the target of clickToDoorTarget, 0 to 1000.
       */
      readonly lateAtDoor?: Input<number>;
      /**
       * Of every second that a courier travels to the store, and between the doors of a bundle, 0 to 1000.
       */
      readonly travel?: Input<number>;
      /** Of every second that a courier waits at the store, 0 to 1000. */
      readonly waiting?: Input<number>;
      /**
       * Of every second of reassignGainMin, once for each time that an order is taken from its courier, 0 to
       * 1000.
       */
      readonly reassignment?: Input<number>;
      /**
       * Of every second that an order has waited without a courier, 0 to 1000: so that nobody waits for ever.
       */
      readonly age?: Input<number>;
    }>;
  }>;
};
