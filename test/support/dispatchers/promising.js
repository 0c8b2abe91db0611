export async function dispatch() {
  return { decisions: [] };
}
