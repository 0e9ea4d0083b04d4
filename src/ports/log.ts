/** Structured log. Details never hold tokens, keys, coordinates or file content. */
export interface Log {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
  child(bindings: object): Log;
}
