import type { Texts } from './texts.ts'

const counted = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`

export const en: Texts = {
  help: {
    fieldline: `Reads hosts and devices, loses nothing on the way, and says what is going wrong.

Usage: fieldline COMMAND [OPTIONS]

Daemons
  agent       read this host and send what it read
  gateway     an agent that also polls devices (PLCs over Modbus)
  collector   commit, keep, judge and show what comes in

Tools
  check          say everything that is wrong with a configuration file
  test           read one source once and show what would be sent
  browse         look around an OPC UA server and write a configuration for it
  inventory      show the boards and memory modules of this machine
  probe          find out what a Modbus device has
  status         show how the daemons of this host are doing
  demo           run all of it here, with a simulated PLC
  smart-reports  ask the disks for their health, for the agent (needs root)

  --help      this text; fieldline COMMAND --help tells more of a command
  --version   the version

Examples
  fieldline demo
  fieldline test cpu
  fieldline agent --config /etc/fieldline/agent.yaml`,

    agent: `Reads this host and sends what it read; keeps it in its spool until the far end has committed it.

Usage: fieldline agent [--config FILE]

  --config FILE   the configuration (default /etc/fieldline/agent.yaml)

Without --config, where FIELDLINE_* variables are set, they are the configuration: docs/sidecar.md.

SIGTERM or Ctrl-C drains and ends; a second one ends at once.

Examples
  fieldline agent
  fieldline agent --config ./agent.yaml
  fieldline check ./agent.yaml`,

    gateway: `An agent that also polls devices, such as PLCs over Modbus TCP.

Usage: fieldline gateway [--config FILE]

  --config FILE   the configuration (default /etc/fieldline/gateway.yaml)

SIGTERM or Ctrl-C drains and ends; a second one ends at once.

Examples
  fieldline gateway
  fieldline gateway --config ./gateway.yaml
  fieldline test press-4 --config ./gateway.yaml`,

    collector: `Commits what agents and gateways send, keeps its history, finds what is going wrong, and shows it on a page.

Usage: fieldline collector [--config FILE]

  --config FILE   the configuration (default /etc/fieldline/collector.yaml)

SIGTERM or Ctrl-C drains and ends; a second one ends at once.

Examples
  fieldline collector
  fieldline collector --config ./collector.yaml`,

    check: `Says everything that is wrong with a configuration file: line, column, and what would be right. Changes nothing.

Usage: fieldline check FILE [--resolved] [--for DAEMON]
       fieldline check --env [--resolved]

  --resolved     print the configuration as JSON, anchors and comments resolved
  --for DAEMON   it must be for agent, gateway or collector
  --env          check the FIELDLINE_* variables that configure an agent without a file

Status 0: the file is right. 1: it is not. 2: wrong usage.

Examples
  fieldline check /etc/fieldline/agent.yaml
  fieldline check --resolved agent.yaml`,

    test: `Reads one source once and shows what would be sent. Sends and keeps nothing.

Usage: fieldline test SOURCE [--config FILE] [--json]

  SOURCE          a source's type, or its name in the configuration
  --config FILE   take the source's options from this file
  --json          one line of JSON instead of a table

Examples
  fieldline test cpu
  fieldline test filesystem --json
  fieldline test press-4 --config /etc/fieldline/gateway.yaml`,

    browse: `Walks the address space of an OPC UA server and writes a configuration of a gateway that reads its variables:
names, node ids, types, units. Reads only.

Usage: fieldline browse URL [--from NODE] [--depth N] [--save FILE] [--insecure]
                 [--user NAME --password-file FILE] [--certificates FOLDER]

  URL                     the server, such as opc.tcp://192.168.0.20:4840
  --from NODE             begin below this node (default i=85, all objects)
  --depth N               look so many steps deep (default 20)
  --save FILE             write to this file, which must not exist (default: print)
  --insecure              without encryption, and without knowing who the server is
  --user NAME             log in by name, with the password in a file
  --password-file FILE    the file that holds the password
  --certificates FOLDER   own certificate, and those of trusted servers (default .fieldline/opcua)

At most 150,000 nodes and 10 minutes; it says where it stopped.

Examples
  fieldline browse opc.tcp://192.168.0.20:4840
  fieldline browse opc.tcp://192.168.0.20:4840 --from "ns=2;s=Line1" --save line1.yaml
  fieldline browse opc.tcp://localhost:4840 --insecure`,

    inventory: `Shows the boards, the firmware and, for root, the memory modules of this machine, as JSON of the package
systeminformation. The source of the same name asks it, and adds disks, interfaces, processors and GPUs.

Usage: fieldline inventory

Examples
  fieldline inventory
  fieldline test inventory`,

    probe: `Finds out who answers at a Modbus address, what it says of itself and where it has something to read, and prints the
configuration to begin with. It only reads.

Usage: fieldline probe URL [--scan] [--timeout DURATION] [--pace DURATION]

  URL                 modbus-tcp://HOST:502/UNIT, modbus-rtu-tcp://HOST:PORT/UNIT for a converter, or
                      modbus-rtu:///dev/ttyUSB0?baud=19200&parity=even&unit=UNIT; without a unit 1, 255 and 0 are tried
  --scan              ask all unit ids from 1 to 247
  --timeout DURATION  how long to wait for an answer (default 1s, with --scan 300ms)
  --pace DURATION     how long to leave the device alone between two questions (default 20ms)

A scan asks one unit after another and takes up to 75 s where nobody answers. A bus that another master uses should not be
scanned on RTU: both would talk at once.

Status 0: somebody answers. 1: nobody does.

Examples
  fieldline probe modbus-tcp://192.168.0.10
  fieldline probe modbus-tcp://192.168.0.10:502/1 --scan
  fieldline probe "modbus-rtu:///dev/ttyUSB0?baud=9600&unit=3"`,

    status: `Shows how the daemons of this host are doing: what they read, what waits, what was committed and refused.

Usage: fieldline status [--config FILE] [--json]

  --config FILE   ask the daemon of this configuration (default: all in /etc/fieldline)
  --json          one line of JSON instead of tables

Status 0: all run. 1: one does not.

Examples
  fieldline status
  fieldline status --config ./gateway.yaml --json`,

    demo: `Runs a broker, a collector with its page, an agent on this host and a gateway that polls a simulated PLC.

Usage: fieldline demo [--for DURATION] [--state FOLDER]

  --for DURATION   end by itself, such as 30s
  --state FOLDER   where spools and history are kept (default .fieldline/demo)

It ends with a summary whose last line is JSON. Status 1: a sample was lost or stored twice.

Examples
  fieldline demo
  fieldline demo --for 30s`,

    'smart-reports': `Asks each disk of this host by smartctl how it is, and leaves the reports for the agent's source smart.

Usage: fieldline smart-reports --to FOLDER

  --to FOLDER   where the reports go; they are replaced, everyone may read them

Needs root and the package smartmontools; fieldline-smart.timer runs it. A disk that sleeps is not woken. One that does
not answer within 30 s is named with the reason and does not stop the others.

Status 0: all were asked. 1: smartctl is missing, or does not find out what disks there are.

Examples
  fieldline smart-reports --to /run/fieldline/smart
  fieldline smart-reports --to /tmp/smart`,
  },

  said: {
    seeHelp: command => `Try: ${command}`,
    unknownCommand: (word, known) => `unknown command ${JSON.stringify(word)}; known are ${known}`,
    unknownCommandNear: (word, near) => `unknown command ${JSON.stringify(word)}; did you mean ${near}?`,
    unknownSource: (word, known) => `unknown source ${JSON.stringify(word)}; known are ${known}`,
    unknownSourceNear: (word, near) => `unknown source ${JSON.stringify(word)}; did you mean ${near}?`,
    needsOptions: (type, lacks) => `source ${type} does not go without options; give --config FILE\n${lacks}`,
    noSources: file => `${file} is a collector's; it has no sources`,
    onlyListens: name => `source ${name} only listens: there is nothing to read once`,
    nothingRead: origins =>
      origins === ''
        ? 'No data: there is nothing of it on this machine.'
        : `No data: this machine shows nothing of it in ${origins}.`,
    column: { name: 'name', attributes: 'attributes', value: 'value', unit: 'unit' },
    twoConfigurations: file =>
      `there are FIELDLINE_* variables and ${file}: give --config to take the file, or remove one of them`,
    configRight: (file, daemon, sources, uplinks) =>
      daemon === 'collector'
        ? `${file}: right, for a collector`
        : `${file}: right, for ${daemon === 'agent' ? 'an agent' : 'a gateway'} with ${counted(sources, 'source')} and ${counted(uplinks, 'uplink')}`,
    running: (daemon, address) => `${daemon}: running, ${address}`,
    notRunning: (daemon, address, trouble) => `${daemon}: does not answer at ${address} (${trouble})`,
    metricsOff: 'metrics: off in its configuration',
    spoolThere: (file, size, time) => `its spool ${file} has ${size}, last written ${time}`,
    whatToDo: (daemon, config) =>
      `See why:  journalctl -u fieldline-${daemon} -n 50\nStart it: systemctl start fieldline-${daemon}\n` +
      `or here:  fieldline ${daemon}${config === undefined ? '' : ` --config ${config}`}`,
    noDrives: 'smartctl finds no disks here.',
    browsing: (visited, variables) => `${visited} nodes seen, ${counted(variables, 'variable')} among them`,
    browsed: (url, visited, variables) =>
      `${url}: ${counted(visited, 'node')} seen, ${counted(variables, 'variable')} among them`,
    browseLeft: {
      depth: 'There is more below: --depth goes deeper.',
      nodes: 'There is more: 150,000 nodes are the most. Begin further inside with --from.',
      time: 'There is more: the time is over. Begin further inside with --from.',
    },
    browseRefused: nodes => `The server does not tell what lies below ${counted(nodes, 'node')}.`,
    browseSaved: file => `Written to ${file}. Check it: fieldline check ${file}`,
    fileExists: file => `${file} exists already`,
    probeSilent: (unit, reason) => `Unit ${unit} does not answer: ${reason}`,
    probeNobody: 'Nobody answers. Are address, port, unit id and, on a serial line, baud and parity right? Try --scan.',
    probeProgress: (asked, of, answer) => `${asked} of ${of} unit ids asked, ${answer} answer`,
    probeUnits: units => `These unit ids answer: ${units}`,
    probeEveryUnit: 'Every unit id is answered: there is one device, which does not look at it.',
    probeFirstUnits: most => `Looking into the first ${most} of them.`,
    probeUnit: unit => `Unit ${unit} answers.`,
    probeIdentity: identity => `It calls itself: ${identity}`,
    probeNoIdentity: 'It says nothing of itself (function 43/14).',
    probeSunspec: (base, models) => `It is a SunSpec device: map at ${base}, models ${models}.`,
    probeNothing: 'At none of the usual addresses there is anything to read: see its manual.',
    probeColumns: { table: 'table', addresses: 'addresses', values: 'values' },
    probeNext: 'Next: save this as gateway.yaml, then: fieldline test device --config gateway.yaml',
    probeTemplates: 'or a template such as sdm630: docs/modbus.md',
    demoSimulated: 'The PLC is simulated and marked so everywhere; this host is real.',
    demoPortTaken: port => `Port ${port} is taken; the page is on a free one.`,
    demoPage: url => `The page is at ${url}  (Ctrl-C ends)`,
    demoLine: (perSecond, spooled, committed, p99, findings) =>
      `${perSecond} samples/s read  ${spooled} envelopes spooled  ${committed} samples committed  p99 ${p99}  ${findings} open findings`,
    demoSummary: ({ read, committed, waiting, lost, duplicated }) =>
      `${read} samples read, ${committed} committed, ${lost} lost, ${duplicated} stored twice` +
      (waiting > 0 ? `; ${waiting} wait in the spools for the next start` : ''),
  },
}
