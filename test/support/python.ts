import { execFileSync } from 'node:child_process';

/** Fails with Python's own message where a text is no Python. */
export function compilesAsPython(text: string): void {
  execFileSync('python3', ['-c', 'import ast, sys; ast.parse(sys.stdin.read())'], { input: text });
}
