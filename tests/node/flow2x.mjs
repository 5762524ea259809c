// A day of an OCPP 2.x charger: boot, authorize, charge, stop; then charges that the CSMS starts and stops.
import { randomUUID } from "node:crypto";
import { Awaited, expect, step } from "./steps.mjs";

const TOKEN = { idToken: "FOREIGN-TAG", type: "ISO14443" };
let meter = 1000;

const now = () => new Date().toISOString();

// `charger` has call(action, payload) and handle(action, (payload) => answer).
export async function live(charger, rounds) {
  const started = new Awaited();
  const stopped = new Awaited();
  let running = null;
  charger.handle("RequestStartTransaction", (payload) => {
    started.resolve(payload);
    return { status: running === null ? "Accepted" : "Rejected" };
  });
  charger.handle("RequestStopTransaction", ({ transactionId }) => {
    if (transactionId !== running?.id) return { status: "Rejected" };
    stopped.resolve();
    return { status: "Accepted" };
  });

  const boot = await charger.call("BootNotification", {
    reason: "PowerUp",
    chargingStation: { vendorName: "Foreign", model: "Node", firmwareVersion: "1" },
  });
  expect(boot.status === "Accepted", `boot: ${boot.status}`);
  step("booted", { interval: boot.interval });
  await charger.call("Heartbeat", {});
  await report(charger, "Available");
  const { idTokenInfo } = await charger.call("Authorize", { idToken: TOKEN });
  expect(idTokenInfo.status === "Accepted", `authorize: ${idTokenInfo.status}`);
  step("authorized");
  await stop(charger, await start(charger, TOKEN, null, ""), "StopAuthorized", "Local", "");

  for (let round = 0; round < rounds; round += 1) {
    step("waiting");
    const { idToken, remoteStartId } = await started.promise;
    started.next();
    running = await start(charger, idToken, remoteStartId, "remote_");
    await stopped.promise;
    stopped.next();
    await stop(charger, running, "RemoteStop", "Remote", "remote_");
    running = null;
  }
}

async function report(charger, connectorStatus) {
  await charger.call("StatusNotification", { timestamp: now(), connectorStatus, evseId: 1, connectorId: 1 });
}

function event(transaction, eventType, triggerReason, chargingState, more = {}) {
  const { transactionInfo = {}, ...rest } = more;
  return {
    eventType,
    timestamp: now(),
    triggerReason,
    seqNo: transaction.seqNo++,
    transactionInfo: { transactionId: transaction.id, chargingState, ...transactionInfo },
    meterValue: [
      {
        timestamp: now(),
        sampledValue: [
          { value: meter, measurand: "Energy.Active.Import.Register", unitOfMeasure: { unit: "Wh" } },
          { value: 7360.5, measurand: "Power.Active.Import", unitOfMeasure: { unit: "W" } },
        ],
      },
    ],
    ...rest,
  };
}

async function start(charger, idToken, remoteStartId, prefix) {
  await report(charger, "Occupied");
  const transaction = { id: randomUUID(), seqNo: 0 };
  const remote = remoteStartId !== null;
  const answer = await charger.call(
    "TransactionEvent",
    event(transaction, "Started", remote ? "RemoteStart" : "Authorized", "Charging", {
      idToken,
      evse: { id: 1, connectorId: 1 },
      transactionInfo: remote ? { remoteStartId } : {},
    }),
  );
  expect(answer.idTokenInfo?.status === "Accepted", `start: ${JSON.stringify(answer)}`);
  meter += 250;
  await charger.call("TransactionEvent", event(transaction, "Updated", "MeterValuePeriodic", "Charging"));
  step(`${prefix}started`, { transaction_id: transaction.id, token: idToken.idToken });
  return transaction;
}

async function stop(charger, transaction, triggerReason, stoppedReason, prefix) {
  await charger.call(
    "TransactionEvent",
    event(transaction, "Ended", triggerReason, "EVConnected", { transactionInfo: { stoppedReason } }),
  );
  await report(charger, "Available");
  step(`${prefix}stopped`, { transaction_id: transaction.id });
}
