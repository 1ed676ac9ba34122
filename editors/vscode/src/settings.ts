/** What of the settings the server gets: only what somebody set, so that its own files keep their say. */

export interface Inspected {
  globalValue?: unknown;
  workspaceValue?: unknown;
  workspaceFolderValue?: unknown;
}

/** Settings of the extension itself. */
const OURS = /^(server|chatView)\./;

/**
 * Values by dotted key, the most specific one of each.
 *
 * VS Code fills in the defaults of package.json; sent, they would win over the user's `config.toml` and the
 * repository's `.codemoat.toml`.
 */
export function explicitSettings(
  keys: Iterable<string>,
  inspect: (key: string) => Inspected | undefined,
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const key of keys) {
    const found = OURS.test(key) ? undefined : inspect(key);
    const value = found?.workspaceFolderValue ?? found?.workspaceValue ?? found?.globalValue;
    if (value !== undefined) {
      values[key] = value;
    }
  }
  return values;
}

/** Keys below `codemoat.` that a manifest declares. */
export function declaredKeys(manifest: unknown): string[] {
  const parts = (manifest as { contributes: { configuration: { properties: Record<string, unknown> }[] } }).contributes
    .configuration;
  return parts.flatMap((part) => Object.keys(part.properties)).map((key) => key.replace(/^codemoat\./, ''));
}
