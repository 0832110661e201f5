import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { createWebHdfs } from '../../src/adapters/webhdfs.js';
import { openChromium } from './chromium.js';

/** What a browser sends with a form of another site: no header of its own, and a body as plain text. */
const browserHeaders = {
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0',
  'Content-Type': 'text/plain',
  Origin: 'https://evil.example',
  'Sec-Fetch-Site': 'cross-site',
};

/** A file of HDFS through WebHDFS, by the NameNode and by the DataNode itself. */
export function webHdfsFile(ports: { nameNodeHttp: number; dataNodeHttp: number; nameNodeRpc: number }) {
  const user = userInfo().username;
  const name = '/cross-site-target';
  const client = createWebHdfs({ webUrl: `http://localhost:${ports.nameNodeHttp}`, user });
  const path = `/webhdfs/v1${name}?user.name=${user}&op=`;
  const nameNode = (call: string): string => `http://localhost:${ports.nameNodeHttp}${path}${call}`;
  const dataNode = (call: string): string =>
    `http://localhost:${ports.dataNodeHttp}${path}${call}&namenoderpcaddress=localhost:${ports.nameNodeRpc}`;
  return {
    nameNode,
    dataNode,
    /** Both as our own client, which has no agent of a browser. */
    write: (text: string): Promise<void> => client.write(name, Buffer.from(text)),
    read: async (): Promise<string> => Buffer.from(await client.read(name)).toString('utf8'),
  };
}

export type WebHdfsFile = ReturnType<typeof webHdfsFile>;

/** Posts as a browser does for a page of another site; the answer's status, redirects not followed. */
export async function postFromOtherSite(url: string): Promise<number> {
  const call = { method: 'POST', headers: browserHeaders, body: 'evil', redirect: 'manual' } as const;
  return (await fetch(url, call)).status;
}

/** What the page tries: each call as a form and as `fetch` without CORS, a PUT and a GET with it. */
const attackPage = `<!doctype html>
<form method="post" enctype="text/plain" target="out"><input name="evil" value="1"></form>
<iframe name="out"></iframe>
<script>
  const textOf = (call) => call.then((response) => (response.ok ? response.text() : ''), () => '');
  async function attack({ posts, put, read }) {
    const form = document.querySelector('form');
    const frame = document.querySelector('iframe');
    for (const url of posts) {
      await textOf(fetch(url, { method: 'POST', mode: 'no-cors', body: 'evil' }));
      form.action = url;
      const sent = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
      form.submit();
      await sent;
    }
    await textOf(fetch(put, { method: 'PUT', body: 'evil' }));
    return textOf(fetch(read));
  }
</script>`;

/** Opens a page of another origin in a real browser, which attacks the file; returns what it could read. */
export async function attackFromPage(file: WebHdfsFile): Promise<string> {
  const server = createServer((_request, response) =>
    response.setHeader('content-type', 'text/html').end(attackPage),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await openChromium();
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const targets = {
      posts: [file.nameNode('APPEND'), file.nameNode('TRUNCATE&newlength=3'), file.dataNode('APPEND')],
      put: file.dataNode('CREATE&overwrite=true'),
      read: file.dataNode('OPEN'),
    };
    return await page.evaluate<string>(`attack(${JSON.stringify(targets)})`);
  } finally {
    await browser.close();
    server.close();
  }
}
