const defaultPort = 9092;
const unsupported = /^(SSL|SASL_PLAINTEXT|SASL_SSL)$/;
const address = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/i;

/** Kafka's brokers as one text gives them, each `host:port`, IPv6 in brackets; or what is wrong with the text. */
export type BrokerList = { readonly brokers: readonly string[] } | { readonly problem: string };

/**
 * Reads a comma list of brokers in every usual form: spaces, a comma at the end, a host without a port (9092 then), IPv6,
 * `PLAINTEXT://`. No problem repeats what stands in front of an `@`.
 */
export function readBrokerList(text: string): BrokerList {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (parts.length === 0) return { problem: 'names no broker' };
  const read = parts.map(readBroker);
  const wrong = read.find((one) => 'problem' in one);
  if (wrong !== undefined && 'problem' in wrong) return wrong;
  return { brokers: [...new Set(read.flatMap((one) => ('broker' in one ? [one.broker] : [])))] };
}

function readBroker(text: string): { readonly broker: string } | { readonly problem: string } {
  const [, protocol, rest = ''] = /^(?:([^:/]*):\/\/)?(.*)$/s.exec(text) ?? [];
  const wanted = protocol?.toUpperCase() ?? 'PLAINTEXT';
  if (unsupported.test(wanted))
    return {
      problem: `${wanted}:// needs TLS or a login, which cryptopipe cannot use yet; name a PLAINTEXT listener of these brokers`,
    };
  if (wanted !== 'PLAINTEXT') return { problem: `${wanted}:// is no protocol of Kafka; leave it out` };
  if (rest.includes('@')) return { problem: 'holds a user or a password; a broker is host:port' };
  const [, host, port = String(defaultPort)] = address.exec(rest) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535)
    return { problem: `"${rest}" is not host:port; an IPv6 address stands in brackets, as [::1]:9092` };
  return { broker: `${host}:${Number(port)}` };
}
