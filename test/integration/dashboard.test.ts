import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import type pg from 'pg';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createSchema } from '../../src/adapters/postgres-schema.js';
import { createPool } from '../../src/adapters/postgres.js';
import { createApp } from '../../src/compose.js';
import type { JudgedMinute } from '../../src/core/minute-verdict.js';
import { describeInChromium, openChromium } from '../support/chromium.js';
import { DashboardWorld } from '../support/dashboard-world.js';
import { eventually, program } from '../support/pipeline.js';
import { startStack, type TestStack } from '../support/stack.js';

const minuteMs = 60_000;
/** What the issue allows from a bar's being final until it stands on the page. */
const allowedMs = 3_000;
const pictures = resolve(process.env['CRYPTOPIPE_TEST_PICTURES'] ?? '.test-results');

let stack: TestStack;
let pool: pg.Pool;
let world: DashboardWorld;
let server: ReturnType<typeof launch>;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let address: string;
let lostTrades: number;
/** What the page complained of. */
const complaints: string[] = [];
const requested = new Set<string>();

const present = Math.floor(Date.now() / minuteMs) * minuteMs;
const beginAgo = (minutes: number): number => present - minutes * minuteMs;

/** Verify has seen all but the newest minutes, and doubts one. */
const judged = (from: number, to: number, doubted: number): JudgedMinute[] =>
  Array.from({ length: (to - from) / minuteMs }, (_, index) => from + index * minuteMs).map(
    (windowStart) => ({
      windowStart,
      verdict: windowStart === doubted ? 'different' : 'equal',
      isCompared: true,
      differences:
        windowStart === doubted ? [{ field: 'volume', ours: '1.5', theirs: '1.6', difference: '-0.1' }] : [],
      missingIds: [],
    }),
  );

async function fillWarehouse(): Promise<void> {
  const names = { cleanTable: 'crypto.crypto_prices_clean', barTable: 'crypto.crypto_prices_agg_1min' };
  await createSchema(pool, names).migrate();
  world = new DashboardWorld(pool, ['BTCUSDT', 'ETHUSDT'], beginAgo(150));
  lostTrades = world.lose(beginAgo(52) + 20_000, beginAgo(49) + 30_000);
  await world.bookRuns();
  await world.countUntil(beginAgo(5) + 20_000);
  await world.reconcile('BTCUSDT', [
    ...judged(beginAgo(149), beginAgo(53), beginAgo(80)),
    ...judged(beginAgo(47), beginAgo(15), 0),
  ]);
}

const launch = () =>
  execa(process.execPath, [program, 'dashboard', '--json'], {
    env: { ...stack.env, CRYPTO_SYMBOL: 'BTCUSDT' },
    extendEnv: false,
    reject: false,
  });

/** Starts the built program; resolves with the page's address when it has printed that. */
async function startDashboard(): Promise<string> {
  server = launch();
  let text = '';
  server.stdout.on('data', (part: Buffer) => (text += part.toString()));
  return Promise.race([
    eventually('the address of the page', () => Promise.resolve(/"(http:[^"]+)"/.exec(text)?.[1]), 30_000),
    server.then(({ stderr }) => Promise.reject(new Error(`the dashboard ended: ${stderr}`))),
  ]);
}

const newest = (state: string) => page.locator(`#status[data-state="${state}"]`);
const waitForStatus = (state: string): Promise<void> => newest(state).waitFor({ timeout: 30_000 });
/** The proof of a bar, in the table. */
const proofOf = (at: number, proof: string) =>
  page.locator(`#bars tr[data-at="${at}"] td[data-proof="${proof}"]`);
const textOf = (id: string): Promise<string | null> => page.locator(`#${id}`).textContent();
const picture = (name: string): Promise<Buffer> =>
  page.screenshot({ path: join(pictures, `dashboard-${name}.png`), animations: 'disabled' });

/** How many pixels of the chart have a colour of the style sheet. */
const pixelsOf = (colour: string): Promise<number> =>
  page.evaluate<number>(`(() => {
    const wanted = getComputedStyle(document.documentElement).getPropertyValue('--${colour}').trim();
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(wanted.slice(at, at + 2), 16));
    let found = 0;
    for (const canvas of document.querySelectorAll('#chart canvas')) {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      for (let at = 0; at < data.length; at += 4)
        if (data[at] === red && data[at + 1] === green && data[at + 2] === blue && data[at + 3] === 255) found += 1;
    }
    return found;
  })()`);

describeInChromium('the dashboard', () => {
  beforeAll(async () => {
    await mkdir(pictures, { recursive: true });
    stack = await startStack({ name: 'dashboard', portOffset: 15_000, only: ['postgres'] });
    pool = createPool(stack.config.postgres);
    await fillWarehouse();
    address = await startDashboard();
    browser = await openChromium();
    context = await browser.newContext({ viewport: { width: 1440, height: 1120 }, colorScheme: 'dark' });
    page = await context.newPage();
    page.on('console', (message) => {
      const isOfTheTest = message.text().startsWith('Canvas2D: Multiple readback operations');
      if (['error', 'warning'].includes(message.type()) && !isOfTheTest) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => requested.add(new URL(request.url()).host));
    await page.goto(address);
  });
  afterAll(async () => {
    await browser.close();
    server.kill('SIGKILL');
    await pool.end();
    await stack.stop();
  });

  it('shows candles, their proof, holes and runs', async () => {
    await waitForStatus('live');
    for (const colour of ['up', 'down', 'verified', 'final', 'open', 'different'])
      expect([colour, await pixelsOf(colour)]).toEqual([colour, expect.toSatisfy((found) => found > 20)]);
    expect(await pixelsOf('sample')).toBe(0);
    const last = await world.newestFinal('BTCUSDT');
    await proofOf(last.at, 'final').waitFor();
    await proofOf(last.at + minuteMs, 'open').waitFor();
    await proofOf(beginAgo(16), 'verified').waitFor();
    const verified = await world.countVerified('BTCUSDT');
    expect(verified).toBeGreaterThan(100);
    expect(await textOf('proven-note')).toBe(`${verified} verified · 4 not final · 1 different`);
    expect(await textOf('holes')).toBe('1');
    expect(lostTrades).toBeGreaterThan(100);
    expect(await textOf('holes-note')).toBe(`${lostTrades} trades are missing`);
    expect(await textOf('missing')).toMatch(
      new RegExp(`^\\d+ – \\d+${lostTrades} tradesFetch them again: cryptopipe heal$`),
    );
    expect(await textOf('runs')).toMatch(
      /^streamingrunningfor 4 h, heard .* agoqualityfailed.*DataError: 2 rows violate leaves_add_up$/,
    );
  });

  it('has a new bar within three seconds of its being final', async () => {
    for (const minutes of [4, 3, 2]) {
      await world.countUntil(beginAgo(minutes) + 30_000);
      const { at, finalizedAt } = await world.newestFinal('BTCUSDT');
      await proofOf(at, 'final').waitFor({ timeout: 30_000 });
      const lateMs = Date.now() - finalizedAt;
      console.info(`final bar on the page after ${lateMs} ms`);
      expect(lateMs).toBeLessThan(allowedMs);
    }
  });

  it('is kept as a picture, dark and light, and has nothing beside its frame', async () => {
    await picture('dark');
    await page.locator('#theme').click();
    await picture('light');
    await page.locator('#theme').click();
    await page.setViewportSize({ width: 390, height: 800 });
    const overflow = (): Promise<number> =>
      page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    expect(await overflow()).toBe(0);
    await picture('narrow');
    await page.setViewportSize({ width: 1440, height: 1120 });
    expect(await overflow()).toBe(0);
  });

  it('has no complaint of the browser, and asks nobody but its own server', () => {
    expect(complaints).toEqual([]);
    expect([...requested]).toEqual([new URL(address).host]);
  });

  it('says that it is stale when PostgreSQL is killed, and recovers by itself', async () => {
    const { stack: servers } = createApp(stack.config);
    const postgres = (await servers.status()).find(({ name }) => name === 'postgres');
    if (postgres?.state !== 'running' || postgres.pid === undefined) throw new Error('no PostgreSQL runs');
    process.kill(postgres.pid, 'SIGKILL');
    await waitForStatus('stale');
    expect(await textOf('notice')).toMatch(/PostgreSQL .*(did not answer|has not answered|ECONNREFUSED)/);
    await servers.up({ say: () => undefined, signal: AbortSignal.timeout(60_000), only: ['postgres'] });
    await waitForStatus('live');
    expect(await page.locator('#notice').isVisible()).toBe(false);
    await world.countUntil(beginAgo(1) + 30_000);
    const { at } = await world.newestFinal('BTCUSDT');
    await proofOf(at, 'final').waitFor({ timeout: 30_000 });
    expect(complaints).toEqual([]);
    expect([...requested]).toEqual([new URL(address).host]);
  });

  it('refuses a second one on its port, and ends well on Ctrl-C', async () => {
    const second = await launch();
    expect(second).toMatchObject({ exitCode: 3 });
    expect(second.stderr).toContain(`A dashboard is served at ${address} already`);
    server.kill('SIGINT');
    expect(await server).toMatchObject({ exitCode: 0 });
    await waitForStatus('offline');
  });
});
