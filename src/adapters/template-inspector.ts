import { existsSync, readFileSync } from 'node:fs';
import Handlebars from 'handlebars';
import type { ParameterValues } from '../core/job-parameters.js';
import type { TemplateInspector } from '../core/ports/check.js';
import type { Problem } from '../core/problem.js';
import type { Source } from '../core/rendered-lines.js';
import { nearest } from '../core/suggestion.js';
import { checkFiles, sharedFiles, templateHelpers } from './templates.js';

type Statement = hbs.AST.Node;
type Call = hbs.AST.MustacheStatement | hbs.AST.BlockStatement | hbs.AST.SubExpression;

const blocks = ['if', 'unless', 'each', 'with'];
const helperNames = Object.keys(templateHelpers);

interface Parsed {
  readonly tree: hbs.AST.Program | undefined;
  readonly problem: Problem | undefined;
}

/** Of an unbalanced text Handlebars says what it expected; a person looks for the block that has no end. */
function unclosedBlock(text: string): { readonly name: string; readonly line: number } | undefined {
  const open: { name: string; line: number }[] = [];
  for (const match of text.matchAll(/(?<!\\)\{\{([#/])\s*(\w+)/g)) {
    const [, sign, name = ''] = match;
    if (sign === '#') open.push({ name, line: text.slice(0, match.index).split('\n').length });
    else open.pop();
  }
  return open.pop();
}

function parseProblem(file: string, text: string, error: Error): Problem {
  const said = error.message.split('\n');
  const line = Number(/line (\d+)|- (\d+):\d+/.exec(error.message)?.slice(1).find(Boolean) ?? 1);
  const unclosed = error.message.includes("got 'EOF'") ? unclosedBlock(text) : undefined;
  if (unclosed !== undefined)
    return {
      ...{ kind: 'template', file, line: unclosed.line },
      message: `{{#${unclosed.name}}} has no {{/${unclosed.name}}}`,
    };
  return {
    ...{ kind: 'template', file, line },
    message: `is no template: ${[said[1], said.at(-1)].filter(Boolean).join(' ').trim() || error.message}`,
    nextStep: 'A value is {{py name}} or {{name}}; braces of Python are written \\{{.',
  };
}

function parse(file: string, text: string): Parsed {
  try {
    return { tree: Handlebars.parse(text), problem: undefined };
  } catch (error) {
    return { tree: undefined, problem: parseProblem(file, text, error as Error) };
  }
}

/** Goes through one template; what it takes in is left to `include`. */
class Walk extends Handlebars.Visitor {
  readonly problems: Problem[] = [];
  private readonly inline = new Set<string>();
  /** Inside `each` and `with` a name means something else. */
  private depth = 0;

  constructor(
    private readonly file: string,
    private readonly values: ParameterValues,
    private readonly include: (name: string) => boolean,
    private readonly known: readonly string[],
  ) {
    super();
  }

  private say(node: Statement, message: string, nextStep?: string): void {
    const { line, column } = node.loc.start;
    this.problems.push({ kind: 'template', file: this.file, line, column: column + 1, message, nextStep });
  }

  override MustacheStatement(node: hbs.AST.MustacheStatement): void {
    if (node.params.length > 0) this.call(node);
    else if (node.path.type === 'PathExpression') this.value(node.path as hbs.AST.PathExpression);
  }

  override SubExpression(node: hbs.AST.SubExpression): void {
    this.call(node);
  }

  override BlockStatement(node: hbs.AST.BlockStatement): void {
    const { original: name } = node.path;
    if (!blocks.includes(name))
      this.say(node, `there is no block {{#${name}}}`, `Blocks: ${blocks.join(', ')}.`);
    this.params(node);
    const isInside = name === 'each' || name === 'with';
    this.depth += isInside ? 1 : 0;
    // A block that begins with its `else` has no program, whatever its type says.
    for (const part of [node.program, node.inverse] as (hbs.AST.Program | undefined)[])
      if (part !== undefined) this.accept(part);
    this.depth -= isInside ? 1 : 0;
  }

  override PartialStatement(node: hbs.AST.PartialStatement): void {
    const { original: name } = node.name as hbs.AST.PathExpression;
    if (this.inline.has(name) || this.include(name)) return;
    this.say(node, `there is nothing to take in called ${name}${this.meant(name, this.known)}`);
  }

  override DecoratorBlock(node: hbs.AST.DecoratorBlock): void {
    const [name] = node.params;
    if (name?.type === 'StringLiteral') this.inline.add((name as hbs.AST.StringLiteral).value);
    this.accept(node.program);
  }

  private call(node: Call): void {
    const { original: name } = node.path as hbs.AST.PathExpression;
    if (!helperNames.includes(name))
      this.say(
        node,
        `there is no helper ${name}${this.meant(name, helperNames)}`,
        `Helpers: ${helperNames.join(', ')}.`,
      );
    else if (this.params(node)) this.tryOut(node, name as keyof typeof templateHelpers);
  }

  /** A helper may refuse the value that it would get. */
  private tryOut(node: Call, helper: keyof typeof templateHelpers): void {
    const [first] = node.params;
    if (first?.type !== 'PathExpression' || this.depth > 0) return;
    try {
      templateHelpers[helper](this.values[(first as hbs.AST.PathExpression).original]);
    } catch (error) {
      this.say(node, (error as Error).message);
    }
  }

  private params(node: Call): boolean {
    const before = this.problems.length;
    for (const param of node.params)
      if (param.type === 'PathExpression') this.value(param as hbs.AST.PathExpression);
      else if (param.type === 'SubExpression') this.call(param as hbs.AST.SubExpression);
    return this.problems.length === before;
  }

  private value(path: hbs.AST.PathExpression): void {
    if (this.depth > 0 || path.data || path.original in this.values) return;
    const names = Object.keys(this.values);
    this.say(
      path,
      `${path.original} is no parameter of this job${this.meant(path.original, names)}`,
      'Declare it in the manifest; braces of Python, as in an f-string, are written \\{{.',
    );
  }

  private meant(word: string, known: readonly string[]): string {
    const near = nearest(word, known);
    return near === undefined ? '' : `; did you mean ${near}?`;
  }
}

/** Looks into templates that may take in what is shared below `root`, and run through the checks of these folders too. */
export function createTemplateInspector(
  root: string,
  checkFolders: readonly string[] = [],
): TemplateInspector {
  let files: ReadonlyMap<string, string> | undefined;
  const shared = (): ReadonlyMap<string, string> => (files ??= sharedFiles(root));
  const shortened = (path: string): string =>
    path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;

  const visit = (template: string, values: ParameterValues): { problems: Problem[]; sources: Source[] } => {
    const problems: Problem[] = [];
    const sources: Source[] = [];
    const waiting = [template];
    const seen = new Set(waiting);
    const include = (name: string): boolean => {
      const path = shared().get(name);
      if (path !== undefined && !seen.has(path)) waiting.push(path);
      if (path !== undefined) seen.add(path);
      return path !== undefined;
    };
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const file = shortened(path);
      if (!existsSync(path)) {
        problems.push({ kind: 'template', file, message: 'there is no such template' });
        continue;
      }
      const text = readFileSync(path, 'utf8');
      sources.push({ file, text });
      const { tree, problem } = parse(file, text);
      if (problem !== undefined) problems.push(problem);
      const walk = new Walk(file, values, include, [...shared().keys()]);
      if (tree !== undefined) walk.accept(tree);
      problems.push(...walk.problems);
    }
    return { problems, sources };
  };
  return {
    problems: (template, values) => visit(template, values).problems,
    sources: (template) => visit(template, {}).sources,
    checks: (template) =>
      visit(template, {}).sources.some(({ text }) => text.includes('@checks'))
        ? [...checkFiles(root, checkFolders).values()].map((path) => ({
            file: shortened(path),
            text: readFileSync(path, 'utf8'),
          }))
        : [],
  };
}
