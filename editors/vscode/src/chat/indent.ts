/** `code` with `indent` before each line but the first; empty lines stay empty. */
export function indented(code: string, indent: string): string {
  return code.replace(/\n(?=[^\n])/g, `\n${indent}`);
}
