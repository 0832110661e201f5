import { UsageError } from '../../core/errors.js';
import type { DemoOptions } from '../demo.js';

interface DemoSettings {
  readonly symbols: readonly string[];
  readonly areSymbolsSet: boolean;
  readonly exchangeUrl: string;
  readonly native: { readonly ports: { readonly sandbox: number; readonly dashboard: number } };
}

const defaultSymbols = ['BTCUSDT', 'ETHUSDT'];
const loopback = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** @throws UsageError where the real exchange is wanted and the sandbox's address is set. */
export function demoOptions(config: DemoSettings, isLive: boolean, signal: AbortSignal): DemoOptions {
  const sandboxPort = config.native.ports.sandbox;
  const { hostname, port } = new URL(config.exchangeUrl);
  if (isLive && loopback.has(hostname) && port === String(sandboxPort))
    throw new UsageError(
      `--live is for the real exchange, and CRYPTO_API_URL names the sandbox (${config.exchangeUrl})`,
      {
        nextStep: 'Leave --live out, or unset CRYPTO_API_URL.',
      },
    );
  return {
    symbols: config.areSymbolsSet ? config.symbols : defaultSymbols,
    isLive,
    exchangeUrl: config.exchangeUrl,
    sandboxPort,
    pagePort: config.native.ports.dashboard,
    wantedFinalBars: 10,
    signal,
  };
}
