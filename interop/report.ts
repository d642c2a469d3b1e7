/** What was tried with which peer. What could not be tried is no success. */
export function createReport() {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  return {
    async check(name: string, run: () => Promise<void>, timeoutMs = 30_000): Promise<void> {
      const timeout = AbortSignal.timeout(timeoutMs);
      const late = new Promise<never>((_, reject) => {
        timeout.addEventListener("abort", () => reject(new Error(`it did not end within ${timeoutMs} ms`)));
      });
      try {
        await Promise.race([run(), late]);
        passed += 1;
        say(`ok       ${name}`);
      } catch (error) {
        failed += 1;
        say(`FAILED   ${name}: ${error instanceof Error ? error.message : error}`);
      }
    },
    skip(name: string, reason: string): void {
      skipped += 1;
      say(`skipped  ${name}: ${reason}`);
    },
    /** The exit code. */
    finish(): number {
      say(`${passed} passed, ${failed} failed, ${skipped} skipped`);
      return failed === 0 && passed > 0 ? 0 : 1;
    },
  };
}

export type Report = ReturnType<typeof createReport>;
