import { live } from "./flow16.mjs";
import { run } from "./ocpp-rpc.mjs";

await run("ocpp1.6", live);
