import { z } from 'zod';
import { UnreachableError } from '../core/errors.js';
import type { MasterReport } from '../core/ports/spark.js';
import { workerAddress } from '../core/worker-address.js';
import { patientCalls, type PatientCalls } from './patience.js';
import { directHttp, type HttpClient } from '../http/http-client.js';
import { isHalfJson, jsonOf, summaryOf } from '../http/http-call.js';

const worker = z.object({
  id: z.string(),
  host: z.string(),
  state: z.string(),
  webuiaddress: z.string(),
  cores: z.number(),
  coresfree: z.number(),
  memory: z.number(),
  memoryfree: z.number(),
});
const driver = z.object({ id: z.string(), state: z.string(), worker: z.string().nullish() });
const app = z.object({
  id: z.string(),
  name: z.string(),
  state: z.string(),
  cores: z.number(),
  duration: z.number(),
});
const masterSchema = z.object({
  url: z.string(),
  status: z.string(),
  workers: z.array(worker),
  activedrivers: z.array(driver),
  completeddrivers: z.array(driver),
  activeapps: z.array(app),
  completedapps: z.array(app),
});

function toReport(raw: z.infer<typeof masterSchema>, uiUrl: string): MasterReport {
  return {
    status: raw.status,
    url: raw.url,
    workers: raw.workers.map((one) => ({
      id: one.id,
      state: one.state,
      webUiAddress: workerAddress({ told: one.webuiaddress, host: one.host }, uiUrl),
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
    apps: [...raw.activeapps, ...raw.completedapps].map(({ id, name, state, cores, duration }) => ({
      ...{ id, name, state, cores },
      durationMs: duration,
      pageUrl: `${uiUrl}/app/?appId=${id}`, // org.apache.spark.deploy.master.ui.ApplicationPage
    })),
  };
}

const defaultTimeoutMs = 5000;
/** A busy master with its retained drivers and applications gives less than one. */
const maxBytes = 32 * 1024 * 1024;

/** Reads the master's `/json/` (org.apache.spark.deploy.JsonProtocol). */
export function createSparkMaster(
  uiUrl: string,
  timeoutMs = defaultTimeoutMs,
  http: HttpClient = directHttp,
  calls: PatientCalls = patientCalls('spark', undefined),
): (signal?: AbortSignal) => Promise<MasterReport> {
  const read = async (signal?: AbortSignal): Promise<MasterReport> => {
    const answer = await http.call({
      system: 'The Spark master',
      url: `${uiUrl}/json/`,
      nextStep: 'Start it with `cryptopipe stack up`, or set SPARK_UI_URL.',
      ...{ timeoutMs, maxBytes, signal },
    });
    const parsed = masterSchema.safeParse(jsonOf(answer));
    if (answer.status === 200 && parsed.success) return toReport(parsed.data, uiUrl);
    const mayPass = answer.status >= 500 || isHalfJson(answer);
    throw new UnreachableError(
      `The Spark master at ${uiUrl} answered ${answer.status}, and not as a master does: ${summaryOf(answer.text)}`,
      {
        nextStep: mayPass
          ? 'It may be starting: try again in a moment.'
          : 'Check that SPARK_UI_URL names the web page of a Spark standalone master.',
        retryable: mayPass,
      },
    );
  };
  return (signal) => calls.repeatable(() => read(signal), signal);
}
