import type { Migration } from "@weft/store";
import type { ColumnType } from "kysely";

export interface UserDatabase {
  users: UsersTable;
}

export interface UsersTable {
  id: string;
  email: string;
  name: string;
  status: "active" | "deleted";
  created_at: ColumnType<Date, Date, never>;
  updated_at: Date;
}

export const migrations: readonly Migration[] = [
  {
    id: "0001_users",
    sql: `
      CREATE TABLE users (
        id uuid PRIMARY KEY,
        email text NOT NULL,
        name text NOT NULL,
        status text NOT NULL CHECK (status IN ('active', 'deleted')),
        created_at timestamptz(3) NOT NULL,
        updated_at timestamptz(3) NOT NULL
      );
      CREATE UNIQUE INDEX users_active_email ON users (email) WHERE status = 'active';
      CREATE INDEX users_by_age ON users (created_at, id);
    `,
  },
];
