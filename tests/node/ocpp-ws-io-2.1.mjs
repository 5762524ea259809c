// An OCPP 2.1 charger on npm `ocpp-ws-io` in strict mode: any deviation from the schemas is a failure.
import { OCPPClient } from "ocpp-ws-io";
import { live } from "./flow2x.mjs";
import { fail, settings, step } from "./steps.mjs";

const { url, identity, rounds } = settings();
const client = new OCPPClient({
  endpoint: url,
  identity,
  protocols: ["ocpp2.1"],
  strictMode: true,
  reconnect: false,
  callTimeoutMs: 60_000,
  logging: false,
});
client.on("strictValidationFailure", ({ message, error }) =>
  fail(`schema of ${JSON.stringify(message)}: ${error.message}`),
);
client.on("badMessage", ({ message, error }) => fail(`bad message ${message}: ${error.message}`));
client.on("handlerError", ({ method, error }) => fail(`handler of ${method}: ${error.message}`));
await client.connect();
step("connected", { protocol: client.protocol });
await live(
  {
    call: (action, payload) => client.call(action, payload),
    handle: (action, answer) => client.handle(action, ({ params }) => answer(params)),
  },
  rounds,
);
await client.close();
step("done");
