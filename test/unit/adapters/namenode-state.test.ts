import { afterEach, describe, expect, it } from 'vitest';
import { createNameNodeState } from '../../../src/adapters/namenode-state.js';
import { directHttp } from '../../../src/http/http-client.js';
import { standIn, type StandIn } from '../../support/rest-stand-in.js';

let server: StandIn | undefined;
afterEach(() => server?.close());

async function stateOf(answer: unknown) {
  server = await standIn((_request, response) => {
    response.end(JSON.stringify(answer));
  });
  return createNameNodeState(server.url, directHttp)();
}

/** As a NameNode of Hadoop 3.5 answers, with fewer fields. */
const bean = {
  name: 'Hadoop:service=NameNode,name=NameNodeInfo',
  Safemode: '',
  Total: 271_000_000_000,
  Free: 81_700_000_000,
  NumberOfMissingBlocks: 0,
  LiveNodes: JSON.stringify({
    'one:9866': { infoAddr: '127.0.0.1:9864', lastContact: 1 },
    'two:9866': { infoAddr: '127.0.0.1:9865', lastContact: 21 },
  }),
};

describe('the state of the NameNode', () => {
  it('has the space, and the DataNodes that reported a moment ago', async () => {
    expect(await stateOf({ beans: [bean] })).toEqual({
      safeMode: undefined,
      capacityBytes: 271_000_000_000,
      remainingBytes: 81_700_000_000,
      liveDataNodes: 1,
      missingBlocks: 0,
    });
    expect(server?.requests).toEqual(['/jmx?qry=Hadoop:service=NameNode,name=NameNodeInfo']);
  });

  it('has the reason of a safe mode', async () => {
    const Safemode = 'Safe mode is ON. The reported blocks 0 needs additional 3 blocks';
    expect(await stateOf({ beans: [{ ...bean, Safemode }] })).toMatchObject({ safeMode: Safemode });
  });

  it('is unknown at something else that speaks WebHDFS', async () => {
    expect(await stateOf({ beans: [] })).toBeUndefined();
    await server?.close();
    expect(await stateOf('a page')).toBeUndefined();
  });
});
