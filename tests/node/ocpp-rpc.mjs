// Chargers on npm `ocpp-rpc` in strict mode: both directions' schemas are checked, any deviation is a failure.
import { RPCClient } from "ocpp-rpc";
import { fail, settings, step } from "./steps.mjs";

export async function run(protocol, live) {
  const { url, identity, rounds } = settings();
  const client = new RPCClient({
    endpoint: url,
    identity,
    protocols: [protocol],
    strictMode: true,
    reconnect: false,
    callTimeoutMs: 60_000,
  });
  client.on("strictValidationFailure", ({ method, outbound, error }) =>
    fail(`schema of ${method} (${outbound ? "ours" : "the gateway's"}): ${error.message}`),
  );
  client.on("badMessage", ({ buffer, error }) => fail(`bad message ${buffer}: ${error.message}`));
  await client.connect();
  step("connected", { protocol: client.protocol });
  await live(
    {
      call: (action, payload) => client.call(action, payload),
      handle: (action, answer) => client.handle(action, ({ params }) => answer(params)),
    },
    rounds,
  );
  client.removeAllListeners("badMessage");
  await client.close();
  step("done");
}
