/** A line that a service wrote: its structured log, or plain text. */
export type LogLine =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "log";
      readonly level: Level;
      readonly message: string;
      readonly time: Date | undefined;
      readonly fields: Readonly<Record<string, unknown>>;
    };

export type Level = "trace" | "debug" | "info" | "warn" | "error" | "fatal";

const LEVELS: readonly Level[] = ["trace", "debug", "info", "warn", "error", "fatal"];

/** Said of every line, and known from its prefix or of no use on a terminal. */
const QUIET_FIELDS = new Set(["service", "pid", "hostname", "instance", "name", "trace_flags"]);

/** Reads a line of pino's: one JSON object, the level by number (30) or name. */
export function parseLogLine(text: string): LogLine {
  if (!text.startsWith("{")) return { kind: "text", text };
  let object: Readonly<Record<string, unknown>>;
  try {
    object = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { kind: "text", text };
  }
  const { level, msg, time, ...fields } = object;
  if (typeof msg !== "string") return { kind: "text", text };
  const at = typeof time === "number" || typeof time === "string" ? new Date(time) : undefined;
  return { kind: "log", level: levelOf(level), message: msg, time: at, fields };
}

function levelOf(level: unknown): Level {
  if (typeof level === "number") return LEVELS[Math.min(5, Math.max(0, Math.floor(level / 10) - 1))] as Level;
  return LEVELS.find((name) => name === level) ?? "info";
}

/**
 * The addresses in a service's "ready" line by what they are for (`address`, `http`, `grpc`, …): host:port, without
 * scheme. Undefined when the line says something else.
 */
export function readyAddresses(line: LogLine): Readonly<Record<string, string>> | undefined {
  if (line.kind !== "log" || line.message !== "ready") return undefined;
  const { addresses } = line.fields;
  const named = typeof addresses === "object" && addresses !== null ? { ...line.fields, ...addresses } : line.fields;
  const found = Object.entries(named).flatMap(([name, value]) => {
    const address = typeof value === "string" ? /^(?:\w+:\/\/)?([\w.-]+|\[[\w:]+\]):(\d+)\/?$/.exec(value) : null;
    return address === null ? [] : [[name, `${address[1]}:${address[2]}`] as const];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

export type Paint = (style: "dim" | "red" | "yellow" | "bold" | number, text: string) => string;

const STYLES = { dim: "2", red: "31", yellow: "33", bold: "1" } as const;

export function createPaint(colour: boolean): Paint {
  return (style, text) =>
    colour ? `\u001b[${typeof style === "number" ? `38;5;${style}` : STYLES[style]}m${text}\u001b[0m` : text;
}

/** One line for people: time, level where it matters, message, the fields that say more; a stack on lines of its own. */
export function prettyLine(line: LogLine, paint: Paint): string {
  if (line.kind === "text") return line.text;
  const { err, stack, ...fields } = line.fields as { err?: { stack?: string; message?: string }; stack?: string };
  const shown = Object.entries(fields)
    .filter(([name]) => !QUIET_FIELDS.has(name))
    .map(([name, value]) => paint("dim", `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`));
  const time = line.time === undefined ? "" : `${paint("dim", line.time.toISOString().slice(11, 23))} `;
  const trace = err?.stack ?? stack ?? err?.message;
  return `${time}${prettyLevel(line.level, paint)}${[line.message, ...shown].join(" ")}${trace ? `\n${trace}` : ""}`;
}

function prettyLevel(level: Level, paint: Paint): string {
  if (level === "info") return "";
  const text = `${level.toUpperCase()} `;
  return level === "error" || level === "fatal" ? paint("red", text) : paint(level === "warn" ? "yellow" : "dim", text);
}
