import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';
import { describe } from 'vitest';

const usualPlaces = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = [process.env['CRYPTOPIPE_TEST_CHROMIUM'], ...usualPlaces].find(
  (path) => path !== undefined && existsSync(path),
);

/** Like `describe`; where there is no Chromium the tests are skipped and their title says why. */
export function describeInChromium(title: string, tests: () => void): void {
  if (executablePath !== undefined) describe(title, tests);
  else
    describe.skip(
      `${title} (skipped: no Chromium; install Debian's, or set CRYPTOPIPE_TEST_CHROMIUM)`,
      tests,
    );
}

/** A headless browser that can reach this computer alone: its own services find no name, and neither would a page. */
export async function openChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: executablePath ?? '',
    // A sandbox of its own needs rights that root in a container does not have.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
    ],
  });
}
