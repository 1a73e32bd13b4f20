import type { Texts } from './texts.ts'

export const help: Texts['help'] = {
  fieldline: `读取主机与设备的数据，途中不丢失任何数据，并指出正在发生的问题。

用法：fieldline 命令 [选项]

守护进程
  agent       读取本机数据并发送
  gateway     在 agent 的基础上与设备通信（Modbus、OPC UA、HL7）
  collector   提交、保存、判断并展示收到的数据

工具
  check          指出配置文件中的所有错误
  test           读取一个数据源一次，显示将要发送的内容
  browse         浏览 OPC UA 服务器，并为其生成配置
  inventory      显示本机的主板与内存条
  order          让边缘节点执行操作：写寄存器、调用方法
  hl7            发送 HL7 消息；列出被搁置的消息
  probe          查明 Modbus 设备有哪些数据
  disks          显示哪些硬盘将要失效，以及原因
  incidents      显示正在发生的故障；标记为“不是问题”
  status         显示本机各守护进程的状况
  demo           在本机运行整套系统，附带模拟设备
  smart-reports  询问各硬盘的健康状况，供 agent 使用（需要 root）

  --help      显示本说明；fieldline 命令 --help 显示该命令的详细说明
  --version   显示版本

示例
  fieldline demo
  fieldline test cpu
  fieldline agent --config /etc/fieldline/agent.yaml`,

  agent: `读取本机数据并发送；在对端提交之前，数据一直保存在本地缓存队列中。

用法：fieldline agent [--config 文件]

  --config 文件   配置文件（默认 /etc/fieldline/agent.yaml）

不带 --config 而设置了 FIELDLINE_* 变量时，以这些变量为配置：见 docs/sidecar.md。

收到 SIGTERM 或按 Ctrl-C 时，处理完手头数据后结束；再来一次则立即结束。

示例
  fieldline agent
  fieldline agent --config ./agent.yaml
  fieldline check ./agent.yaml`,

  gateway: `在 agent 的基础上，通过 Modbus、OPC UA 和 HL7 与设备通信。

用法：fieldline gateway [--config 文件]

  --config 文件   配置文件（默认 /etc/fieldline/gateway.yaml）

收到 SIGTERM 或按 Ctrl-C 时，处理完手头数据后结束；再来一次则立即结束。

示例
  fieldline gateway
  fieldline gateway --config ./gateway.yaml
  fieldline test press-4 --config ./gateway.yaml`,

  collector: `提交 agent 与 gateway 发来的数据，保存历史，发现正在发生的问题，并在网页上展示。

用法：fieldline collector [--config 文件]

  --config 文件   配置文件（默认 /etc/fieldline/collector.yaml）

收到 SIGTERM 或按 Ctrl-C 时，处理完手头数据后结束；再来一次则立即结束。

示例
  fieldline collector
  fieldline collector --config ./collector.yaml`,

  check: `指出配置文件中的所有错误：行、列，以及正确的写法。不做任何改动。

用法：fieldline check 文件 [--resolved] [--for 守护进程]
      fieldline check --env [--resolved]

  --resolved       以 JSON 输出配置，锚点与注释均已展开
  --for 守护进程   该文件必须用于 agent、gateway 或 collector
  --env            检查不用文件而配置 agent 的 FIELDLINE_* 变量

退出状态 0：文件正确。1：有错误。2：用法错误。

示例
  fieldline check /etc/fieldline/agent.yaml
  fieldline check --resolved agent.yaml`,

  test: `读取一个数据源一次，显示将要发送的内容。不发送，也不保存。

用法：fieldline test 数据源 [--config 文件] [--live] [--json]

  数据源          数据源的类型，或其在配置中的名称
  --config 文件   从该文件读取数据源的选项
  --live          持续显示每个序列的最新值及其时间，直到按 Ctrl-C；也适用于只被动接收的数据源
  --json          输出一行 JSON，而不是表格

示例
  fieldline test cpu
  fieldline test filesystem --json
  fieldline test press-4 --config /etc/fieldline/gateway.yaml --live`,

  browse: `遍历 OPC UA 服务器的地址空间，生成读取其变量的 gateway 配置：名称、节点标识、类型、单位。只读取，不写入。

用法：fieldline browse URL [--from 节点] [--depth N] [--save 文件] [--insecure]
               [--user 用户名 --password-file 文件] [--certificates 文件夹]

  URL                     服务器，例如 opc.tcp://192.168.0.20:4840
  --from 节点             从该节点以下开始（默认 i=85，即全部对象）
  --depth N               查看的层数（默认 20）
  --save 文件             写入该文件，文件不得已存在（默认：打印）
  --insecure              不加密，也不验证服务器的身份
  --user 用户名           用用户名登录，密码在文件中
  --password-file 文件    存放密码的文件
  --certificates 文件夹   自己的证书与受信任服务器的证书（默认 .fieldline/opcua）

最多 150,000 个节点、10 分钟；停在何处会说明。

示例
  fieldline browse opc.tcp://192.168.0.20:4840
  fieldline browse opc.tcp://192.168.0.20:4840 --from "ns=2;s=Line1" --save line1.yaml
  fieldline browse opc.tcp://localhost:4840 --insecure`,

  inventory: `以 JSON 显示 systeminformation 软件包所得的本机主板、固件，以及（root 时）内存条。
同名的数据源会调用它，并加上磁盘、网络接口、处理器和 GPU。

用法：fieldline inventory

示例
  fieldline inventory
  fieldline test inventory`,

  order: `让一个边缘节点通过其某个数据源执行一项操作，并等待结果。边缘节点最多执行一次，
且仅当其自身配置的允许列表中有该操作时才执行：见 docs/orders.md。

用法：fieldline order 节点 数据源 操作 [名称=值 ...] --key 文件 [选项]

  节点 数据源      边缘节点，及其配置中数据源的名称
  操作             write（to=寄存器 value=值）、call（method=名称 arguments=[...]），或该数据源支持的其他操作
  --key 文件       您的 Ed25519 私钥（PEM）；边缘节点持有公钥
  --broker URL     边缘节点所连接的消息代理（默认 mqtt://127.0.0.1:1883）
  --tenant 名称    默认：default
  --username 名称、--password-file 文件、--ca 文件、--cert 文件、--cert-key 文件
                   消息代理要求的凭据
  --valid 时长     命令最多可等待多久才开始执行（默认 30s）
  --as 名称        下令者，用于记录（默认：您的登录名）
  --json           以一行 JSON 输出结果

生成密钥对：openssl genpkey -algorithm ed25519 -out order.key; openssl pkey -in order.key -pubout -out order.pub

退出状态 0：已执行。1：被拒绝，或结果不明。2：用法错误。

示例
  fieldline order gateway-1 lamp write to=lamp.red value=true --key order.key
  fieldline order gateway-1 press call method=Stop --key order.key --broker mqtts://broker.example:8883`,

  probe: `查明某个 Modbus 地址上有谁应答、它如何介绍自己、哪些地址可以读取，并给出可作为起点的配置。只读取，不写入。

用法：fieldline probe 地址 [--scan] [--timeout 时长] [--pace 时长]

  地址             modbus-tcp://主机:502/单元号；经转换器为 modbus-rtu-tcp://主机:端口/单元号；串口为
                   modbus-rtu:///dev/ttyUSB0?baud=19200&parity=even&unit=单元号；未写单元号时依次尝试 1、255、0
  --scan           询问 1 到 247 的所有单元号
  --timeout 时长   等待应答多久（默认 1s，与 --scan 同用时 300ms）
  --pace 时长      两次询问之间让设备休息多久（默认 20ms）

扫描逐个询问单元号；若无人应答，最多约需 75 秒。若 RTU 总线上另有主站，请勿扫描：两个主站会同时发话。

退出状态 0：有设备应答；1：无人应答。

示例
  fieldline probe modbus-tcp://192.168.0.10
  fieldline probe modbus-tcp://192.168.0.10:502/1 --scan
  fieldline probe "modbus-rtu:///dev/ttyUSB0?baud=9600&unit=3"`,

  disks: `显示 collector 所知的硬盘，风险高的在前：30 天内失效的概率与原因，以及闪存何时磨损殆尽。
没有依据的一律为未知。可信程度见 docs/disks.md。

用法：fieldline disks [硬盘] [--node 节点] [--most N] [--collector URL | --config 文件] [--json]

  硬盘              完整显示一块硬盘（按标识或序列号）：各项计数与评分历史
  --node 节点       只显示该节点的硬盘
  --most N          最多显示多少块（默认 40）
  --collector 网址  默认取 --config 或 /etc/fieldline/collector.yaml 中的地址，否则为 http://127.0.0.1:8180
  --config 文件     collector 的配置文件
  --json            输出一行 JSON，而不是表格

退出状态 0：所显示的硬盘均无告警。1：有硬盘处于警告或严重状态，或 collector 没有应答。2：用法错误。

示例
  fieldline disks
  fieldline disks wwn-0x5000c500a1b2c3d4
  fieldline disks --node store-1 --json`,

  status: `显示本机各守护进程的状况：读取了什么、还有多少在等待、已提交和被拒绝的数量。

用法：fieldline status [--config 文件] [--json]

  --config 文件   查询该配置对应的守护进程（默认：/etc/fieldline 中的全部）
  --json          输出一行 JSON，而不是表格

退出状态 0：全部在运行。1：有的没有运行。

示例
  fieldline status
  fieldline status --config ./gateway.yaml --json`,

  incidents: `显示正在发生的故障：时间和位置上相关的发现合为一起，并给出可能的起因。

用法：fieldline incidents [--all] [--json] [--collector 网址 | --config 文件]
      fieldline incidents ID [--json]
      fieldline incidents ID --not-a-problem [--note 文字]
      fieldline incidents ID --take-back

  ID                一起故障及其时间线
  --all             也显示已结束的故障
  --not-a-problem   该处同一规则、同一指标今后不再引发故障；ID 也可以是某个发现的编号
  --note 文字       原因，供以后查看
  --take-back       撤回：它确实是问题
  --collector 网址  默认取 --config 或 /etc/fieldline/collector.yaml 中的地址，否则为 http://127.0.0.1:8180
  --config 文件     collector 的配置文件
  --json            输出一行 JSON，而不是表格

退出状态 0：没有未结束的故障，或所要求的操作已完成。1：有未结束的故障，或 collector 没有应答。2：用法错误。

示例
  fieldline incidents
  fieldline incidents 3f9c0a1b2c3d
  fieldline incidents 3f9c0a1b2c3d --not-a-problem --note "pump test every Monday"`,

  demo: `在本机运行消息代理、带网页的 collector、读取本机的 agent，以及轮询模拟 PLC 的 gateway。

用法：fieldline demo [--scene 场景 | --fault] [--for 时长] [--state 文件夹]

  --scene 场景     另一个场景，其中所有设备都是模拟的：
                   plant：一台通过 Modbus 的压力机和一条通过 OPC UA 的灌装线
                   ward：两台通过 HL7 的床旁监护仪，以及一盏通过 Modbus 的信号灯
  --fault          启动 6 秒后压力机的溢流阀卡住；由此产生的发现合为一起故障
  --for 时长       到时自动结束，例如 30s
  --state 文件夹   待发数据与历史的存放处（默认 .fieldline/demo 或 .fieldline/场景）

结束时打印摘要，最后一行是 JSON。状态 1：有样本丢失或重复存储。

示例
  fieldline demo
  fieldline demo --for 30s
  fieldline demo --fault
  fieldline demo --scene plant`,

  hl7: `通过 MLLP 发送 HL7 v2 消息，或列出网关无法理解的消息。

用法：fieldline hl7 send 文件 [--to 地址] [--tries 次数] [--ca 文件] [--cert 文件 --key 文件]
      fieldline hl7 aside [--config 文件] [--json]

  --to 地址       mllp://主机:端口，使用 TLS 时为 mllps://主机:端口（默认 mllp://127.0.0.1:2575）
  --tries 次数    得到 AE、CE 或没有应答时，一条消息最多发送几次（默认 5）
  --ca 文件       服务器证书的签发机构，PEM
  --cert, --key   我方证书与私钥，PEM
  --config 文件   网关的配置文件（默认 /etc/fieldline/gateway.yaml）
  --json          输出一行 JSON，而不是表格

文件中可有多条消息，也可以位于 FHS 与 BHS 批次之内。每条消息等前一条得到应答后才发送；AR 与 CR 表示不再重发。
被搁置的消息含有患者数据：只有守护进程的用户可以读取，也不会被发送到任何地方。

退出状态 0：全部被接受。1：有的没有被接受。

示例
  fieldline hl7 send oru.hl7
  fieldline hl7 send ward.hl7 --to mllps://gateway.ward:2575 --ca ca.crt --cert bed-1.crt --key bed-1.key
  fieldline hl7 aside --config ./gateway.yaml`,

  'smart-reports': `用 smartctl 询问本机每块硬盘的状况，并把报告留给 agent 的数据源 smart。

用法：fieldline smart-reports --to 文件夹

  --to 文件夹   报告的存放处；旧报告会被替换，所有用户可读

需要 root 与软件包 smartmontools；由 fieldline-smart.timer 定时运行。休眠的硬盘不会被唤醒。
30 秒内没有应答的硬盘会连同原因列出，不影响其他硬盘。

退出状态 0：全部询问完毕。1：缺少 smartctl，或无法得知有哪些硬盘。

示例
  fieldline smart-reports --to /run/fieldline/smart
  fieldline smart-reports --to /tmp/smart`,
}
