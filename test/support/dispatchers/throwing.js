export function dispatch() {
  throw new Error("the dispatcher made a mistake");
}
