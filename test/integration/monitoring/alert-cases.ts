/** For every alert: series under which it fires, and others under which it must not. In promtool's notation, one value a minute. */

export type Series = Readonly<Record<string, string>>;

export type AlertCase = {
  readonly alert: string;
  readonly fires: {
    readonly series: Series;
    readonly atMinute: number;
    /** Beside `severity`. */
    readonly labels: Readonly<Record<string, string>>;
    /** What the person reads who is paged. */
    readonly description: string;
  };
  readonly isSilent: readonly { readonly when: string; readonly series: Series; readonly atMinute: number }[];
};

const NAMESPACE = 'namespace="dispatch"';
const LABELS = { namespace: "dispatch" };

/** Of ten Cities, per minute; after `minutes` what the second pair says. */
const citySeconds = (late: string, onTime: string): Series => ({
  [`dispatch_operator_city_seconds_total{commit="late",${NAMESPACE},pod="o1"}`]: late,
  [`dispatch_operator_city_seconds_total{commit="on-time",${NAMESPACE},pod="o1"}`]: onTime,
});

const down = (stalled: string, unassigned = "0x60"): Series => ({
  [`dispatch_operator_cities{state="stalled",${NAMESPACE},pod="o1"}`]: stalled,
  [`dispatch_operator_cities{state="unassigned",${NAMESPACE},pod="o1"}`]: unassigned,
  [`dispatch_operator_cities{state="stalled",${NAMESPACE},pod="o2"}`]: "0x60",
});

const brake = (brakeName: string, values: string): Series => ({
  [`dispatch_operator_brake{brake="${brakeName}",${NAMESPACE},pod="o1"}`]: values,
});

const leading = (first: string, second: string): Series => ({
  [`dispatch_operator_leading{${NAMESPACE},pod="o1"}`]: first,
  [`dispatch_operator_leading{${NAMESPACE},pod="o2"}`]: second,
});

const silence = (first: string, second: string): Series => ({
  [`dispatch_operator_database_silence_seconds{${NAMESPACE},pod="o1"}`]: first,
  [`dispatch_operator_database_silence_seconds{${NAMESPACE},pod="o2"}`]: second,
});

const handoffs = (withinASecond: string, all: string): Series => ({
  [`dispatch_operator_handoff_gap_beyond_period_seconds_bucket{le="1.0",because="balance",${NAMESPACE},pod="o1"}`]:
    withinASecond,
  [`dispatch_operator_handoff_gap_beyond_period_seconds_count{because="balance",${NAMESPACE},pod="o1"}`]: all,
});

const series = (name: string, labels: string, values: string): Series => ({
  [`${name}{${labels}${labels === "" ? "" : ","}${NAMESPACE},pod="p1"}`]: values,
});

const OLDEST = "dispatch_worker_oldest_unassigned_order_seconds";
const WAITING = "dispatch_operator_waiting_cities";
const FOREIGN = "dispatch_operator_foreign_authority";
const STAND_INS = "dispatch_worker_stand_in_cities";
const EPOCH = "dispatch_operator_epoch_raised_total";

const degraded = (ticks: string): Series => ({
  ...series("dispatch_worker_degraded_ticks_total", 'because="deadline"', ticks),
  ...series("dispatch_worker_ticks_total", 'outcome="committed"', "0+100x90"),
});

const ofTime: readonly AlertCase[] = [
  {
    alert: "DispatchLate",
    fires: {
      series: citySeconds("0+60x120", "0+540x120"),
      atMinute: 90,
      labels: LABELS,
      description:
        "10% of the time of all Cities in dispatch was late. At this pace the budget of a month (99.9 % on time) is gone within days.",
    },
    isSilent: [
      {
        when: "it was bad for two minutes, and is over",
        series: citySeconds("0+600x2 1200x118", "0x2 0+600x118"),
        atMinute: 50,
      },
      { when: "the budget lasts", series: citySeconds("0+0.3x120", "0+599.7x120"), atMinute: 90 },
    ],
  },
  {
    alert: "DispatchLateSlowly",
    fires: {
      series: citySeconds("0+2.4x1600", "0+597.6x1600"),
      atMinute: 1_500,
      labels: LABELS,
      description:
        "0.4% of the time of all Cities in dispatch was late, for hours. If it goes on, the budget of the month (99.9 % on time) does not last.",
    },
    isSilent: [
      { when: "the budget lasts", series: citySeconds("0+0.3x1600", "0+599.7x1600"), atMinute: 1_500 },
    ],
  },
  {
    alert: "DispatchHandoffsSlow",
    fires: {
      series: handoffs("0+5x120", "0+10x120"),
      atMinute: 90,
      labels: LABELS,
      description:
        "50% of the handoffs of the last hour in dispatch left a city without a commit for more than a second beyond its period. They should cost nothing.",
    },
    isSilent: [
      { when: "they cost nothing", series: handoffs("0+10x120", "0+10x120"), atMinute: 90 },
      { when: "there were a handful", series: handoffs("0x120", "0+0.2x120"), atMinute: 90 },
    ],
  },
  {
    alert: "DispatchTicksDegraded",
    fires: {
      series: degraded("0+20x90"),
      atMinute: 60,
      labels: LABELS,
      description:
        "20% of the committed ticks in dispatch met their deadline first, or saw only a part of their city.",
    },
    isSilent: [{ when: "it is one tick in fifty", series: degraded("0+2x90"), atMinute: 60 }],
  },
];

const ofTheFleet: readonly AlertCase[] = [
  {
    alert: "DispatchCityDown",
    fires: {
      // One of them rests after it killed its workers, and is tried again now and then.
      series: { ...down("1 1 2 2 1 1 1 2 1 1 1", "1 1 0 0 1 1 1 0 1 1 1"), ...brake("most-stalled", "0x60") },
      atMinute: 10,
      labels: LABELS,
      description:
        "2 Cities in dispatch are stalled or held by nobody, and moving them did not help. `kubectl get cities` says which.",
    },
    isSilent: [
      { when: "a move cured it", series: down("0x2 2x3 0x50"), atMinute: 10 },
      {
        when: "so many are that the brake holds",
        series: { ...down("9x60"), ...brake("most-stalled", "1x60") },
        atMinute: 10,
      },
      {
        when: "there are no workers, which has an alert of its own",
        series: { ...down("0x60", "9x60"), ...series(WAITING, 'because="no-workers"', "9x60") },
        atMinute: 10,
      },
    ],
  },
  {
    alert: "DispatchFleetHeld",
    fires: {
      series: brake("most-lost", "1x10"),
      atMinute: 5,
      labels: { ...LABELS, brake: "most-lost" },
      description:
        "The brake most-lost holds in dispatch: most Cities do not tick, or most workers were lost. Moving would not help, so the cause is elsewhere.",
    },
    isSilent: [{ when: "it holds for a moment", series: brake("most-lost", "0 0 0 0 0 1 0"), atMinute: 5 }],
  },
  {
    alert: "DispatchNoWorkers",
    fires: {
      series: series(WAITING, 'because="no-workers"', "3x10"),
      atMinute: 5,
      labels: LABELS,
      description: "3 Cities in dispatch are held by nobody, since their pool has no live worker.",
    },
    isSilent: [
      {
        when: "they only wait to be handed over",
        series: series(WAITING, 'because="no-successor"', "3x10"),
        atMinute: 5,
      },
    ],
  },
];

const ofSurroundings: readonly AlertCase[] = [
  {
    alert: "DispatchDatabaseUnreachable",
    fires: {
      series: { ...silence("0 0 60 120 180 240", "0x5"), ...leading("1x5", "0x5") },
      atMinute: 5,
      labels: LABELS,
      description: "The leading operator in dispatch has had no answer of MySQL for 4m 0s.",
    },
    isSilent: [
      {
        when: "only the one that stands by has none",
        series: { ...silence("0x5", "0 0 60 120 180 240"), ...leading("1x5", "0x5") },
        atMinute: 5,
      },
    ],
  },
  {
    alert: "DispatchNobodyLeads",
    fires: {
      series: leading("0x10", "0x10"),
      atMinute: 5,
      labels: LABELS,
      description:
        "Cities tick on where they are, but nobody takes over those of a worker that dies, and no change of a City has an effect. These alerts are blind as well.",
    },
    isSilent: [{ when: "the other one takes over", series: leading("1 1 0x8", "0 0 1x8"), atMinute: 5 }],
  },
  {
    alert: "DispatchNobodyLeads",
    fires: {
      // Nothing is scraped any more: `absent` has no labels to give.
      series: {},
      atMinute: 5,
      labels: {},
      description:
        "Cities tick on where they are, but nobody takes over those of a worker that dies, and no change of a City has an effect. These alerts are blind as well.",
    },
    isSilent: [],
  },
  {
    alert: "DispatchForeignAuthority",
    fires: {
      series: series(FOREIGN, "", "1x10"),
      atMinute: 5,
      labels: LABELS,
      description:
        "The operator in dispatch assigns nothing: another cluster has the authority over its database.",
    },
    isSilent: [{ when: "it is ours", series: series(FOREIGN, "", "0x10"), atMinute: 5 }],
  },
  {
    alert: "DispatchEpochRaised",
    fires: {
      series: series(EPOCH, "", "0x5 1x20"),
      atMinute: 10,
      labels: LABELS,
      description:
        "The resourceVersions of the cluster of dispatch went back. The product has cured itself; whatever else trusts etcd may not have.",
    },
    isSilent: [{ when: "it was long ago", series: series(EPOCH, "", "1x30"), atMinute: 30 }],
  },
];

const ofOrders: readonly AlertCase[] = [
  {
    alert: "DispatchOrdersWait",
    fires: {
      series: series(OLDEST, "", "1200x20"),
      atMinute: 10,
      labels: LABELS,
      description: "The oldest order without a courier in dispatch has waited for 20m 0s.",
    },
    isSilent: [
      { when: "ten minutes are usual", series: series(OLDEST, "", "600x20"), atMinute: 10 },
      { when: "it was found a courier", series: series(OLDEST, "", "0x5 1200x3 0x10"), atMinute: 10 },
    ],
  },
  {
    alert: "DispatchDispatcherFails",
    fires: {
      series: series(STAND_INS, "", "4x30"),
      atMinute: 20,
      labels: LABELS,
      description: "The own dispatcher of 4 Cities in dispatch fails, and another one decides for them.",
    },
    isSilent: [{ when: "it recovers", series: series(STAND_INS, "", "0x5 4x5 0x20"), atMinute: 20 }],
  },
];

export const ALERT_CASES: readonly AlertCase[] = [...ofTime, ...ofTheFleet, ...ofSurroundings, ...ofOrders];
