import { keptPasswords } from "./passwords.ts";

/**
 * Gives every name a database and a role of the same name that owns it, and to which nobody else can connect.
 * Passwords are made once and kept in `file`, so that a URL stays good over starts. Returns the URLs by name.
 */
export async function createServiceDatabases(
  adminUrl: string,
  names: readonly string[],
  file: string,
): Promise<Readonly<Record<string, string>>> {
  const passwords = keptPasswords(file, names);
  const { default: pg } = await import("pg");
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    const urls: Record<string, string> = {};
    for (const name of names) {
      const password = passwords[name] as string;
      await createOne(admin, name, password);
      const url = new URL(adminUrl);
      url.username = name;
      url.password = password;
      url.pathname = `/${name}`;
      urls[name] = url.href;
    }
    return urls;
  } finally {
    await admin.end();
  }
}

async function createOne(admin: import("pg").Client, name: string, password: string): Promise<void> {
  const id = admin.escapeIdentifier(name);
  const role = await admin.query("SELECT 1 FROM pg_roles WHERE rolname = $1", [name]);
  await admin.query(`${role.rowCount ? "ALTER" : "CREATE"} ROLE ${id} LOGIN PASSWORD ${admin.escapeLiteral(password)}`);
  const database = await admin.query("SELECT 1 FROM pg_database WHERE datname = $1", [name]);
  // An administrator who is no superuser must belong to a role to give it a database, and to say who connects to that.
  await admin.query(`GRANT ${id} TO CURRENT_USER`);
  if (!database.rowCount) await admin.query(`CREATE DATABASE ${id} OWNER ${id}`);
  await admin.query(`REVOKE CONNECT, TEMPORARY ON DATABASE ${id} FROM PUBLIC`);
  await admin.query(`REVOKE ${id} FROM CURRENT_USER`);
}
