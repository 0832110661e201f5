import { keptPlaces } from './connection-values.js';
import { UsageError } from './errors.js';
import type { JobParameter, ParameterValues } from './job-parameters.js';
import { sqlOutput, type SqlTarget } from './sql-output.js';
import { sqlArguments } from './sql-parameters.js';
import { readSqlText, type SqlText } from './sql-text.js';

function statementOf(sql: SqlText): string {
  const [statement, second] = sql.statements;
  if (statement === undefined) throw new UsageError('The file holds no statement');
  if (second !== undefined)
    throw new UsageError(`The file holds ${sql.statements.length} statements, and one can be run`, {
      nextStep:
        'Name the steps in WITH, or make a script of them: BEGIN statement; …; END. Its last result counts.',
    });
  return statement;
}

/**
 * What the shipped job `sql` is told: the statement, its typed arguments, and where the rows go.
 * @throws UsageError or ConfigError for what is wrong with any of them.
 */
export function sqlJobValues(
  text: string,
  target: SqlTarget,
  typed: { readonly parameters: readonly JobParameter[]; readonly values: ParameterValues },
  connection: ParameterValues,
): { readonly statement: string; readonly arguments: string; readonly output: string } {
  const sql = readSqlText(text);
  return {
    statement: statementOf(sql),
    arguments: sqlArguments(sql, typed.parameters, typed.values),
    output: JSON.stringify(sqlOutput(target, keptPlaces(connection))),
  };
}
