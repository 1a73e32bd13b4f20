# A signal lamp that nobody here wrote: a Modbus TCP slave of pymodbus 3.0 with one coil. Prints its port, then each value
# that is written to the coil, as lines of JSON.
import asyncio, json, logging, socket
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server.async_io import StartAsyncTcpServer

logging.disable(logging.CRITICAL)  # it calls each goodbye an error

class Lamp(ModbusSequentialDataBlock):
    def setValues(self, address, values):
        super().setValues(address, values)
        print(json.dumps({"coil": address, "on": bool(values[0])}), flush=True)

context = ModbusServerContext(slaves=ModbusSlaveContext(zero_mode=True, co=Lamp(0, [False] * 8)), single=True)

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
    print(json.dumps({"port": port}), flush=True)
    await task

asyncio.run(main())
