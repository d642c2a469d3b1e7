/** Why an order can't be placed. */
export class UserNotFoundError extends Error {
  override readonly name = "UserNotFoundError";
  constructor(id: string) {
    super(`user ${id} does not exist`);
  }
}

export class UserDeletedError extends Error {
  override readonly name = "UserDeletedError";
  constructor(id: string) {
    super(`user ${id} was deleted and can't order`);
  }
}

/** The message names the products. */
export class ProductNotFoundError extends Error {
  override readonly name = "ProductNotFoundError";
}

/** The message names the products that are short. */
export class OutOfStockError extends Error {
  override readonly name = "OutOfStockError";
}

/** An order exists under the user and key, and it is another one. */
export class KeyReusedError extends Error {
  override readonly name = "KeyReusedError";
  constructor() {
    super("the idempotency key was used for another order: use a new key");
  }
}

/** A service that is needed for the answer gave none. The same call can succeed later. */
export class PeerAwayError extends Error {
  override readonly name = "PeerAwayError";
  constructor(peer: string, cause: unknown) {
    super(`the ${peer} service can't be reached: try again`, { cause });
  }
}
