/** The accounts that order. */
export interface Customers {
  /** Deleted ones included; undefined for an id that nobody has. Throws PeerAwayError. */
  find(userId: string): Promise<Customer | undefined>;
}

export interface Customer {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly status: "active" | "deleted";
  readonly createdAt: Date | undefined;
  readonly updatedAt: Date | undefined;
}
