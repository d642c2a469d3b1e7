/** Where the registry says what an operator should know; a pino logger is one. */
export interface RegistryLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
