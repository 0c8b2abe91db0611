import type { TaskSpec } from "../../crds/city.ts";
import { parseDuration } from "../../crds/duration.ts";
import type { CitySnapshot } from "../../db/snapshot.ts";
import { DEFAULT_PARAMETERS } from "../dispatch/default-parameters.ts";
import type { DispatchParameters, DispatchSnapshot } from "../dispatch/model.ts";

/** From what the database and the City say to what the dispatcher takes: it knows neither of them. */

export function dispatchSnapshotOf(snapshot: CitySnapshot): DispatchSnapshot {
  return {
    nowMs: snapshot.databaseTimeMs,
    orders: snapshot.orders.map((row) => ({
      id: row.orderId,
      storeId: row.storeId,
      store: { latitude: row.storeLatitude, longitude: row.storeLongitude },
      door: { latitude: row.latitude, longitude: row.longitude },
      placedAtMs: row.placedAtMs,
      readyAtMs: row.readyAtMs,
      vehicles: [],
      assignment:
        row.courierId === undefined
          ? undefined
          : {
              courier: row.courierId,
              assignedAtMs: row.acceptedAtMs ?? row.placedAtMs,
              isAccepted: row.acceptedAtMs !== undefined,
              reassignments: 0,
            },
      declinedBy: row.declinedBy,
    })),
    couriers: snapshot.couriers.map((row) => ({
      id: row.courierId,
      position: { latitude: row.latitude, longitude: row.longitude },
      positionAtMs: row.positionAtMs,
      vehicle: "",
      capacity: row.capacity,
      load: row.activeLoad,
      unacknowledged: row.unacknowledged,
      freeAtMs: row.freeAtMs,
      freePosition:
        row.freeLatitude === undefined || row.freeLongitude === undefined
          ? undefined
          : { latitude: row.freeLatitude, longitude: row.freeLongitude },
      shiftEndsAtMs: row.shiftEndsAtMs,
    })),
  };
}

export function dispatchParametersOf(task: TaskSpec): DispatchParameters {
  return {
    ...DEFAULT_PARAMETERS,
    periodMs: parseDuration(task.period),
    horizonMs: parseDuration(task.dispatch.horizon),
    courierFreeWithinMs: parseDuration(task.dispatch.courierFreeWithin),
    courierSpeedMetersPerMinute: task.dispatch.courierSpeedMetersPerMinute,
    serviceTimeMs: parseDuration(task.dispatch.serviceTime),
    pickupTravelMaxMs: parseDuration(task.dispatch.pickupTravelMax),
  };
}
