import { z } from 'zod';
import { UnreachableError } from '../core/errors.js';
import type { MasterReport } from '../core/ports/spark.js';
import { callHttp, summaryOf } from './http.js';

const worker = z.object({
  id: z.string(),
  state: z.string(),
  webuiaddress: z.string(),
  cores: z.number(),
  coresfree: z.number(),
  memory: z.number(),
  memoryfree: z.number(),
});
const driver = z.object({ id: z.string(), state: z.string(), worker: z.string().nullish() });
const app = z.object({ id: z.string(), name: z.string(), state: z.string(), cores: z.number() });
const masterSchema = z.object({
  url: z.string(),
  status: z.string(),
  workers: z.array(worker),
  activedrivers: z.array(driver),
  completeddrivers: z.array(driver),
  activeapps: z.array(app),
  completedapps: z.array(app),
});

function toReport(raw: z.infer<typeof masterSchema>): MasterReport {
  return {
    status: raw.status,
    url: raw.url,
    workers: raw.workers.map((one) => ({
      id: one.id,
      state: one.state,
      webUiAddress: one.webuiaddress,
      cores: one.cores,
      coresFree: one.coresfree,
      memoryMb: one.memory,
      memoryFreeMb: one.memoryfree,
    })),
    drivers: [...raw.activedrivers, ...raw.completeddrivers].map((one) => ({
      id: one.id,
      state: one.state,
      // Spark writes the text "None" for a driver that no worker has taken.
      workerId: one.worker === null || one.worker === 'None' ? undefined : one.worker,
    })),
    apps: [...raw.activeapps, ...raw.completedapps].map(({ id, name, state, cores }) => ({
      id,
      name,
      state,
      cores,
    })),
  };
}

/** Reads the master's `/json/` (org.apache.spark.deploy.JsonProtocol). */
export function createSparkMaster(uiUrl: string): (signal?: AbortSignal) => Promise<MasterReport> {
  return async (signal) => {
    const nextStep = 'Start it with `cryptopipe stack up`, or set SPARK_UI_URL.';
    const answer = await callHttp({
      system: 'The Spark master',
      url: `${uiUrl}/json/`,
      timeoutMs: 5000,
      signal,
      nextStep,
    });
    let raw: unknown;
    try {
      raw = JSON.parse(answer.text);
    } catch {
      raw = undefined;
    }
    const parsed = masterSchema.safeParse(raw);
    if (answer.status !== 200 || !parsed.success)
      throw new UnreachableError(
        `The Spark master at ${uiUrl} answered ${answer.status}, and not as a master does: ${summaryOf(answer.text)}`,
        {
          nextStep: 'Check that SPARK_UI_URL names the web page of a Spark standalone master.',
          retryable: false,
        },
      );
    return toReport(parsed.data);
  };
}
