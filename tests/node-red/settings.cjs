// Node-RED without a head: no editor, nobody told that it runs, and nothing installed by flows.
module.exports = {
    uiHost: "127.0.0.1",
    disableEditor: true,
    credentialSecret: false,
    telemetry: { enabled: false, updateNotification: false },
    externalModules: { autoInstall: false, palette: { allowInstall: false }, modules: { allowInstall: false } },
    logging: { console: { level: "info", metrics: false, audit: false } },
};
