/** Who is reached where inside a local cluster. Nothing of it is seen outside. */

export const NODE_NAME = "node1";
export const NODE_ADDRESS = "10.99.0.1";
export const SERVICE_RANGE = "10.96.0.0/16";
/** The first of the range is always the API server's. */
export const API_SERVICE_ADDRESS = "10.96.0.1";
export const POD_RANGE = "10.244.0.0/24";
export const KUBELET_PORT = 10_250;
/** Health of the controller manager, the scheduler and the DNS server, on the loopback inside. */
export const CONTROLLER_MANAGER_PORT = 10_257;
export const SCHEDULER_PORT = 10_259;
export const DNS_READY_PORT = 8_181;
