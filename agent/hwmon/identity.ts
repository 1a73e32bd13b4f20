// What a chip is called: by the driver and by where it sits, as lm-sensors does. The N of hwmonN, nvmeN and i2c-N is the
// order of loading and may be another one after the next boot.

/** Of PCI, USB, ACPI and of platform devices: `0000:01:00.0`, `1-2:1.0`, `PNP0C0A:00`, `nct6775.656`. */
const addresses = [
  /^[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/,
  /^\d+-[\d.]+:\d+\.\d+$/,
  /^[A-Z]\w{6,7}:[0-9a-f]{2}$/,
  /^[a-z][\w-]*\.\d+$/,
]

/** `3-0048`: the bus and the address on it. */
const onI2c = /^\d+-([0-9a-f]{4})$/

/** `device` is the real path of the chip's device, where it has one: `/sys/devices/pci0000:00/.../0000:01:00.0/nvme/nvme0`. */
export function chipId(name: string, device: string | undefined): string {
  const parts = device?.split('/') ?? []
  const place = parts.findLast(part => addresses.some(address => address.test(part)))
  const i2c = onI2c.exec(parts.at(-1) ?? '')?.[1]
  return [name, place, i2c && `i2c-${i2c}`].filter(part => part !== undefined).join('-')
}

/** Makes ids unique: what comes again is `id.2`, `id.3` in the order of coming. */
export function numbering(): (id: string) => string {
  const met = new Map<string, number>()
  return id => {
    const times = (met.get(id) ?? 0) + 1
    met.set(id, times)
    return times === 1 ? id : `${id}.${times}`
  }
}
