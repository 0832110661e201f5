// Loaded before a program by `NODE_OPTIONS=--import …`: the name exchange.test is this computer, except while the file
// TEST_DNS_FAILS exists. It has the code with which the lookup fails, such as EAI_AGAIN or ENOTFOUND.
import dns from 'node:dns';
import { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const name = 'exchange.test';
const real = dns.lookup;

function failure() {
  try {
    return readFileSync(process.env.TEST_DNS_FAILS ?? '', 'utf8').trim();
  } catch {
    return undefined;
  }
}

dns.lookup = (host, options, callback) => {
  if (host !== name) return real(host, options, callback);
  const code = failure();
  if (code === undefined) return real('127.0.0.1', options, callback);
  const error = Object.assign(new Error(`getaddrinfo ${code} ${host}`), {
    ...{ code, hostname: host, syscall: 'getaddrinfo' },
  });
  process.nextTick(callback ?? options, error);
};
syncBuiltinESMExports();
