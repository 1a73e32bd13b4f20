import type { Texts } from './texts.ts'

export const help: Texts['help'] = {
  fieldline: `Reads hosts and devices, loses nothing on the way, and says what is going wrong.

Usage: fieldline COMMAND [OPTIONS]

Daemons
  agent       read this host and send what it read
  gateway     an agent that also speaks with devices (Modbus, OPC UA, HL7)
  collector   commit, keep, judge and show what comes in

Tools
  check          say everything that is wrong with a configuration file
  test           read one source once and show what would be sent
  browse         look around an OPC UA server and write a configuration for it
  inventory      show the boards and memory modules of this machine
  order          have an edge do something: write a register, call a method
  hl7            send HL7 messages; list those that were kept aside
  probe          find out what a Modbus device has
  disks          show which drives will fail, and why
  incidents      show what is going wrong; say that it is not a problem
  status         show how the daemons of this host are doing
  demo           run all of it here, with simulated devices
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

  gateway: `An agent that also speaks with devices over Modbus, OPC UA and HL7.

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

Usage: fieldline test SOURCE [--config FILE] [--live] [--json]

  SOURCE          a source's type, or its name in the configuration
  --config FILE   take the source's options from this file
  --live          go on until Ctrl-C, with the last value of each series and how old it is; also for sources that listen
  --json          one line of JSON instead of a table

Examples
  fieldline test cpu
  fieldline test filesystem --json
  fieldline test press-4 --config /etc/fieldline/gateway.yaml --live`,

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

  order: `Has an edge do something by one of its sources, and waits for what became of it. The edge does it at most once, and
only if the allow-list of its own configuration names it: docs/orders.md.

Usage: fieldline order NODE SOURCE ACTION [NAME=VALUE ...] --key FILE [OPTIONS]

  NODE SOURCE      the edge, and the configured name of its source
  ACTION           write (to=REGISTER value=VALUE), call (method=NAME arguments=[...]), or what else the source can do
  --key FILE       your private Ed25519 key (PEM); the edge has the public one
  --broker URL     where the edge is connected (default mqtt://127.0.0.1:1883)
  --tenant NAME    default: default
  --username NAME, --password-file FILE, --ca FILE, --cert FILE, --cert-key FILE
                   what the broker asks for
  --valid TIME     how long the order may wait to be begun (default 30s)
  --as NAME        who you are, for the record (default: your login name)
  --json           the outcome as one line of JSON

A key pair: openssl genpkey -algorithm ed25519 -out order.key; openssl pkey -in order.key -pubout -out order.pub

Status 0: done. 1: refused, or nobody knows. 2: wrong usage.

Examples
  fieldline order gateway-1 lamp write to=lamp.red value=true --key order.key
  fieldline order gateway-1 press call method=Stop --key order.key --broker mqtts://broker.example:8883`,

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

  disks: `Shows the drives that a collector knows, those at risk first: how likely each fails within 30 days and why, and
when flash is worn out. What there is no ground for is unknown. docs/disks.md says how far to trust it.

Usage: fieldline disks [DISK] [--node NODE] [--most N] [--collector URL | --config FILE] [--json]

  DISK             one drive whole, by its id or serial number: its counts and the history of its score
  --node NODE      only those of this node
  --most N         how many (default 40)
  --collector URL  default: that of --config, of /etc/fieldline/collector.yaml, or http://127.0.0.1:8180
  --config FILE    the configuration of the collector
  --json           one line of JSON instead of tables

Status 0: none of those shown warns. 1: one does (warning or critical), or the collector does not answer. 2: wrong usage.

Examples
  fieldline disks
  fieldline disks wwn-0x5000c500a1b2c3d4
  fieldline disks --node store-1 --json`,

  status: `Shows how the daemons of this host are doing: what they read, what waits, what was committed and refused.

Usage: fieldline status [--config FILE] [--json]

  --config FILE   ask the daemon of this configuration (default: all in /etc/fieldline)
  --json          one line of JSON instead of tables

Status 0: all run. 1: one does not.

Examples
  fieldline status
  fieldline status --config ./gateway.yaml --json`,

  incidents: `Shows what is going wrong: findings that belong together in time and place, with the likely first cause.

Usage: fieldline incidents [--all] [--json] [--collector URL | --config FILE]
       fieldline incidents ID [--json]
       fieldline incidents ID --not-a-problem [--note TEXT]
       fieldline incidents ID --take-back

  ID                one incident with its time line
  --all             those that are over, too
  --not-a-problem   the same rule about the same metric there opens no incident any more; ID may also be a finding's
  --note TEXT       why, for whoever looks later
  --take-back       it is a problem after all
  --collector URL   default: that of --config, of /etc/fieldline/collector.yaml, or http://127.0.0.1:8180
  --config FILE     the configuration of the collector
  --json            one line of JSON instead of tables

Status 0: none is open, or what was asked is done. 1: one is open, or the collector does not answer. 2: wrong usage.

Examples
  fieldline incidents
  fieldline incidents 3f9c0a1b2c3d
  fieldline incidents 3f9c0a1b2c3d --not-a-problem --note "pump test every Monday"`,

  demo: `Runs a broker, a collector with its page, an agent on this host and a gateway that polls a simulated PLC.

Usage: fieldline demo [--scene SCENE | --fault] [--for DURATION] [--state FOLDER]

  --scene SCENE    another scene, all of whose devices are simulated:
                   plant: a press over Modbus and a filling line over OPC UA
                   ward:  two bedside monitors over HL7, and a signal lamp over Modbus
  --fault          the relief valve of the press sticks 6 s after the start; its findings become one incident
  --for DURATION   end by itself, such as 30s
  --state FOLDER   where spools and history are kept (default .fieldline/demo, or .fieldline/SCENE)

It ends with a summary whose last line is JSON. Status 1: a sample was lost or stored twice.

Examples
  fieldline demo
  fieldline demo --for 30s
  fieldline demo --fault
  fieldline demo --scene plant`,

  hl7: `Sends HL7 v2 messages over MLLP, or lists those that a gateway could make nothing of.

Usage: fieldline hl7 send FILE [--to ADDRESS] [--tries N] [--ca FILE] [--cert FILE --key FILE]
       fieldline hl7 aside [--config FILE] [--json]

  --to ADDRESS    mllp://host:port, or mllps://host:port with TLS (default mllp://127.0.0.1:2575)
  --tries N       how often a message is sent that gets AE or CE, or no answer (default 5)
  --ca FILE       the authority of the server's certificate, PEM
  --cert, --key   our own certificate, PEM
  --config FILE   the gateway's configuration (default /etc/fieldline/gateway.yaml)
  --json          one line of JSON instead of a table

FILE may hold several messages, also within FHS and BHS. Each waits for the answer to the one before; AR and CR end it.
What is kept aside holds patient data: it is readable for the daemon's user alone, and is sent nowhere.

Status 0: all were accepted. 1: one was not.

Examples
  fieldline hl7 send oru.hl7
  fieldline hl7 send ward.hl7 --to mllps://gateway.ward:2575 --ca ca.crt --cert bed-1.crt --key bed-1.key
  fieldline hl7 aside --config ./gateway.yaml`,

  'smart-reports': `Asks each disk of this host by smartctl how it is, and leaves the reports for the agent's source smart.

Usage: fieldline smart-reports --to FOLDER

  --to FOLDER   where the reports go; they are replaced, everyone may read them

Needs root and the package smartmontools; fieldline-smart.timer runs it. A disk that sleeps is not woken. One that does
not answer within 30 s is named with the reason and does not stop the others.

Status 0: all were asked. 1: smartctl is missing, or does not find out what disks there are.

Examples
  fieldline smart-reports --to /run/fieldline/smart
  fieldline smart-reports --to /tmp/smart`,
}
