import type { RegistryLogger } from "../logger.ts";

/** What an operator was told. */
export interface RecordedLog {
  readonly logger: RegistryLogger;
  readonly warnings: string[];
  readonly errors: string[];
}

export function recordLog(): RecordedLog {
  const warnings: string[] = [];
  const errors: string[] = [];
  return {
    logger: {
      info: () => {},
      warn: (_, message) => void warnings.push(message),
      error: (_, message) => void errors.push(message),
    },
    warnings,
    errors,
  };
}
