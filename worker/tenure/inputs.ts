import { DEFAULT_DISPATCH, type TaskSpec } from "../../crds/city.ts";
import { parseDuration } from "../../crds/duration.ts";
import type { CitySnapshot, OpenOrderRow } from "../../db/snapshot.ts";
import type { DispatchParameters, DispatchSnapshot, OrderAssignment } from "../dispatch/model.ts";

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
      vehicles: row.vehicles,
      assignment: assignmentOf(row),
      declinedBy: row.declinedBy,
    })),
    couriers: snapshot.couriers.map((row) => ({
      id: row.courierId,
      position: { latitude: row.latitude, longitude: row.longitude },
      positionAtMs: row.positionAtMs,
      vehicle: row.vehicle,
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

function assignmentOf(row: OpenOrderRow): OrderAssignment | undefined {
  const { courierId, acceptedAtMs, assignedAtMs, reassignments } = row;
  if (courierId === undefined) return undefined;
  return {
    courier: courierId,
    // A company that does not keep it: no earlier than the order.
    assignedAtMs: assignedAtMs ?? row.placedAtMs,
    isAccepted: acceptedAtMs !== undefined,
    reassignments,
  };
}

/** Throws a RangeError for a duration that is none, which the schema of the City does not let in. */
export function dispatchParametersOf(task: TaskSpec): DispatchParameters {
  const spec = { ...DEFAULT_DISPATCH, ...task.dispatch };
  return {
    periodMs: parseDuration(task.period),
    horizonMs: parseDuration(spec.horizon),
    courierFreeWithinMs: parseDuration(spec.courierFreeWithin),
    courierSpeedMetersPerMinute: spec.courierSpeedMetersPerMinute,
    vehicleSpeeds: spec.vehicleSpeeds,
    serviceTimeMs: parseDuration(spec.serviceTime),
    pickupTravelMaxMs: parseDuration(spec.pickupTravelMax),
    bundleOrdersMax: spec.bundleOrdersMax,
    bundleDelayMaxMs: parseDuration(spec.bundleDelayMax),
    clickToDoorTargetMs: parseDuration(spec.clickToDoorTarget),
    positionAgeMaxMs: parseDuration(spec.positionAgeMax),
    reassignGainMinMs: parseDuration(spec.reassignGainMin),
    reassignmentsMax: spec.reassignmentsMax,
    weights: { ...DEFAULT_DISPATCH.weights, ...spec.weights },
  };
}
