/**
 * The worlds in which the protocol must hold, and the guards without which it must not.
 *
 * Not listed, since the rest of the protocol makes up for it: a tenure that runs on after `fenced` (its token is checked at
 * every commit), and a commit that checks the previous commit id but not the tick number (the id names the tick). Nor is
 * an operator that never raises the epoch: safety is kept, and the model, which has no time, lets numbers catch up by writes.
 *
 * Not shown to hold: suspension across an etcd that went back. A claim does not present an epoch, so a worker that remembers
 * its Lease of the lost history may claim with its old number in the raised epoch.
 */

export type Variant = {
  readonly name: string;
  readonly switches: readonly string[];
  /** `refuted`: with the guard taken away SPIN must find a violation. */
  readonly expected: "holds" | "refuted";
};

const CALM = ["-DCOMMITS=3", "-DWRITES=2"];
const SUSPENSION = ["-DSUSPENSION", "-DTWO_OPERATORS", "-DCOMMITS=1"];
const SECOND_CLUSTER = ["-DSECOND_CLUSTER", "-DSUSPENSION", "-DCOMMITS=1", "-DWRITES=2"];
const ROLLBACK = ["-DROLLBACK", "-DCOMMITS=2", "-DWRITES=2"];
const FAILOVER = ["-DFAILOVER", "-DCOMMITS=3", "-DWRITES=1"];

const holds = (name: string, switches: readonly string[]): Variant => ({ name, switches, expected: "holds" });

/** Without these guards, in the smallest world that needs them. */
const without = (guards: readonly string[], world: readonly string[]): Variant => ({
  name: guards.join(" "),
  switches: [...guards.map((guard) => `-D${guard}`), ...world],
  expected: "refuted",
});

export const VARIANTS: readonly Variant[] = [
  holds("the protocol", CALM),
  holds("with suspension, two operators", SUSPENSION),
  holds("with a second cluster", SECOND_CLUSTER),
  holds("with a fail-over that loses commits", FAILOVER),
  holds("with an etcd that goes back", ROLLBACK),
  without(["NO_TOKEN_CHECK"], CALM),
  without(["NO_TICK_CHECK", "NO_PREVIOUS_COMMIT_CHECK"], CALM),
  without(["NO_PREVIOUS_COMMIT_CHECK"], FAILOVER),
  without(["NO_COMMIT_ID"], CALM),
  without(["READ_BEFORE_CLAIM"], CALM),
  without(["UNKNOWN_AS_FAILED"], CALM),
  without(["UNKNOWN_AS_COMMITTED"], CALM),
  without(["NO_SEAL"], SUSPENSION),
  without(["NO_LEASE_PRECONDITION"], SUSPENSION),
  without(["NO_QUORUM_READ"], SUSPENSION),
  without(["NO_AUTHORITY_CHECK"], SECOND_CLUSTER),
  without(["NO_EPOCH"], SECOND_CLUSTER),
];
