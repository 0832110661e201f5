import { expect, it } from 'vitest';
import { lowerCase, readSymbolList, symbolProblem, upperCase } from '../../../src/core/symbol.js';

it.each([
  ['btcusdt, ethusdt,BTCUSDT,', ['BTCUSDT', 'ETHUSDT']],
  ['币安人生usdt', ['币安人生USDT']],
  ['1000SATSUSDT,A.B-C_D', ['1000SATSUSDT', 'A.B-C_D']],
  ['straßeusdt,ıUSDT', ['STRAßEUSDT', 'ıUSDT']],
])('%s are the symbols %j', (text, symbols) => {
  const list = readSymbolList(text);
  expect(list.symbols).toEqual(symbols);
  expect(symbolProblem(list)).toBeUndefined();
});

it.each([
  ['BTCUSDT,BTC/USDT', "'BTC/USDT' is not a symbol"],
  ['BTC USDT', "'BTC?USDT' is not a symbol"],
  ["a'b", "'A'B' is not a symbol"],
  ['币\u0000安', "'币?安' is not a symbol"],
  ['A\u001b[31mB', "'A?[31MB' is not a symbol"],
  ['A\u202eB', "'A?B' is not a symbol"],
  ['💰USDT', "'💰USDT' is not a symbol"],
  ['A'.repeat(51), `'${'A'.repeat(51)}' is not a symbol`],
  [' , ', 'names no symbol'],
])('%j is refused: %s', (text, problem) => {
  expect(symbolProblem(readSymbolList(text))).toContain(problem);
});

it('changes the letters A to Z alone between the two cases', () => {
  expect(upperCase('币安人生usdtß')).toBe('币安人生USDTß');
  expect(lowerCase('币安人生USDTİ')).toBe('币安人生usdtİ');
});
