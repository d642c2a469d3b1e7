import { metrics, trace } from "@opentelemetry/api";
import { detectResources, envDetector, type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, MetricReader, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, ConsoleSpanExporter, type SpanExporter, TracerProvider } from "@opentelemetry/sdk-trace";
import { ATTR_SERVICE_INSTANCE_ID, ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from "@opentelemetry/semantic-conventions";
import { callDurations } from "./call-durations.ts";
import { installFrames } from "./frame-context.ts";
import { useW3C } from "./propagation.ts";
import { noSampler, samplerFromEnvironment } from "./sampler.ts";
import { idGenerator, setSampling } from "./sampling.ts";

/** Variables that OpenTelemetry's specification names; the rest of them (headers, protocol details) the exporters read themselves. */
export type TelemetryEnvironment = Readonly<Record<string, string | undefined>>;

export interface TelemetryOptions {
  /** `service.name`, unless OTEL_SERVICE_NAME says otherwise. */
  readonly service: string;
  readonly instance: string;
  readonly version?: string;
  /** Metrics can be scraped: they cost what they cost when somebody does. */
  readonly prometheus?: boolean;
  readonly env?: TelemetryEnvironment;
  /** What ids of traces and spans are made of, in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
}

export interface Telemetry {
  /** All metrics in Prometheus's text format (version 0.0.4); undefined unless `prometheus` was asked for. */
  readonly scrape: (() => Promise<string>) | undefined;
  /** Sends what is still held and stops; it gives up after 5 s. */
  shutdown(): Promise<void>;
}

/**
 * Sets OpenTelemetry up for this process, by the standard environment variables. Without an exporter spans are not
 * recorded, but trace ids are still made, handed on (a sampled trace stays one) and written to the logs.
 */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const env = options.env ?? process.env;
  installFrames();
  useW3C();
  const resource = describe(options, env);
  const exporter = env.OTEL_SDK_DISABLED === "true" ? undefined : await spanExporter(env);
  const { sampler, sampling } = exporter ? samplerFromEnvironment(env) : noSampler;
  setSampling(sampling, options.random ?? Math.random);
  const tracerProvider = new TracerProvider({
    resource,
    sampler,
    idGenerator,
    spanProcessors: exporter ? [new BatchSpanProcessor({ exporter, ...batching(env) })] : [],
  });
  trace.setGlobalTracerProvider(tracerProvider);
  const { readers, scrape } = await metricReaders(options, env);
  const meterProvider = readers.length === 0 ? undefined : new MeterProvider({ resource, readers });
  if (meterProvider) metrics.setGlobalMeterProvider(meterProvider);
  return {
    scrape,
    async shutdown() {
      const timeout = AbortSignal.timeout(5_000);
      const expired = new Promise<void>((resolve) =>
        timeout.addEventListener("abort", () => resolve(), { once: true }),
      );
      await Promise.race([Promise.allSettled([tracerProvider.shutdown(), meterProvider?.shutdown()]), expired]);
    },
  };
}

function describe(options: TelemetryOptions, env: TelemetryEnvironment): Resource {
  return resourceFromAttributes({
    [ATTR_SERVICE_NAME]: options.service,
    [ATTR_SERVICE_INSTANCE_ID]: options.instance,
    ...(options.version === undefined ? {} : { [ATTR_SERVICE_VERSION]: options.version }),
  })
    .merge(detectResources({ detectors: [envDetector] }))
    .merge(resourceFromAttributes(env.OTEL_SERVICE_NAME ? { [ATTR_SERVICE_NAME]: env.OTEL_SERVICE_NAME } : {}));
}

/** Loaded only when asked for: the exporters weigh several megabytes. */
async function spanExporter(env: TelemetryEnvironment): Promise<SpanExporter | undefined> {
  const endpoint = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const kind = env.OTEL_TRACES_EXPORTER ?? (endpoint ? "otlp" : "none");
  switch (kind) {
    case "none":
      return undefined;
    case "console":
      return new ConsoleSpanExporter();
    case "otlp": {
      const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-proto");
      return new OTLPTraceExporter();
    }
    default:
      throw new Error(`OTEL_TRACES_EXPORTER=${kind} is not supported: use otlp, console or none.`);
  }
}

function batching(env: TelemetryEnvironment): { scheduledDelayMillis?: number } {
  const delay = Number(env.OTEL_BSP_SCHEDULE_DELAY);
  return Number.isFinite(delay) && delay > 0 ? { scheduledDelayMillis: delay } : {};
}

/** What reads the metrics: an OTLP collector now and then, Prometheus when it asks. */
async function metricReaders(options: TelemetryOptions, env: TelemetryEnvironment): Promise<Readers> {
  const endpoint = env.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT ?? env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const kind = env.OTEL_METRICS_EXPORTER ?? (endpoint ? "otlp" : "none");
  const readers: MetricReader[] = [];
  let scrape: Telemetry["scrape"];
  if (env.OTEL_SDK_DISABLED === "true") return { readers, scrape };
  if (kind !== "none" && kind !== "otlp")
    throw new Error(`OTEL_METRICS_EXPORTER=${kind} is not supported: use otlp or none.`);
  const metricProducers = [callDurations];
  if (kind === "otlp") {
    const { OTLPMetricExporter } = await import("@opentelemetry/exporter-metrics-otlp-proto");
    const interval = Number(env.OTEL_METRIC_EXPORT_INTERVAL);
    const exporter = new OTLPMetricExporter();
    const every = interval > 0 ? { exportIntervalMillis: interval } : {};
    readers.push(new PeriodicExportingMetricReader({ exporter, metricProducers, ...every }));
  }
  if (options.prometheus) {
    const { PrometheusSerializer } = await import("@opentelemetry/exporter-prometheus");
    const reader = new OnDemandReader({ metricProducers });
    const serializer = new PrometheusSerializer();
    readers.push(reader);
    scrape = async () => serializer.serialize((await reader.collect()).resourceMetrics);
  }
  return { readers, scrape };
}

interface Readers {
  readonly readers: MetricReader[];
  readonly scrape: Telemetry["scrape"];
}

/** Collects when it is asked, and not before. */
class OnDemandReader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}
