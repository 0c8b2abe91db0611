/** Jest strips types itself: no transform, native ES modules (run with --experimental-vm-modules). */
export default {
  testMatch: ["**/*.test.ts"],
  extensionsToTreatAsEsm: [".ts"],
  transform: {},
  testEnvironment: "node",
  watchman: false,
  testTimeout: 30_000,
};
