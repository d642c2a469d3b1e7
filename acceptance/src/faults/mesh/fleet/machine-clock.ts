/**
 * Milliseconds of a clock that all processes of this machine share and that nothing sets: what one process notes can be
 * compared with what another does.
 */
export function machineNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
