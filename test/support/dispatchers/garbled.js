export function dispatch() {
  return { decisions: [{ order: 1, courier: "c", stop: 1 }] };
}
