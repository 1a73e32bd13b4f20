// A machine emulated by qemu, without KVM: an NVMe disk, a SATA disk, a NIC on qemu's user network, where the host's loopback
// is 10.0.2.2, a console, and a root shell on the second serial port.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import type { Image } from './image.ts'

export const serials = { nvme: 'GUESTNVME1', sata: 'GUESTSATA1' } as const

/** The end of a command's output: which, and its status. */
const mark = /^=== (\w+) (\d+)\n/m

export class Machine {
  readonly #qemu: ChildProcess
  readonly #shell: Socket
  readonly #console: string
  #read = ''
  #said = ''
  #commands = 0

  private constructor(qemu: ChildProcess, shell: Socket, console: string) {
    this.#qemu = qemu
    this.#shell = shell
    this.#console = console
    shell.setEncoding('utf8').on('data', chunk => {
      this.#read += chunk
    })
    qemu.stderr?.on('data', chunk => {
      this.#said += chunk
    })
  }

  /** Resolves when systemd has started the shell. The machine ends with this process, however that ends. */
  static async boot(image: Image, folder: string, within: number): Promise<Machine> {
    const at = { console: join(folder, 'console.log'), shell: join(folder, 'shell.sock') }
    const qemu = spawn('setpriv', ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...options(image, at)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const machine = new Machine(qemu, await opened(at.shell, qemu), at.console)
    await machine.#answer('listening', within).catch(async (error: unknown) => {
      await machine.stop()
      throw error
    })
    return machine
  }

  /** What a command prints; throws where it fails, or is not done within `seconds`. */
  async run(command: string, seconds = 20): Promise<string> {
    const name = `command${++this.#commands}`
    this.#shell.write(`{ ${command}\n} </dev/null 2>&1; echo; echo "=== ${name} $?"\n`)
    return await this.#answer(name, seconds).catch((error: unknown) => {
      throw new Error(`guest: ${command}`, { cause: error })
    })
  }

  /** The last lines of the console. */
  console(lines: number): string {
    const text = existsSync(this.#console) ? readFileSync(this.#console, 'utf8') : ''
    return [...stripVTControlCharacters(text).split(/\r*\n/).slice(-lines), this.#said].join('\n')
  }

  async stop(): Promise<void> {
    this.#shell.destroy()
    if (this.#qemu.exitCode !== null || this.#qemu.signalCode !== null) return
    this.#qemu.kill('SIGKILL')
    await once(this.#qemu, 'exit')
  }

  async #answer(name: string, seconds: number): Promise<string> {
    const deadline = performance.now() + seconds * 1000
    for (;;) {
      const found = mark.exec(this.#read)
      if (found !== null) {
        const text = this.#read.slice(0, found.index).trimEnd()
        this.#read = this.#read.slice(found.index + found[0].length)
        if (found[1] !== name) continue
        if (found[2] !== '0') throw new Error(`status ${found[2]}: ${text}`)
        return text
      }
      if (this.#qemu.exitCode !== null) throw new Error(`qemu ended\n${this.console(30)}`)
      if (performance.now() > deadline)
        throw new Error(`no answer within ${seconds} s: ${this.#read}\n${this.console(30)}`)
      await delay(50)
    }
  }
}

function options(image: Image, at: { readonly console: string; readonly shell: string }): readonly string[] {
  const disk = (id: string, file: string): string => `file=${file},if=none,id=${id},format=raw,cache=unsafe`
  return [
    ...['-machine', 'q35', '-accel', 'tcg,thread=multi', '-smp', '2', '-m', '768'],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-kernel', image.kernel, '-initrd', image.initrd],
    ...['-append', 'console=ttyS0 loglevel=4 panic=-1 root=/dev/nvme0n1 rootfstype=ext4 rw'],
    ...['-drive', disk('system', image.system), '-device', `nvme,drive=system,serial=${serials.nvme}`],
    ...['-drive', disk('data', image.data), '-device', `ide-hd,bus=ide.0,drive=data,serial=${serials.sata}`],
    ...['-netdev', 'user,id=net', '-device', 'e1000e,netdev=net,addr=2,romfile='],
    ...['-serial', `file:${at.console}`, '-serial', `unix:${at.shell},server=on,wait=off`],
  ]
}

/** The shell's end on this side, as soon as qemu has made it. */
async function opened(path: string, qemu: ChildProcess): Promise<Socket> {
  for (const deadline = performance.now() + 20_000; performance.now() < deadline; await delay(50)) {
    if (qemu.exitCode !== null) throw new Error(`qemu ended with status ${qemu.exitCode}`)
    if (!existsSync(path)) continue
    const socket = connect(path)
    await once(socket, 'connect')
    return socket
  }
  throw new Error('qemu did not start within 20 s')
}
