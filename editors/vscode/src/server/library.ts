/** What of the language client is used; a bundle of its own, loaded once the editor is up. */

export {
  CloseAction,
  ErrorAction,
  LanguageClient,
  RevealOutputChannelOn,
  State,
} from 'vscode-languageclient/node';
