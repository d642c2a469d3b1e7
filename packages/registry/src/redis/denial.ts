/** Whether Redis refused because of its ACL, which a script says in other words than a command. */
export function isDenial(error: unknown): error is Error {
  return error instanceof Error && /^NOPERM|user executing the script|ACL failure in script/.test(error.message);
}
