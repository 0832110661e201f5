import { connect } from 'node:net';
import type { ISocketFactory } from 'kafkajs';

// kafkajs splits an address of `brokers` at each colon, so an IPv6 address is given to it with another sign in their place.
const sign = '~';

/** A broker as kafkajs can split it: host and port with one colon between. */
export const seedOf = (broker: string): string =>
  broker.replace(/^\[(.+)\]/, (_, address: string) => address.replaceAll(':', sign));

/** The host that such a seed names. */
export const hostOfSeed = (host: string): string => host.replaceAll(sign, ':');

const keepAliveMs = 60_000;

/** What kafkajs does without one, for hosts of seeds too. Without TLS. */
export const socketFactory: ISocketFactory = ({ host, port, onConnect }) =>
  connect({ host: hostOfSeed(host), port }, onConnect).setKeepAlive(true, keepAliveMs);
