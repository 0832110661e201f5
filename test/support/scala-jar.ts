import { join } from 'node:path';
import { execa } from 'execa';

/**
 * Compiles one Scala file into a JAR, by the compiler that Spark brings for its shell: neither a JDK nor a download is
 * needed. Spark's own example JAR is not in the Python package, and no repository has it for this version.
 */
export async function compileScala(sparkHome: string, source: string, jar: string): Promise<void> {
  const jars = join(sparkHome, 'jars', '*');
  const home = process.env['JAVA_HOME'];
  const java = home === undefined ? 'java' : join(home, 'bin', 'java');
  await execa(java, ['-cp', jars, 'scala.tools.nsc.Main', '-usejavacp', '-d', jar, source]);
}
