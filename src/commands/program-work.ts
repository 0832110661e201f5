import { UsageError } from '../core/errors.js';
import { resourcesWith, usualResources, type JobResources } from '../core/job.js';
import type { ParameterValues } from '../core/job-parameters.js';
import type { LocalFiles } from '../core/ports/local-files.js';
import { parseSettings } from '../core/program-settings.js';
import { storedPathOf, type StoredFile, type Work } from '../core/submission.js';
import { shellWord } from '../core/run-commands.js';

/** A program that exists already, as a person names it. */
export interface ProgramCall {
  readonly kind: 'jar' | 'python';
  /** A file of this computer, or an address that the workers reach. */
  readonly file: string;
  /** Of a JAR. */
  readonly mainClass: string | undefined;
  readonly args: readonly string[];
  readonly jars: readonly string[];
  /** Of a Python program. */
  readonly pyFiles: readonly string[];
  /** `name=value` of Spark settings. */
  readonly conf: readonly string[];
  /** In the book of runs; without it the file's name, as far as it is one. */
  readonly name: string | undefined;
  readonly single: boolean;
  readonly supervise: boolean;
  readonly resources: Partial<JobResources>;
}

const schemes = ['hdfs', 'http', 'https', 's3a', 'file', 'local'];

function requireEnding(what: string, place: string, endings: readonly string[]): void {
  if (endings.some((ending) => place.endsWith(ending))) return;
  throw new UsageError(`${what} ${place} does not end with ${endings.join(' or ')}`, {
    nextStep: 'Spark tells what a file is by its ending; an address must end with it too.',
  });
}

/** What the workers fetch: an address as it is, a file of this computer once it is stored under its hash. */
async function placed(local: LocalFiles, place: string, files: StoredFile[]): Promise<string> {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(place)?.[1];
  if (scheme === undefined) {
    const file = await local.load(place);
    files.push(file);
    return storedPathOf(file);
  }
  if (!schemes.includes(scheme) || /[\s,]/.test(place))
    throw new UsageError(`${place} is no address that a worker can fetch`, {
      nextStep: `Name a file of this computer, or an address that begins with one of ${schemes.join(', ')}.`,
    });
  // Without a host it is the pipeline's own HDFS, whatever a worker takes for the default.
  return /^hdfs:\/(?!\/)/.test(place) ? place.slice('hdfs:'.length) : place;
}

const namePattern = /^[a-z][a-z0-9-]{0,39}$/;

/** `SparkPi-2.13.jar` is `sparkpi-2-13`. */
function nameOf({ name, file }: ProgramCall, taken: readonly string[]): string {
  const fromFile = (file.split('/').at(-1) ?? '')
    .replace(/\.\w+$/, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-$/g, '')
    .slice(0, 40);
  const chosen = name ?? fromFile;
  const nextStep = 'Choose one by --name: lower case, digits and dashes, at most 40.';
  if (!namePattern.test(chosen)) throw new UsageError(`${chosen || file} is no name for a run`, { nextStep });
  if (taken.includes(chosen))
    throw new UsageError(`${chosen} is the name of a job of the catalogue`, { nextStep });
  return chosen;
}

/** What the book of runs says of it. */
function bookedOf({ file, mainClass, args }: ProgramCall): ParameterValues {
  return {
    file,
    ...(mainClass === undefined ? {} : { class: mainClass }),
    ...(args.length === 0 ? {} : { arguments: args.map(shellWord).join(' ') }),
  };
}

/**
 * What a program that exists already hands to Spark; reads its local files.
 * @param taken names that belong to the catalogue: `stop streaming` must not mean two things.
 * @throws UsageError for everything that was typed wrongly.
 */
export async function programWork(
  local: LocalFiles,
  call: ProgramCall,
  taken: readonly string[],
): Promise<Work> {
  const job = nameOf(call, taken);
  const sparkSettings = parseSettings(call.conf, call.kind);
  requireEnding('The program', call.file, [call.kind === 'jar' ? '.jar' : '.py']);
  call.jars.forEach((jar) => requireEnding('--jar', jar, ['.jar']));
  call.pyFiles.forEach((file) => requireEnding('--py-file', file, ['.py', '.zip', '.egg']));
  const files: StoredFile[] = [];
  const allPlaced = (places: readonly string[]): Promise<string[]> =>
    Promise.all(places.map((place) => placed(local, place, files)));
  const [address = ''] = await allPlaced([call.file]);
  const common = { address, args: call.args, jars: await allPlaced(call.jars) };
  return {
    ...{ job, sparkSettings, files, single: call.single, supervise: call.supervise },
    appName: job,
    registersItself: false,
    parameters: bookedOf(call),
    resources: resourcesWith(usualResources, call.resources),
    program:
      call.kind === 'jar'
        ? { ...common, kind: 'jar', mainClass: call.mainClass ?? '' }
        : { ...common, kind: 'python', pyFiles: await allPlaced(call.pyFiles) },
  };
}
