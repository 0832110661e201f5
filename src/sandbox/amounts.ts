/** Amounts inside the sandbox are whole numbers of 10⁻⁸; nothing of them is ever a fraction in a double. */
export const UNITS_PER_ONE = 100_000_000n;

const AMOUNT = /^(\d{1,11})(?:\.(\d{1,8}))?$/;

/** The units of a decimal text, or undefined where the text is no amount with at most 8 decimals. */
export function parseAmount(text: string): bigint | undefined {
  const match = AMOUNT.exec(text);
  if (match === null) return undefined;
  return BigInt(`${match[1] ?? ''}${(match[2] ?? '').padEnd(8, '0')}`);
}

/** Decimal text with 8 decimals, as the exchange prints prices and quantities. */
export function formatAmount(units: bigint): string {
  const digits = units.toString().padStart(9, '0');
  return `${digits.slice(0, -8)}.${digits.slice(-8)}`;
}

/** A product of two amounts (10⁻¹⁶) as text with 8 decimals: cut, as the exchange does, not rounded. */
export function formatProduct(units: bigint): string {
  return formatAmount(units / UNITS_PER_ONE);
}
