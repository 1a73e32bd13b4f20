// USB: disks that come and go, ports and devices that do not work.

import type { Rule } from './rule.ts'

const at = 'usb (?<hw>[\\w.-]+)'

export const usb: readonly Rule[] = [
  {
    event: 'kernel.usb.storage',
    severity: 'info',
    pattern: /(?:usb-storage|uas) (?<hw>\d+-[\d.]+):[\d.]+: (?<what>USB Mass Storage device detected|.*UAS)/,
    refine: () => ({ fields: { state: 'attached' } }),
  },
  {
    event: 'kernel.usb.storage',
    severity: 'warning',
    // interpreter.ts knows which of them are disks; the others come and go as they like.
    pattern: new RegExp(`${at}: (?<what>USB disconnect), device number (?<number>\\d+)`),
    refine: () => ({ fields: { state: 'gone' } }),
  },
  {
    event: 'kernel.usb.error',
    severity: 'warning',
    pattern: new RegExp(
      `${at}(?:-port(?<port>\\d+))?: (?<what>(?:device descriptor read.* error -?\\d+|device not (?:accepting|responding).*|unable to enumerate.*|over-current.*|Cannot enable\\. Maybe the USB cable is bad\\?|can't set config.*|reset \\w+-?\\w* ?\\w* USB device.*|disabled by hub \\(EMI\\?\\).*|cannot (?:reset|disable).*))`,
    ),
  },
  {
    event: 'kernel.usb.error',
    severity: 'error',
    pattern:
      /(?<driver>xhci[_\w]*|ehci[_\w-]*|ohci[_\w-]*|uhci[_\w-]*) (?<hw>[\w:.]+): (?<what>(?:HC died.*|xHCI host controller not responding.*|Host (?:halt|not halted).*fail.*|.*not responding.*|WARNING: Host System Error.*|fatal error|HC gone.*))/,
  },
  {
    event: 'kernel.usb.error',
    severity: 'warning',
    pattern:
      /hub (?<hw>[\w:.-]+): (?<what>(?:over-current.*|.*hub_ext_port_status failed.*|cannot (?:reset|disable) port.*|unable to enumerate.*|port \d+ (?:over-current|disabled by hub).*))/,
  },
]
