// What Python calls in a compiled circuit; sim/compiled.py says the same in ctypes. circuit.cc is what CXXRTL wrote.

#include "circuit.cc"
#include <cxxrtl/capi/cxxrtl_capi.cc>

#define EXPORTED extern "C" __attribute__((visibility("default")))

typedef void (*port_visitor)(const char *name, int is_input, size_t width, uint32_t *bits);

EXPORTED cxxrtl_handle circuit_open() {
  return cxxrtl_create(cxxrtl_design_create());
}

EXPORTED void circuit_close(cxxrtl_handle circuit) {
  cxxrtl_destroy(circuit);
}

// Ports of the top module; where an input is written and an output is read, least significant chunk first.
EXPORTED void circuit_ports(cxxrtl_handle circuit, port_visitor visit) {
  cxxrtl_enum(circuit, (void *)visit, [](void *visit, const char *name, cxxrtl_object *object, size_t) {
    if (object->flags & CXXRTL_INPUT)
      ((port_visitor)visit)(name, 1, object->width, object->next);
    else if (object->flags & CXXRTL_OUTPUT)
      ((port_visitor)visit)(name, 0, object->width, object->curr);
  });
}

// Until nothing changes any more. A single step would leave outputs as they were before registers took new values.
EXPORTED void circuit_settle(cxxrtl_handle circuit) {
  do
    cxxrtl_eval(circuit);
  while (cxxrtl_commit(circuit));
}

// Rising and falling edges. Outputs are right while the clock is low.
EXPORTED void circuit_tick(cxxrtl_handle circuit, uint32_t *clock, size_t count) {
  for (; count; count--) {
    *clock = 1;
    cxxrtl_step(circuit);
    *clock = 0;
    circuit_settle(circuit);
  }
}
