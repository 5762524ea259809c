// A day of an OCPP 1.6 charger: boot, authorize, charge, stop; then charges that the CSMS starts and stops.
import { Awaited, expect, step } from "./steps.mjs";

const TAG = "FOREIGN-TAG";
let meter = 1000;

const now = () => new Date().toISOString();

// `charger` has call(action, payload) and handle(action, (payload) => answer).
export async function live(charger, rounds) {
  const started = new Awaited();
  const stopped = new Awaited();
  let running = null;
  charger.handle("RemoteStartTransaction", (payload) => {
    started.resolve(payload);
    return { status: running === null ? "Accepted" : "Rejected" };
  });
  charger.handle("RemoteStopTransaction", ({ transactionId }) => {
    if (transactionId !== running) return { status: "Rejected" };
    stopped.resolve();
    return { status: "Accepted" };
  });

  const boot = await charger.call("BootNotification", {
    chargePointVendor: "Foreign",
    chargePointModel: "Node",
    firmwareVersion: "1",
  });
  expect(boot.status === "Accepted", `boot: ${boot.status}`);
  step("booted", { interval: boot.interval });
  await charger.call("Heartbeat", {});
  await report(charger, "Available");
  const { idTagInfo } = await charger.call("Authorize", { idTag: TAG });
  expect(idTagInfo.status === "Accepted", `authorize: ${idTagInfo.status}`);
  step("authorized");
  await stop(charger, await start(charger, TAG, ""), "Local", "");

  for (let round = 0; round < rounds; round += 1) {
    step("waiting");
    const { idTag } = await started.promise;
    started.next();
    running = await start(charger, idTag, "remote_");
    await stopped.promise;
    stopped.next();
    await stop(charger, running, "Remote", "remote_");
    running = null;
  }
}

async function report(charger, status) {
  await charger.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status, timestamp: now() });
}

async function start(charger, idTag, prefix) {
  await report(charger, "Preparing");
  const answer = await charger.call("StartTransaction", {
    connectorId: 1,
    idTag,
    meterStart: meter,
    timestamp: now(),
  });
  expect(answer.idTagInfo.status === "Accepted", `start: ${answer.idTagInfo.status}`);
  expect(Number.isInteger(answer.transactionId) && answer.transactionId > 0, `transaction ${answer.transactionId}`);
  await report(charger, "Charging");
  meter += 250;
  await charger.call("MeterValues", {
    connectorId: 1,
    transactionId: answer.transactionId,
    meterValue: [
      {
        timestamp: now(),
        sampledValue: [
          { value: String(meter), measurand: "Energy.Active.Import.Register", unit: "Wh" },
          { value: "7360.0", measurand: "Power.Active.Import", unit: "W" },
        ],
      },
    ],
  });
  step(`${prefix}started`, { transaction_id: String(answer.transactionId), token: idTag });
  return answer.transactionId;
}

async function stop(charger, transactionId, reason, prefix) {
  await charger.call("StopTransaction", { transactionId, meterStop: meter, timestamp: now(), reason });
  await report(charger, "Finishing");
  await report(charger, "Available");
  step(`${prefix}stopped`, { transaction_id: String(transactionId) });
}
