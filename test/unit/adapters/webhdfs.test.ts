import { afterEach, describe, expect, it } from 'vitest';
import { createWebHdfs } from '../../../src/adapters/webhdfs.js';
import { UnreachableError } from '../../../src/core/errors.js';
import { standIn, type Handler, type StandIn } from '../../support/rest-stand-in.js';

let server: StandIn | undefined;

async function fileStore(handler: Handler) {
  server = await standIn(handler);
  return createWebHdfs({ webUrl: server.url, user: 'hadoop' });
}

afterEach(() => server?.close());

describe('WebHDFS', () => {
  it('goes to the host of the NameNode where the name of the DataNode cannot be resolved', async () => {
    const received: Buffer[] = [];
    const files = await fileStore((request, response, url) => {
      request.on('data', (part: Buffer) => received.push(part));
      if (url.searchParams.get('noredirect') !== 'true') {
        request.on('end', () => response.writeHead(201).end());
        return;
      }
      const port = request.socket.localPort ?? 0;
      const location = `http://datanode.invalid:${port}/webhdfs/v1${url.pathname}?op=CREATE&offset=0`;
      response.end(JSON.stringify({ Location: location }));
    });
    await files.write('/jobs/x.py', new TextEncoder().encode('print(1)'));
    expect(Buffer.concat(received).toString()).toBe('print(1)');
    expect(server?.requests[0]).toBe(
      '/webhdfs/v1/jobs/x.py?op=CREATE&user.name=hadoop&overwrite=true&noredirect=true',
    );
  });

  it('keeps a name with a blank or an equal sign as it is', async () => {
    const files = await fileStore((_request, response) => {
      response.end('{"boolean":true}');
    });
    await files.makeFolder('/lake/dt=2024-08-08/a b');
    expect(server?.requests).toEqual(['/webhdfs/v1/lake/dt%3D2024-08-08/a%20b?op=MKDIRS&user.name=hadoop']);
  });

  it('sums up a folder in one call, and knows one that is not there', async () => {
    const body =
      '{"ContentSummary":{"directoryCount":3,"fileCount":2,"length":24930,"quota":-1,"spaceConsumed":24930}}';
    const files = await fileStore((_request, response, url) => {
      if (url.pathname.endsWith('/none')) response.writeHead(404).end('{}');
      else response.end(body);
    });
    expect(await files.summary('/lake/dt=2024-08-08')).toEqual({ files: 2, sizeBytes: 24_930 });
    expect(await files.summary('/none')).toBeUndefined();
    expect(server?.requests[0]).toContain('op=GETCONTENTSUMMARY');
  });

  it('tells a NameNode that still waits for its blocks from one that refuses', async () => {
    const say = (exception: string, message: string): Handler => {
      const body = JSON.stringify({ RemoteException: { exception, javaClassName: '', message } });
      return (_request, response) => {
        response.writeHead(403).end(body);
      };
    };
    const waiting = await fileStore(
      say('SafeModeException', 'Cannot create /jobs. Name node is in safe mode.'),
    );
    await expect(waiting.makeFolder('/jobs')).rejects.toMatchObject({
      retryable: true,
      message:
        'HDFS refused MKDIRS of /jobs (403): SafeModeException: Cannot create /jobs. Name node is in safe mode.',
    });
    await server?.close();
    const refusing = await fileStore(say('AccessControlException', 'Permission denied: user=x'));
    await expect(refusing.makeFolder('/jobs')).rejects.toMatchObject({ retryable: false });
  });

  it.each([
    [403, 'SafeModeException', 'Name node is in safe mode.', true, /waits for its blocks/],
    [403, 'RetriableException', 'Namenode is in startup mode', true, /try again/],
    [
      403,
      'StandbyException',
      'Operation category WRITE is not supported in state standby',
      true,
      /WEBHDFS_URL/,
    ],
    [403, 'AccessControlException', 'Permission denied: user=x', false, /HADOOP_USER_NAME/],
    [403, 'DSQuotaExceededException', 'The DiskSpace quota of /jobs is exceeded', false, /quota/],
    [403, 'NSQuotaExceededException', 'The NameSpace quota is exceeded', false, /quota/],
    [
      403,
      'IOException',
      'File /jobs/x could only be written to 0 of the 1 minReplication nodes. There are 0 datanode(s) running',
      true,
      /DataNode/,
    ],
    [403, 'IOException', 'Failed to find datanode, suggest to check cluster health.', true, /DataNode/],
    [403, 'SomethingNewException', 'news', false, /\w/],
    [500, 'SomethingNewException', 'news', true, /\w/],
  ])('%i %s "%s" is a refusal; retryable: %s', async (code, name, message, retryable, nextStep) => {
    const body = JSON.stringify({ RemoteException: { exception: name, javaClassName: '', message } });
    const files = await fileStore((_request, response) => {
      response.writeHead(code).end(body);
    });
    await expect(files.makeFolder('/jobs')).rejects.toMatchObject({
      ...{ name: 'RefusedError', exitCode: 4, retryable },
      message: `HDFS refused MKDIRS of /jobs (${code}): ${name}: ${message}`,
      nextStep: expect.stringMatching(nextStep) as string,
    });
  });

  it('says for a page of something else that this is no WebHDFS', async () => {
    const files = await fileStore((_request, response) => {
      response.end('<html><title>Log in to the network</title></html>');
    });
    const words = 'with 200, and not as WebHDFS does: Log in to the network';
    const failure = { name: 'UnreachableError', nextStep: expect.stringContaining('WEBHDFS_URL') as string };
    await expect(files.list('/')).rejects.toMatchObject({
      ...failure,
      message: `HDFS answered LISTSTATUS of / ${words}`,
    });
    await expect(files.makeFolder('/jobs')).rejects.toMatchObject(failure);
    await expect(files.stat('/jobs')).rejects.toMatchObject(failure);
    await expect(files.summary('/jobs')).rejects.toMatchObject(failure);
    await expect(files.rename('/jobs', '/work')).rejects.toMatchObject(failure);
    await expect(files.remove('/jobs')).rejects.toMatchObject(failure);
    await expect(files.read('/jobs')).rejects.toMatchObject(failure);
  });

  it('says that it did not answer, with the setting that names it', async () => {
    const files = await fileStore(() => undefined);
    await server?.close();
    const failure: unknown = await files.stat('/').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UnreachableError);
    expect(failure).toMatchObject({ nextStep: expect.stringContaining('WEBHDFS_URL') as string });
  });
});
