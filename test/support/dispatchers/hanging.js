export function dispatch() {
  for (;;);
}
