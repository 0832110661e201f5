import { execFile, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { dailyArchivePath } from '../../src/adapters/binance-archive-file.js';
import { kafkaTopics } from '../../src/adapters/kafka-topics.js';
import type { Topics } from '../../src/core/ports/topic.js';
import { tickMessage } from '../../src/core/tick-message.js';
import { dayText } from '../../src/core/utc-day.js';
import { archiveFolder, type ArchiveFolder } from '../support/archive-folder.js';
import { describeRecorded, readRecordedCsv, recorded } from '../support/market-data.js';
import { readTopic } from '../support/read-topic.js';
import { aSandbox, stopSandboxes } from '../support/sandbox.js';
import { startStack, type TestStack } from '../support/stack.js';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const symbols = ['BTCUSDT', 'ETHUSDT'];
const tapeOf = (symbol: string): string => `spot_2024-08-08/${symbol}-aggTrades-2024-08-08.csv.gz`;
const topic = 'from_archive';

/** Ids that the archive lacks: in the middle of a day, and around the midnight of the tape. */
const holes = [
  { symbol: 'BTCUSDT', firstId: 3_100_000_501, lastId: 3_100_002_700 },
  { symbol: 'ETHUSDT', firstId: 1_500_002_900, lastId: 1_500_003_400 },
];

let stack: TestStack | undefined;
let topics: Topics;
let archive: ArchiveFolder;
let exchangeUrl: string;

/** The tape as daily files: the first day in ms and without a header, the second one in µs and with one. */
function fillArchive(): void {
  for (const symbol of symbols) {
    const rows = readRecordedCsv(tapeOf(symbol)).filter(
      ([id]) =>
        !holes.some(
          (hole) => hole.symbol === symbol && Number(id) >= hole.firstId && Number(id) <= hole.lastId,
        ),
    );
    for (const day of ['2024-08-08', '2024-08-09']) {
      const lines = rows
        .filter((cells) => dayText(Number(cells[5])) === day)
        .map((cells) => (day === '2024-08-08' ? cells : cells.with(5, `${cells[5] ?? ''}789`)).join(','));
      const header =
        day === '2024-08-08'
          ? ''
          : 'agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker,is_best_match\n';
      archive.add(dailyArchivePath('aggTrades', symbol, day), `${header}${lines.join('\n')}\n`);
    }
  }
}

function start(...more: string[]) {
  const args = ['--feed', 'archive', '--from', '2024-08-08', '--to', '2024-08-09', '--json', ...more];
  const child = spawn(process.execPath, [program, 'produce', '--symbols', symbols.join(','), ...args], {
    env: {
      ...stack?.env,
      KAFKA_TOPIC: topic,
      CRYPTO_API_URL: exchangeUrl,
      CRYPTO_ARCHIVE_URL: archive.folder,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const lines = (): Record<string, unknown>[] =>
    out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { child, ended, lines };
}

const idOf = (message: string): number => (JSON.parse(message) as { aggTradeId: number }).aggTradeId;

/** What the topic shall hold of a row of the tape. */
function messageOf(symbol: string, cells: readonly string[]): string {
  const [id, price = '', quantity = '', first, last, time, maker] = cells;
  return tickMessage({
    source: 'binance-spot',
    symbol,
    aggTradeId: Number(id),
    firstTradeId: Number(first),
    lastTradeId: Number(last),
    price,
    quantity,
    eventTime: Number(time),
    buyerIsMaker: maker === 'True',
  });
}

async function sentSoFar(): Promise<number> {
  return (await topics.offsets(topic)).reduce((sum, { latest }) => sum + Number(latest), 0);
}

describeRecorded('produce --feed archive', () => {
  beforeAll(async () => {
    await promisify(execFile)('npm', ['run', '-s', 'build']);
    archive = archiveFolder();
    fillArchive();
    stack = await startStack({ name: 'produce-archive', portOffset: 7_000, only: ['kafka'] });
    const { brokers, clientId, cursorTopic } = stack.config.kafka;
    topics = kafkaTopics({ brokers, clientId, topic, cursorTopic });
    await topics.ensure();
    // So fast that both days are over before anybody asks.
    const files = symbols.map((symbol) => recorded(tapeOf(symbol)));
    exchangeUrl = (await aSandbox({ tape: { kind: 'recorded', files, speed: 1e8 } })).url;
  });
  afterAll(async () => {
    await stopSandboxes();
    await topics.close();
    await stack?.stop();
    rmSync(archive.folder, { recursive: true });
  });

  it('has every trade of the days after kill -9, also what the archive lacks; a further start sends nothing', async () => {
    const killed = start();
    while (killed.child.exitCode === null && (await sentSoFar()) < 2000)
      await new Promise((resolve) => setTimeout(resolve, 5));
    killed.child.kill('SIGKILL');
    expect(await killed.ended).toBeNull();

    const second = start();
    expect(await second.ended).toBe(0);
    const messages = await readTopic({ brokers: stack?.config.kafka.brokers ?? [], topics }, topic);
    for (const symbol of symbols) {
      const byId = new Map(
        messages.filter(({ key }) => key === symbol).map(({ value }) => [idOf(value), value]),
      );
      const sent = [...byId].sort(([one], [other]) => one - other).map(([, value]) => value);
      expect(sent).toEqual(readRecordedCsv(tapeOf(symbol)).map((cells) => messageOf(symbol, cells)));
    }

    const before = await sentSoFar();
    const third = start();
    expect(await third.ended).toBe(0);
    expect(await sentSoFar()).toBe(before);
    expect(third.lines().at(-1)).toMatchObject({ type: 'summary', ended: 'caught up', sent: 0 });

    const all = start('--ignore-cursor');
    expect(await all.ended).toBe(0);
    expect(await sentSoFar()).toBe(before + 11_349 + 7_396);
    const archived = { files: 4, missingFiles: 0, holes: 2, fetched: 2200 + 501, unpublishedIds: 0 };
    expect(all.lines().at(-1)).toMatchObject({ type: 'summary', archive: archived });
    expect(all.lines().filter(({ type }) => type === 'hole')).toHaveLength(2);
  });
});
