/** Sends everything to a courier whom nobody knows. */
export function dispatch(snapshot) {
  return { decisions: snapshot.orders.map(({ id }) => ({ order: id, courier: "nobody", stop: 1 })) };
}
