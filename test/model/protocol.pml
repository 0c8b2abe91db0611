/*
 * The protocol of one city, complete and small enough for SPIN to look at every interleaving: `make model`.
 *
 * A process stands still for as long as it likes between two steps. So "frozen", "slow" and "partitioned" need no words of
 * their own, nor do late packets and lost answers: a packet waits, an answer is not looked at.
 *
 *   Operator   writes the Lease on the condition that it is as it was seen; seals; raises the epoch when etcd went back
 *   Worker     claims first, reads after, then commits tick by tick
 *   Network    delivers the packets of commits: in any order, late, twice
 *   Person     suspends and resumes the City
 *   disasters  FAILOVER (MySQL loses its last commits), ROLLBACK (etcd goes back), SECOND_CLUSTER (takes the authority)
 *
 * assert() marks the invariants, by their numbers in ARCHITECTURE.md. The NO_... switches take one guard away each; SPIN must
 * then find a violation. test/model/variants.ts lists them, with the guards that need none.
 */

#define NOBODY 0
#ifndef WRITES
#define WRITES 3 /* resourceVersions of a Lease that names a worker: 1 to WRITES */
#endif
#ifdef SECOND_CLUSTER
#define isWorkerOf(cluster, worker) (worker == cluster + 1)
#else
#define isWorkerOf(cluster, worker) true
#endif
#ifndef COMMITS
#define COMMITS 3 /* commit ids: 1 to COMMITS; 0 is "none" */
#endif

/* ------------------------------------------------------------- Kubernetes: a City and its Lease in each cluster */

byte leaseRv[2] = 1;     /* the resourceVersion: one half of the token */
byte leaseHolder[2];
bool wantsSuspend;       /* spec.suspend */
bool isSuspended;        /* the condition, from the seal until a person resumes */

/* ------------------------------------------------------------- MySQL */

byte epoch = 1;          /* authority: the other half of the token, and whose tokens count */
byte authority = 0;

byte fenceEpoch, fenceRv, fenceHolder, fenceTick, fenceCommit;
bool ledger[COMMITS + 1]; /* the commits that are in */

/* ------------------------------------------------------------- packets, named by their commit id */

mtype = { committed, fenced, outpaced };

typedef Packet {
  byte epoch, rv, tick, previous;
  byte snapshot;         /* last commit in the snapshot that it was computed from; no check may look at it */
  byte inFlight, sent;   /* copies */
  bool isAwaited;
  mtype answer           /* of MySQL, not yet looked at */
};
Packet packet[COMMITS + 1];
byte lastId;

mtype told[COMMITS + 1]; /* what the worker believes about a commit: committed or fenced (which is "refused") */
bool historyLost;        /* a fail-over lost commits: invariants 2 and 5 cannot hold across it */

#ifdef NO_EPOCH
#define isBelow(e1, r1, e2, r2) (r1 < r2)
#define isSame(e1, r1, e2, r2)  (r1 == r2)
#else
#define isBelow(e1, r1, e2, r2) (e1 < e2 || (e1 == e2 && r1 < r2))
#define isSame(e1, r1, e2, r2)  (e1 == e2 && r1 == r2)
#endif

#ifdef NO_AUTHORITY_CHECK
#define isOurs(cluster) true
#else
#define isOurs(cluster) (authority == cluster)
#endif

/* ------------------------------------------------------------- the procedures, each one transaction */

/* `behind` and `foreign` change nothing: whoever gets them waits until this holds. */
#define mayClaim(cluster, rv, holder) (isOurs(cluster) && \
  (isBelow(fenceEpoch, fenceRv, epoch, rv) || (isSame(fenceEpoch, fenceRv, epoch, rv) && fenceHolder == holder)))

/* The token that is at the fence may seal it. */
#define maySeal(cluster, rv) (isOurs(cluster) && !isBelow(epoch, rv, fenceEpoch, fenceRv))

inline raiseFence(rv, holder) {
  assert(fenceEpoch < epoch || (fenceEpoch == epoch && fenceRv <= rv)); /* 2: fences only rise */
  fenceEpoch = epoch; fenceRv = rv; fenceHolder = holder
}

inline reply(id, outcome) { if :: packet[id].isAwaited -> packet[id].answer = outcome :: else fi }

inline forget(commit) { packet[commit].answer = 0; packet[commit].isAwaited = false; commit = 0 }

inline commitTick(id) {
  if
#ifndef NO_COMMIT_ID
  :: ledger[id] -> reply(id, committed) /* "repeated" */
#endif
  :: else ->
    if
#ifndef NO_TOKEN_CHECK
    :: !isSame(packet[id].epoch, packet[id].rv, fenceEpoch, fenceRv) || fenceHolder == NOBODY -> reply(id, fenced)
#endif
    :: else ->
      if
#ifndef NO_TICK_CHECK
      :: packet[id].tick != fenceTick + 1 -> reply(id, outpaced)
#endif
#ifndef NO_PREVIOUS_COMMIT_CHECK
      :: packet[id].previous != fenceCommit -> reply(id, outpaced)
#endif
      :: else ->
        assert(packet[id].epoch == fenceEpoch && packet[id].rv == fenceRv);    /* 1: the token that the fence holds */
        assert(packet[id].tick == fenceTick + 1);                              /* 3: no gap, no repeat, ... */
        assert(packet[id].epoch > packet[fenceCommit].epoch || (packet[id].epoch == packet[fenceCommit].epoch &&
               packet[id].rv >= packet[fenceCommit].rv));                      /* 3: ... and tokens never fall */
        assert(packet[id].snapshot == fenceCommit);                            /* 4: computed from all that came before */
        assert(historyLost || told[id] != fenced);                             /* 5: refused is refused for ever */
        assert(!isSuspended);                                                  /* 9 */
        fenceTick = packet[id].tick; fenceCommit = id; ledger[id] = true;
        reply(id, committed)
      fi
    fi
  fi
}

/* ------------------------------------------------------------- Operator: two of them overlap now and then */

#ifdef NO_LEASE_PRECONDITION
#define isAsSeen true
#else
#define isAsSeen (leaseRv[cluster] == seenRv)
#endif

/* Decides on what it sees, acts whenever it comes to it. */
proctype Operator(byte cluster) {
  byte seenRv, seenEpoch, worker;
end:
  do
  /* Assign or move the city, or edit its task; a conflict is decided anew. */
  :: atomic {
      authority == cluster && !wantsSuspend && leaseRv[cluster] < WRITES -> seenRv = leaseRv[cluster];
      if
      :: isWorkerOf(cluster, 1) -> worker = 1
      :: isWorkerOf(cluster, 2) -> worker = 2
      fi
    };
    atomic {
      if
      :: isAsSeen && leaseRv[cluster] < WRITES -> leaseRv[cluster]++; leaseHolder[cluster] = worker
      :: else
      fi;
      seenRv = 0; worker = 0
    }

  /* After a rollback the Lease may get a number anew that is at the fence for another worker: the city stalls, and moves. */
  :: atomic {
      authority == cluster && fenceEpoch == epoch && fenceRv == leaseRv[cluster] && fenceHolder != leaseHolder[cluster] &&
      leaseHolder[cluster] != NOBODY -> leaseRv[cluster]++
    }

  /* Suspend: a Lease without a holder first, ... */
  :: atomic {
      authority == cluster && wantsSuspend && leaseHolder[cluster] != NOBODY ->
      leaseRv[cluster]++; leaseHolder[cluster] = NOBODY
    }
  /* ... then the seal with its token, then the condition. */
  :: atomic {
      authority == cluster && wantsSuspend && leaseHolder[cluster] == NOBODY && !isSuspended ->
      seenRv = leaseRv[cluster]
    };
    atomic {
      if
      :: maySeal(cluster, seenRv) ->
#ifndef NO_SEAL
        raiseFence(seenRv, NOBODY);
#endif
        isSuspended = wantsSuspend /* the write's precondition: the City is as it was seen */
      :: else
      fi;
      seenRv = 0
    }

  /* The fence is ahead of the Lease: etcd went back in time, says a quorum read. A view of our own may just be old. */
#ifdef NO_QUORUM_READ
  :: atomic { authority == cluster -> seenRv = leaseRv[cluster] };
    atomic { if :: fenceEpoch == epoch && fenceRv > seenRv -> seenEpoch = epoch :: else fi; seenRv = 0 };
#else
  :: atomic { authority == cluster && fenceEpoch == epoch && fenceRv > leaseRv[cluster] -> seenEpoch = epoch };
#endif
    atomic {
      if
      :: authority == cluster && epoch == seenEpoch -> epoch++
      :: else
      fi;
      seenEpoch = 0
    }
  od
}

/* ------------------------------------------------------------- Worker */

#define isMine (leaseHolder[cluster] == me && leaseRv[cluster] == rv)
#define holdsFence (fenceEpoch == myEpoch && fenceRv == rv && fenceHolder == me)

proctype Worker(byte me; byte cluster) {
  byte rv, myEpoch, tick, previous, snapshot, id;

end_idle: /* no tenure: nothing of an earlier one is remembered */
  atomic {
    leaseHolder[cluster] == me -> rv = leaseRv[cluster];
#ifdef READ_BEFORE_CLAIM
    snapshot = fenceCommit
#endif
  };

end_claiming: /* an answer that is lost is asked for again, which changes nothing */
  if
  :: atomic { mayClaim(cluster, rv, me) ->
      raiseFence(rv, me); myEpoch = epoch; tick = fenceTick; previous = fenceCommit }
  :: atomic { !isMine -> goto ended }
  fi;

end_ticking: /* the snapshot includes the fence row */
  if
  :: atomic { !isMine -> goto ended }
#ifndef READ_BEFORE_CLAIM
  :: atomic { !holdsFence -> goto ended }
  :: atomic { holdsFence && fenceCommit != previous -> goto end_claiming }
  :: atomic { holdsFence && fenceCommit == previous && lastId < COMMITS -> snapshot = fenceCommit;
#else
  :: atomic { lastId < COMMITS ->
#endif
      /* The decision takes its time, as does the packet; it is sent under an id of its own. */
      lastId++; id = lastId;
      packet[id].epoch = myEpoch; packet[id].rv = rv; packet[id].tick = tick + 1;
      packet[id].previous = previous; packet[id].snapshot = snapshot;
      packet[id].inFlight = 1; packet[id].sent = 1; packet[id].isAwaited = true
    }
  fi;

waiting:
  if
  :: atomic { packet[id].answer == committed ->
      assert(historyLost || ledger[id]);                 /* 5: what was answered committed is there */
      told[id] = committed; tick = packet[id].tick; previous = id; forget(id); goto end_ticking }
  :: atomic { packet[id].answer == fenced ->
      assert(historyLost || !ledger[id]);                /* 5: what was refused is not there, */
      told[id] = fenced; forget(id); goto ended }        /*    nor ever will be: see commitTick */
  :: atomic { packet[id].answer == outpaced ->
      assert(historyLost || !ledger[id]);
      told[id] = fenced; forget(id); goto end_claiming }
  /* No answer: the same packet again, under the same id. The first copy may still arrive. */
  :: atomic { packet[id].sent < 2 ->
      packet[id].sent++; packet[id].inFlight++; packet[id].answer = 0; goto waiting }
  /* Still none at the deadline: unknown. Claim again and reload. */
  :: atomic { true ->
#ifdef UNKNOWN_AS_FAILED
      told[id] = fenced;
#endif
#ifdef UNKNOWN_AS_COMMITTED
      told[id] = committed; assert(historyLost || ledger[id]);
#endif
      forget(id); goto end_claiming }
  fi;

ended:
  atomic { rv = 0; myEpoch = 0; tick = 0; previous = 0; snapshot = 0; goto end_idle }
}

/* ------------------------------------------------------------- Network, Person, disasters */

/* One packet and its copies. */
proctype Network(byte id) {
end:
  do
  :: atomic { packet[id].inFlight > 0 -> packet[id].inFlight--; commitTick(id) }
  od
}

#ifdef SUSPENSION
proctype Person() {
end_running:
  wantsSuspend = true;
end_suspended:
  atomic { wantsSuspend = false; isSuspended = false }
}
#endif

#ifdef FAILOVER
/* The replica is behind by as much as it likes; then it is the primary. */
proctype Failover() {
  byte e, a, fe, fr, fh, ft, fc, id;
  bool l[COMMITS + 1];
  atomic {
    e = epoch; a = authority; fe = fenceEpoch; fr = fenceRv; fh = fenceHolder; ft = fenceTick; fc = fenceCommit;
    for (id : 1 .. COMMITS) { l[id] = ledger[id] }
  };
  atomic {
    historyLost = true;
    isSuspended = false; /* the seal may be lost with the rest: it holds again once the operator has sealed again */
    epoch = e; authority = a; fenceEpoch = fe; fenceRv = fr; fenceHolder = fh; fenceTick = ft; fenceCommit = fc;
    for (id : 1 .. COMMITS) { ledger[id] = l[id]; l[id] = 0 };
    e = 0; a = 0; fe = 0; fr = 0; fh = 0; ft = 0; fc = 0; id = 0
  }
}
#endif

#ifdef ROLLBACK
proctype Rollback() {
  byte rv, holder;
  bool suspend;
  atomic { rv = leaseRv[0]; holder = leaseHolder[0]; suspend = wantsSuspend };
  atomic {
    leaseRv[0] = rv; leaseHolder[0] = holder; wantsSuspend = suspend;
    isSuspended = false /* a restored condition holds again once the operator has sealed again */
  }
}
#endif

#ifdef SECOND_CLUSTER
/* A person orders the take-over of authority. */
proctype TakeOver() {
  atomic { authority = 1; epoch++; isSuspended = false }
}
#endif

/* When all has come to rest, the city belongs to whom its Lease names, and a suspended one to nobody. */
proctype Settled() {
end:
  timeout ->
  assert(leaseHolder[authority] == NOBODY && !wantsSuspend || /* resumed, and no write was left to give it to somebody */
    (fenceRv == leaseRv[authority] && fenceHolder == leaseHolder[authority])); /* in the last epoch, until it claims again */
  assert(!wantsSuspend || isSuspended)
}

init {
  atomic {
    leaseHolder[0] = 1;
    run Operator(0);
#ifdef TWO_OPERATORS
    run Operator(0);
#endif
    run Worker(1, 0);
#ifdef SECOND_CLUSTER
    leaseHolder[1] = 2;
    run Operator(1);
    run Worker(2, 1);
    run TakeOver();
#else
    run Worker(2, 0);
#endif
    byte id;
    for (id : 1 .. COMMITS) { run Network(id) };
#ifdef SUSPENSION
    run Person();
#endif
#ifdef FAILOVER
    run Failover();
#endif
#ifdef ROLLBACK
    run Rollback();
#endif
    run Settled()
  }
}
