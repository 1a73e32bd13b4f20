# A Modbus TCP server that nobody here wrote (pymodbus 3.0), filled by pymodbus's own payload builder.
# Prints its port, then what lies where as one line of JSON.
import asyncio, json, logging
from pymodbus.constants import Endian
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext, ModbusSparseDataBlock
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.payload import BinaryPayloadBuilder
from pymodbus.server.async_io import ModbusTcpServer

logging.disable(logging.CRITICAL)  # it calls each refusal and each goodbye an error
values = {"u16": [0, 1, 0x1234, 0xFFFF], "i16": [-32768, -1, 12345], "u32": [0, 0x12345678, 0xFFFFFFFF],
          "i32": [-2147483648, -2, 0x12345678], "f32": [-1234.5, 1.5e-30, 3.0e38],
          "u64": [0, 0x1122334455667, 0xFFFFFFFFFFFFFFFF], "i64": [-2**63, -3, 0x1122334455667], "f64": [-1.5e-300, 1/3]}
orders = {"big": Endian.Big, "little": Endian.Little}
registers, layout = [], []
for byte_order, byte in orders.items():
    for word_order, word in orders.items():
        for kind, examples in values.items():
            for value in examples:
                builder = BinaryPayloadBuilder(byteorder=byte, wordorder=word)
                add = {"u16": builder.add_16bit_uint, "i16": builder.add_16bit_int, "u32": builder.add_32bit_uint,
                       "i32": builder.add_32bit_int, "f32": builder.add_32bit_float, "u64": builder.add_64bit_uint, "i64": builder.add_64bit_int, "f64": builder.add_64bit_float}[kind]
                add(value)
                layout.append({"type": kind, "byte_order": byte_order, "word_order": word_order, "address": len(registers), "value": value})
                registers += builder.to_registers()

bits = [n % 3 == 0 for n in range(40)]
store = ModbusSlaveContext(zero_mode=True, hr=ModbusSequentialDataBlock(0, registers), ir=ModbusSequentialDataBlock(0, registers),
                           co=ModbusSequentialDataBlock(0, bits), di=ModbusSequentialDataBlock(0, [not b for b in bits]))
sparse = ModbusSlaveContext(zero_mode=True, hr=ModbusSparseDataBlock({5: 55, 9: 99}))
def text(words, string): return [ord(string[2 * n]) << 8 | ord(string[2 * n + 1]) if 2 * n + 1 < len(string) else 0 for n in range(words)]

# A SunSpec inverter at 40000: common model 1, three-phase model 103 (233.5 W, 49.98 Hz, 4.2 MWh, MPPT), the end.
common = text(16, "ACME Solar") + text(16, "Roof 5k ") + text(8, "") + text(8, "1.02") + text(16, "SN0042") + [126, 0x8000]
inverter = [0xFFFF] * 50
for at, word in {12: 2335, 13: 0xFFFF, 14: 4998, 15: 0xFFFE, 22: 0, 23: 4200, 24: 3, 36: 4}.items(): inverter[at] = word
for at in (4, 11, 16, 17, 18, 19, 20, 21, 26, 28, 29, 30, 31, 32, 33, 34, 35): inverter[at] = 0x8000
chain = [0x5375, 0x6E53, 1, 66] + common + [103, 50] + inverter + [0xFFFF, 0]
sunspec = ModbusSlaveContext(zero_mode=True, hr=ModbusSparseDataBlock({40000 + n: word for n, word in enumerate(chain)}),
                             co=ModbusSparseDataBlock({60000: 0}), di=ModbusSparseDataBlock({60000: 0}), ir=ModbusSparseDataBlock({60000: 0}))
writable = ModbusSlaveContext(zero_mode=True, hr=ModbusSequentialDataBlock(0, [0] * 100), co=ModbusSequentialDataBlock(0, [0] * 100))
context = ModbusServerContext(slaves={1: store, 2: sparse, 3: sunspec, 4: writable}, single=False)
identity = ModbusDeviceIdentification(info_name={"VendorName": "ACME", "ProductCode": "PLC-7", "MajorMinorRevision": "2.1", "ProductName": "Press controller"})

async def main():
    server = ModbusTcpServer(context, identity=identity, address=("127.0.0.1", 0))
    task = asyncio.create_task(server.serve_forever())
    await server.serving
    port = server.server.sockets[0].getsockname()[1]
    print(json.dumps({"port": port, "layout": layout, "bits": bits}), flush=True)
    await task

asyncio.run(main())
