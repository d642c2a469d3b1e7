// Preloaded: this process's wall clock is wrong by CLOCK_OFF_MS. The monotonic clock is not, as on a real machine whose clock is.
const offMs = Number(process.env.CLOCK_OFF_MS ?? 0);
const RealDate = Date;
const now = RealDate.now.bind(RealDate);

globalThis.Date = new Proxy(RealDate, {
  apply: () => new RealDate(now() + offMs).toString(),
  construct: (target, given: unknown[], newTarget) =>
    Reflect.construct(target, given.length === 0 ? [now() + offMs] : given, newTarget),
  get: (target, name, receiver) => (name === "now" ? () => now() + offMs : Reflect.get(target, name, receiver)),
});
