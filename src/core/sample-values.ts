import type { JobParameter, ParameterValues } from './job-parameters.js';

function sampleOf(parameter: JobParameter): string | number | boolean {
  switch (parameter.type) {
    case 'boolean':
      return false;
    case 'choice':
      return parameter.choices[0] ?? '';
    case 'url':
      return `${parameter.schemes[0] ?? 'hdfs'}://sample/sample`;
    case 'text':
      return 'sample';
    case 'integer':
      return Number(parameter.min ?? parameter.max ?? '1');
    case 'decimal':
      return parameter.min ?? parameter.max ?? '1';
    case 'date':
      return parameter.min ?? parameter.max ?? '2026-01-01';
    case 'time':
      return parameter.min ?? parameter.max ?? '2026-01-01T00:00:00Z';
  }
}

/** A value of the right type for each parameter, to look at a job whose values are not known yet. */
export function sampleValues(parameters: readonly JobParameter[]): ParameterValues {
  return Object.fromEntries(parameters.map((parameter) => [parameter.name, sampleOf(parameter)]));
}
