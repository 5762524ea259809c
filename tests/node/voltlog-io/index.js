"use strict";
// ocpp-ws-io runs with its logging switched off and then calls none of this; the names must exist for its imports.
const silent = () => ({});
module.exports = {
  consoleTransport: silent,
  createLogger: silent,
  createTransport: silent,
  prettyTransport: silent,
};
