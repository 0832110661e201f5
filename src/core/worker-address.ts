import { isLoopback } from './rest-key.js';

/**
 * Where a worker's pages are for us. For the sake of a browser on its computer a worker may call itself localhost
 * (SPARK_PUBLIC_DNS), as the one in Docker does; who reaches the master under another name needs the worker's own host.
 * @param worker.told the address that it gives the master, without a slash at its end.
 * @param masterUrl the master's web page, as we reach it.
 */
export function workerAddress(
  worker: { readonly told: string; readonly host: string },
  masterUrl: string,
): string {
  const { told, host } = worker;
  if (!URL.canParse(told) || !isLoopback(told) || isLoopback(masterUrl)) return told;
  const address = new URL(told);
  address.hostname = host;
  return address.origin;
}
