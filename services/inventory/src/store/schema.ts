import type { Migration } from "@weft/store";
import type { ColumnType, Generated } from "kysely";
import type { ReleaseCause, ReservationState } from "../domain/reservation.ts";
import type { Item } from "../domain/stock.ts";
import { catalogue } from "./catalogue.ts";

export interface InventoryDatabase {
  products: ProductsTable;
  reservations: ReservationsTable;
}

export interface ProductsTable {
  id: string;
  name: string;
  description: string;
  currency_code: string;
  /** pg reads int8 as text, since a number can't hold all of it. */
  price_minor_units: ColumnType<string, bigint, bigint>;
  stock: number;
  reserved: number;
}

export interface ReservationsTable {
  order_id: string;
  state: ReservationState["kind"];
  release_cause: ReleaseCause | null;
  /** One value, since it never changes and is only ever read whole. */
  items: ColumnType<readonly Item[], string, never>;
  expires_at: Date;
  /** Failed attempts to free its stock, once its time had come. */
  expiry_attempts: Generated<number>;
  /** When the next attempt is due, after one that failed. */
  postponed_until: Date | null;
}

export const migrations: readonly Migration[] = [
  {
    id: "0001_stock",
    sql: `
      CREATE TABLE products (
        id text COLLATE "C" PRIMARY KEY,
        name text NOT NULL,
        description text NOT NULL,
        currency_code text NOT NULL CHECK (currency_code ~ '^[A-Z]{3}$'),
        price_minor_units bigint NOT NULL CHECK (price_minor_units >= 0),
        stock integer NOT NULL CHECK (stock >= 0),
        reserved integer NOT NULL DEFAULT 0 CHECK (reserved >= 0),
        CONSTRAINT products_reserve_what_is_there CHECK (reserved <= stock)
      ) WITH (fillfactor = 50);

      CREATE TABLE reservations (
        order_id uuid PRIMARY KEY,
        state text NOT NULL CHECK (state IN ('held', 'pinned', 'committed', 'expired', 'released')),
        release_cause text CHECK (release_cause IN ('requested', 'expired', 'orderCancelled')),
        items jsonb NOT NULL,
        expires_at timestamptz(3) NOT NULL,
        CONSTRAINT reservations_released_for_a_cause CHECK ((state = 'released') = (release_cause IS NOT NULL))
      );
      CREATE INDEX reservations_to_expire ON reservations (expires_at) WHERE state = 'held';
    `,
  },
  { id: "0002_catalogue", sql: catalogue },
  {
    // An order of 0 can only end as a declined card: no provider charges nothing.
    id: "0003_price",
    sql: `
      ALTER TABLE products
        DROP CONSTRAINT products_price_minor_units_check,
        ADD CONSTRAINT products_cost_something CHECK (price_minor_units > 0)
    `,
  },
  {
    id: "0004_postponed_expiry",
    sql: `
      ALTER TABLE reservations
        ADD COLUMN expiry_attempts integer NOT NULL DEFAULT 0,
        ADD COLUMN postponed_until timestamptz(3)
    `,
  },
];
