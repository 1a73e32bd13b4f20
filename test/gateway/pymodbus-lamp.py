# A signal lamp that nobody here wrote: a Modbus TCP slave of pymodbus 3.0 with one coil. Prints its port, then each value
# that is written to the coil, as lines of JSON.
import asyncio, json, logging
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server.async_io import ModbusTcpServer

logging.disable(logging.CRITICAL)  # it calls each goodbye an error

class Lamp(ModbusSequentialDataBlock):
    def setValues(self, address, values):
        super().setValues(address, values)
        print(json.dumps({"coil": address, "on": bool(values[0])}), flush=True)

context = ModbusServerContext(slaves=ModbusSlaveContext(zero_mode=True, co=Lamp(0, [False] * 8)), single=True)

async def main():
    server = ModbusTcpServer(context, address=("127.0.0.1", 0))
    task = asyncio.create_task(server.serve_forever())
    await server.serving
    port = server.server.sockets[0].getsockname()[1]
    print(json.dumps({"port": port}), flush=True)
    await task

asyncio.run(main())
