/* A slave of libmodbus: `tcp`, or the path of a serial port. Prints the port, or the path, when it answers. */
#include <arpa/inet.h>
#include <errno.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void serve(modbus_t *bus, modbus_mapping_t *map) {
  uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
  for (;;) {
    int length = modbus_receive(bus, query);
    if (length > 0) modbus_reply(bus, query, length, map);
    else if (length < 0 && (errno == ECONNRESET || errno == EBADF)) return;
  }
}

int main(int count, char **arguments) {
  modbus_mapping_t *map = modbus_mapping_new(2100, 2100, 200, 200);
  for (int n = 0; n < 200; n++) map->tab_registers[n] = n * 7, map->tab_input_registers[n] = n * 11;
  for (int n = 0; n < 2100; n++) map->tab_bits[n] = n % 3 == 0, map->tab_input_bits[n] = n % 4 == 0;
  if (count == 2 && arguments[1][0] == '/') {
    modbus_t *bus = modbus_new_rtu(arguments[1], 115200, 'E', 8, 1);
    modbus_set_slave(bus, 1);
    if (modbus_connect(bus) < 0) return fprintf(stderr, "%s\n", modbus_strerror(errno)), 1;
    puts(arguments[1]);
    fflush(stdout);
    for (;;) serve(bus, map);
  }
  /* libmodbus listens on every address, so the socket is made here. */
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof at;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&at, size) < 0 || listen(listener, 4) < 0) return perror("listen"), 1;
  getsockname(listener, (struct sockaddr *)&at, &size);
  modbus_t *bus = modbus_new_tcp("127.0.0.1", ntohs(at.sin_port));
  printf("%d\n", ntohs(at.sin_port));
  fflush(stdout);
  for (;;) {
    modbus_tcp_accept(bus, &listener);
    serve(bus, map);
    modbus_close(bus);
  }
}
