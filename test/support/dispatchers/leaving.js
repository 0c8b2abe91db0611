export function dispatch() {
  process.exit(3);
}
