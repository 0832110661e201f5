import { join } from 'node:path';

/** The log of a server or background process. */
export const logPathOf = (dataDir: string, name: string): string => join(dataDir, 'logs', `${name}.log`);

/** What a server prints that writes a log of its own: little, and nearly all of it while it starts. */
export const outputPathOf = (dataDir: string, name: string): string => join(dataDir, 'logs', `${name}.out`);
