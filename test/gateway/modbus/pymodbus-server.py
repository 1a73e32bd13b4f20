# A Modbus TCP server that nobody here wrote (pymodbus 3.0), filled by pymodbus's own payload builder.
# Prints its port, then what lies where as one line of JSON.
import asyncio, json, logging, socket
from pymodbus.constants import Endian
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext, ModbusSparseDataBlock
from pymodbus.payload import BinaryPayloadBuilder
from pymodbus.server.async_io import StartAsyncTcpServer

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
context = ModbusServerContext(slaves={1: store, 2: sparse}, single=False)

async def main():
    free = socket.socket(); free.bind(("127.0.0.1", 0)); port = free.getsockname()[1]; free.close()
    task = asyncio.create_task(StartAsyncTcpServer(context=context, address=("127.0.0.1", port)))
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            break
        except OSError:
            if task.done(): task.result()
            await asyncio.sleep(0.02)
    print(json.dumps({"port": port, "layout": layout, "bits": bits}), flush=True)
    await task

asyncio.run(main())
