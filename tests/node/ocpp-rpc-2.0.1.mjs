import { live } from "./flow2x.mjs";
import { run } from "./ocpp-rpc.mjs";

await run("ocpp2.0.1", live);
