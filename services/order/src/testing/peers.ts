import type { DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { InventoryService, inventoryServicePolicies, ReservationStatus } from "@shop/contracts/inventory";
import { UserService, UserStatus, userServicePolicies } from "@shop/contracts/user";
import { type ServedService, type Server, startServer } from "@weft/service";
import { createCommandStore, type Store } from "@weft/store";
import { silentLogger } from "@weft/telemetry";

/** What the order service's peers know and did, for a test to set and to look at. */
export interface World {
  readonly users: Map<string, "active" | "deleted">;
  readonly products: Map<string, { readonly price: bigint; readonly currency: string; stock: number }>;
  /** By order id: what is held, as productId → quantity. */
  readonly reservations: Map<string, ReadonlyMap<string, number>>;
  /** Thrown by the method of that name, once, instead of an answer. */
  readonly failures: Map<"getUser" | "checkAvailability" | "reserveItems", Error>;
  readonly calls: string[];
}

export interface Peers extends Server {
  readonly world: World;
}

/** User and inventory over the network, as their contracts have them, with a world in memory. The database keeps their keyed commands. */
export async function startPeers<DB>(store: Store<DB>): Promise<Peers> {
  const world: World = {
    users: new Map(),
    products: new Map(),
    reservations: new Map(),
    failures: new Map(),
    calls: [],
  };
  const server = await startServer({
    services: [users(world), inventory(world)],
    host: "127.0.0.1",
    port: 0,
    logger: silentLogger,
    commands: createCommandStore(store),
    reflection: false,
  });
  return Object.assign(server, { world });
}

function enter(world: World, method: "getUser" | "checkAvailability" | "reserveItems"): void {
  world.calls.push(method);
  const failure = world.failures.get(method);
  if (!failure) return;
  world.failures.delete(method);
  throw failure;
}

function users(world: World): ServedService {
  const implementation: Partial<ServiceImpl<typeof UserService>> = {
    getUser({ userId }) {
      enter(world, "getUser");
      const status = world.users.get(userId);
      if (!status) throw new ConnectError(`user ${userId} does not exist`, Code.NotFound);
      const user = { id: userId, email: "ada@example.com", name: "Ada Lovelace" };
      return { user: { ...user, status: status === "active" ? UserStatus.ACTIVE : UserStatus.DELETED } };
    },
  };
  return serving(UserService, userServicePolicies, implementation);
}

function inventory(world: World): ServedService {
  const left = (productId: string): number => world.products.get(productId)?.stock ?? 0;
  const implementation: Partial<ServiceImpl<typeof InventoryService>> = {
    checkAvailability({ items }) {
      enter(world, "checkAvailability");
      const unknown = items.filter(({ productId }) => !world.products.has(productId));
      if (unknown.length > 0) {
        const names = unknown.map(({ productId }) => productId).join(", ");
        throw new ConnectError(`products that do not exist: ${names}`, Code.NotFound);
      }
      return {
        items: items.map(({ productId, quantity }) => {
          const { price = 0n, currency = "USD" } = world.products.get(productId) ?? {};
          const unitPrice = { currencyCode: currency, minorUnits: price };
          return {
            productId,
            available: left(productId) >= quantity,
            availableQuantity: left(productId),
            unitPrice,
            productName: productId,
          };
        }),
      };
    },
    reserveItems({ orderId, items }) {
      enter(world, "reserveItems");
      const wanted = new Map(items.map(({ productId, quantity }) => [productId, quantity]));
      const held = world.reservations.get(orderId);
      if (held && JSON.stringify([...held]) !== JSON.stringify([...wanted])) {
        throw new ConnectError(`order ${orderId} has a reservation of other items`, Code.AlreadyExists);
      }
      if (!held) {
        const short = items.filter(({ productId, quantity }) => left(productId) < quantity);
        if (short.length > 0) {
          const names = short.map(({ productId }) => productId).join(", ");
          throw new ConnectError(`too little stock of ${names}`, Code.FailedPrecondition);
        }
        for (const [productId, quantity] of wanted) {
          const product = world.products.get(productId);
          if (product) product.stock -= quantity;
        }
        world.reservations.set(orderId, wanted);
      }
      return { reservation: { orderId, items: [...items], status: ReservationStatus.HELD } };
    },
  };
  return serving(InventoryService, inventoryServicePolicies, implementation);
}

/** The methods that nobody calls here answer UNIMPLEMENTED. */
function serving<S extends DescService>(
  service: S,
  policies: ServedService["policies"],
  implementation: Partial<ServiceImpl<S>>,
): ServedService {
  return { service, policies, implementation: implementation as ServedService["implementation"] };
}
