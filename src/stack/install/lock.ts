import { z } from 'zod';
import { readFileSync } from 'node:fs';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const jarSchema = z.object({ path: z.string().regex(/^[\w./-]+\.jar$/), size: z.number().int(), sha256 });
const packageSchema = z.object({ name: z.string(), version: z.string(), sha256: z.array(sha256).min(1) });
const lockSchema = z.object({
  versions: z.object({ kafka: z.string(), hadoop: z.string(), spark: z.string(), scala: z.string() }),
  maven: z.object({
    kafka: z.array(jarSchema),
    hdfs: z.array(jarSchema),
    connectors: z.array(jarSchema),
  }),
  python: z.object({ build: z.array(packageSchema), packages: z.array(packageSchema) }),
});

/** A jar by its path in a Maven repository. */
export type LockedJar = z.infer<typeof jarSchema>;
/** A Python package with the checksums of all its files, whatever Python and processor they are for. */
export type LockedPackage = z.infer<typeof packageSchema>;
export type StackLock = z.infer<typeof lockSchema>;

let lock: StackLock | undefined;

/** The one place of versions and checksums; `scripts/update-stack-lock.mjs` writes the file. */
export function stackLock(): StackLock {
  lock ??= lockSchema.parse(JSON.parse(readFileSync(new URL('../stack.lock.json', import.meta.url), 'utf8')));
  return lock;
}
