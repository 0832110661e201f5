import { expect, it } from 'vitest';
import { doesWhatIsWanted } from '../../../src/core/background-arguments.js';

const sandbox = (symbols: string, begin: string): string[] => [
  'sandbox',
  ...['--symbols', symbols, '--begin', begin],
];
const noon = '2026-01-01T12:00:00.000Z';
const later = '2026-01-01T12:30:00.000Z';

it('holds for the same arguments only', () => {
  expect(doesWhatIsWanted(sandbox('BTCUSDT', noon), sandbox('BTCUSDT', noon))).toBe(true);
  expect(doesWhatIsWanted(sandbox('BTCUSDT', noon), sandbox('ETHUSDT', noon))).toBe(false);
  expect(doesWhatIsWanted(['produce'], ['produce', '--quiet'])).toBe(false);
  expect(doesWhatIsWanted(['produce', '--quiet'], ['produce'])).toBe(false);
});

it('lets a history that began earlier stand for one that is to begin later, and not the other way', () => {
  expect(doesWhatIsWanted(sandbox('BTCUSDT', noon), sandbox('BTCUSDT', later))).toBe(true);
  expect(doesWhatIsWanted(sandbox('BTCUSDT', later), sandbox('BTCUSDT', noon))).toBe(false);
  expect(doesWhatIsWanted(['produce', '--from', noon], ['produce', '--from', later])).toBe(true);
  expect(doesWhatIsWanted(['produce', '--from', 'now'], ['produce', '--from', later])).toBe(false);
});
